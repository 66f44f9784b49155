import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Appended, AppendFailure, NewEvent } from '../ports/event-store.ts';
import type { RoomKey } from '../room/address.ts';
import type { Announcement } from '../room/announce.ts';
import { isQuestion } from '../room/commands.ts';
import { streamOf } from '../room/stream.ts';
import { type CatchUpPorts, catchUpRoom, isCurrent } from './catch-up.ts';
import { type Failure, failed } from './conference.ts';
import { countAppend } from './counters.ts';
import {
  type Decided,
  type DecidePorts,
  decideBatch,
  type Fact,
  type Job,
  type Settlement,
  settledWith,
} from './decide-batch.ts';
import type { UnknownOutcomes } from './unknown-outcomes.ts';

export interface CommandPorts extends CatchUpPorts, DecidePorts {
  /** Since when the log is not followed; undefined while it is. */
  readonly lostSince: () => number | undefined;
  readonly unknown: UnknownOutcomes;
  /** An append of unknown outcome was written after all: its command was answered 500, and these are to be announced. */
  readonly onWritten: (eventId: string, job: Job, announcements: readonly Announcement[]) => void;
}

/** Commands for one room, worked on together. */
interface Batch {
  readonly ports: CommandPorts;
  readonly key: RoomKey;
  readonly jobs: readonly Job[];
}

type Settlements = readonly Settlement[];

/** The room has moved on since the batch was decided: it is to be decided again. */
interface Behind {
  readonly kind: 'Behind';
}
const behind: Behind = { kind: 'Behind' };

/** How often a write is tried, because other nodes' events took its place, before it is given up. */
export const mostRaces = 16;

/**
 * Works on a batch of commands for one room: decides each on the state that the ones before it leave behind, appends all
 * their events in one write with the expected revision, and applies them. Where somebody was first, it catches up and
 * decides again. Right: a settlement for each job, in their order. Left: the log has failed the whole batch.
 */
export const handleCommands =
  (ports: CommandPorts) =>
  (key: RoomKey, jobs: readonly Job[]): TE.TaskEither<Failure, Settlements> =>
    tryBatch({ ports, key, jobs }, 1);

// What is synchronous stays an Either: each step of a TaskEither's pipe is two more promises, 2 us of a command's 20.
const tryBatch = (batch: Batch, tries: number): TE.TaskEither<Failure, Settlements> =>
  pipe(
    decideUnlessStopped(batch),
    E.matchW(TE.left, (decisions) => commit(batch, decisions)),
    unlessBehind(() => again(batch, tries)),
  );

/** `TE.orElse` for the one Left that is no failure. */
const unlessBehind =
  (next: () => TE.TaskEither<Failure, Settlements>) =>
  (committed: TE.TaskEither<Failure | Behind, Settlements>): TE.TaskEither<Failure, Settlements> =>
  async () => {
    const ended = await committed();
    if (E.isRight(ended)) return ended;
    return ended.left.kind === 'Behind' ? next()() : E.left(ended.left);
  };

const again = (batch: Batch, tries: number): TE.TaskEither<Failure, Settlements> => {
  const { ports, key } = batch;
  ports.counters.retried += 1;
  return pipe(
    catchUpRoom(ports)(key),
    TE.chain(() => (tries < mostRaces ? tryBatch(batch, tries + 1) : TE.left(lostEveryRace(key)))),
  );
};

const lostEveryRace = (key: RoomKey): Failure => ({
  kind: 'Lagging',
  message: `room ${key} is so busy that this command lost ${mostRaces} races for its place`,
});

const decideUnlessStopped = ({ ports, key, jobs }: Batch): E.Either<Failure, readonly Decided[]> => {
  const reason = ports.rooms.stopped(key);
  return reason === undefined ? E.right(decideBatch(ports, key, jobs)) : E.left(stopped(key, reason));
};

const stopped = (key: RoomKey, reason: string): Failure => ({
  kind: 'RoomStopped',
  message: `room ${key} is stopped on this node, which does not know all of its events (${reason}); upgrade this node, or use one that does`,
});

const commit = (batch: Batch, decisions: readonly Decided[]): TE.TaskEither<Failure | Behind, Settlements> => {
  const facts = decisions.flatMap(({ fact }) => (fact === undefined ? [] : [fact]));
  return facts.length === 0 ? confirm(batch, decisions) : append(batch, decisions, facts);
};

/** Refusals and answers that change nothing are given only from a state that is the stream's last. */
const confirm = ({ ports, key }: Batch, decisions: readonly Decided[]): TE.TaskEither<Behind, Settlements> =>
  pipe(
    isCurrent(ports)(key),
    TE.match(
      (failure) => E.right(stale(ports, decisions, failure)),
      (current) => (current ? E.right(settlementsOf(decisions)) : E.left(behind)),
    ),
  );

/** While the store is away a question is answered all the same, with how old the answer is. Everything else gets 500. */
const stale = (ports: CommandPorts, decisions: readonly Decided[], failure: Failure): Settlements => {
  const staleSince = ports.lostSince() ?? ports.clock.now();
  return decisions.map(({ job, settlement }) =>
    isQuestion(job.command) && settlement.answer.kind === 'done'
      ? { ...settlement, staleSince }
      : settledWith(failed(failure)),
  );
};

const settlementsOf = (decisions: readonly Decided[]): Settlements => decisions.map(({ settlement }) => settlement);

/** Writes all the batch's events or none. What follows from the append is done before anybody else has their turn. */
const append =
  (batch: Batch, decisions: readonly Decided[], facts: readonly Fact[]): TE.TaskEither<Failure | Behind, Settlements> =>
  async () => {
    const { clock, rooms, store, unknown } = batch.ports;
    const began = clock.monotonic();
    for (const { id } of facts) unknown.begin(id);
    const appended = await store.append(
      streamOf(batch.key),
      rooms.revision(batch.key) ?? 'no_stream',
      facts.map(asNew),
    )();
    return pipe(
      appended,
      E.match(
        (failure) => unwritten(batch, decisions, facts, failure),
        (last) => {
          written(batch, facts, last, began);
          return E.right(settlementsOf(decisions));
        },
      ),
    );
  };

const asNew = ({ id, event, metadata }: Fact): NewEvent => ({ id, type: event.type, data: event.data, metadata });

const written = ({ ports, key }: Batch, facts: readonly Fact[], last: Appended, began: number): void => {
  for (const { id } of facts) ports.unknown.end(id);
  countAppend(ports.counters, (ports.clock.monotonic() - began) / 1000);
  // Not the expected revision and one: a stream that was deleted in the store takes `no_stream` and goes on counting.
  const first = last.revision - BigInt(facts.length - 1);
  for (const [i, { event, metadata }] of facts.entries())
    ports.rooms.applyOwn(key, first + BigInt(i), event, metadata, ports.clock.now());
};

const unwritten = (
  { ports }: Batch,
  decisions: readonly Decided[],
  facts: readonly Fact[],
  failure: AppendFailure,
): E.Either<Failure | Behind, Settlements> => {
  const seen = facts.every(({ id }) => ports.unknown.seen(id));
  for (const { id } of facts) ports.unknown.end(id);
  if (failure.kind === 'WrongExpectedRevision') return E.left(behind);
  if (failure.kind !== 'OutcomeUnknown') return E.left(failure);
  // Seen in the log already: nothing is unknown about it, and the subscription has applied it.
  if (seen) return E.right(settlementsOf(decisions));
  awaitOutcome(ports, decisions);
  return E.left(failure);
};

/** All or none of a batch is written: should its events turn up, each is announced. */
const awaitOutcome = (ports: CommandPorts, decisions: readonly Decided[]): void => {
  for (const { job, fact, settlement } of decisions) {
    if (fact === undefined) continue;
    ports.counters.unknownOutcomes += 1;
    ports.unknown.await(fact.id, () => ports.onWritten(fact.id, job, settlement.announcements));
  }
};
