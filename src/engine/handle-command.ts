import * as E from 'fp-ts/lib/Either.js';
import type { ExpectedRevision } from '../ports/event-store.ts';
import type { Ids } from '../ports/ids.ts';
import { requestKey } from '../read-models/recent-requests.ts';
import type { RoomKey } from '../room/address.ts';
import { type Announcement, announce } from '../room/announce.ts';
import type { RoomCommand } from '../room/commands.ts';
import { decide, type Policy } from '../room/decide.ts';
import type { RoomEvent } from '../room/events.ts';
import { applyInPlace, evolve } from '../room/fold.ts';
import type { EventMetadata } from '../room/metadata.ts';
import type { RoomState } from '../room/room.ts';
import { streamOf } from '../room/stream.ts';
import { eventTime } from '../room/time.ts';
import { type CatchUpPorts, catchUpRoom, isCurrent } from './catch-up.ts';
import type { Answer, Failure, Origin } from './conference.ts';
import { countAppend, type EngineCounters } from './counters.ts';
import { metadataOf } from './metadata.ts';
import type { UnknownOutcomes } from './unknown-outcomes.ts';

/** What must come out of a command besides its answer. */
export interface Outcome {
  readonly answer: Answer;
  /** To be sent after the answer. */
  readonly announcements: readonly Announcement[];
  /** Id of the command's event; undefined where nothing changed. */
  readonly eventId?: string;
  /** The log could not be asked whether this is the present state; it is as it was then (milliseconds since 1970). */
  readonly staleSince?: number;
}

/** A command on its way. */
export interface Job {
  readonly command: RoomCommand;
  readonly origin: Origin;
  /** Id of the event that led to this command; the request itself where there is none. */
  readonly causationId?: string;
  /** Called once, with all outcomes of a batch in the order of its jobs. */
  readonly settle: (outcome: Outcome) => void;
}

export interface CommandPorts extends CatchUpPorts {
  readonly ids: Ids;
  readonly policy: Policy;
  readonly startChar: string;
  /** This node's name in event metadata. */
  readonly node: string;
  readonly counters: EngineCounters;
  /** Since when the log is not followed; undefined while it is. */
  readonly lostSince: () => number | undefined;
  readonly unknown: UnknownOutcomes;
  /** An append of unknown outcome was written after all: its command was answered 500, and these are to be announced. */
  readonly onWritten: (eventId: string, job: Job, announcements: readonly Announcement[]) => void;
}

interface Fact {
  readonly id: string;
  readonly event: RoomEvent;
  readonly metadata: EventMetadata;
}

interface Decision {
  readonly job: Job;
  readonly outcome: Outcome;
  readonly fact?: Fact;
}

/** How often a batch is decided anew before it is given up. */
const mostTries = 16;

const done: Answer = { kind: 'done' };
const failed = (failure: Failure): Outcome => ({ answer: { kind: 'failed', failure }, announcements: [] });

/**
 * Works on a batch of commands for one room: decides each on the state that the ones before it leave behind, appends all
 * their events in one write with the expected revision, applies them, and settles the jobs. Where somebody was first, it
 * catches up and decides again.
 */
export const handleCommands =
  (ports: CommandPorts) =>
  async (key: RoomKey, jobs: readonly Job[]): Promise<void> => {
    const settleAll = (outcomes: readonly Outcome[]): void => {
      for (const [i, job] of jobs.entries()) job.settle(outcomes[i] ?? gone);
    };
    const failAll = (failure: Failure): void => settleAll(jobs.map(() => failed(failure)));

    for (let tries = 0; tries < mostTries; tries += 1) {
      const reason = ports.rooms.stopped(key);
      if (reason !== undefined) return failAll({ kind: 'RoomStopped', message: stoppedMessage(key, reason) });
      const decisions = decideBatch(ports, key, jobs);
      const facts = decisions.flatMap(({ fact }) => (fact === undefined ? [] : [fact]));
      const committed = facts.length === 0 ? await confirm(ports, key, decisions) : await append(ports, key, facts);
      if (E.isRight(committed)) {
        if (committed.right.kind === 'settled')
          return settleAll(committed.right.stale ?? decisions.map(({ outcome }) => outcome));
      } else {
        const failure = committed.left;
        if (failure.kind === 'OutcomeUnknown') awaitOutcome(ports, decisions);
        return failAll(failure);
      }
      ports.counters.retried += 1;
      const caughtUp = await catchUpRoom(ports)(key)();
      if (E.isLeft(caughtUp)) return failAll(caughtUp.left);
    }
    failAll({
      kind: 'Lagging',
      message: `room ${key} is so busy that this command lost ${mostTries} races for its place`,
    });
  };

const gone: Outcome = failed({ kind: 'Defect', message: 'a command was lost between its decision and its answer' });

const stoppedMessage = (key: RoomKey, reason: string): string =>
  `room ${key} is stopped on this node, which does not know all of its events (${reason}); upgrade this node, or use one that does`;

/** Either the outcomes stand as decided (or as `stale` says), or the room has moved on and all is to be decided again. */
type Committed = { readonly kind: 'settled'; readonly stale?: readonly Outcome[] } | { readonly kind: 'again' };

const decideBatch = (ports: CommandPorts, key: RoomKey, jobs: readonly Job[]): readonly Decision[] => {
  const time = eventTime(ports.clock.now());
  const inBatch = new Set<string>();
  let state: RoomState = ports.rooms.get(key);
  let owned = false;
  return jobs.map((job, index) => {
    const request = requestOf(job);
    if (request !== undefined && (inBatch.has(request) || ports.rooms.requests.has(request, ports.clock.now()))) {
      ports.counters.repeated += 1;
      return { job, outcome: { answer: done, announcements: [] } };
    }
    const decided = decide(ports.policy)(job.command)(state);
    if (E.isLeft(decided)) {
      return { job, outcome: { answer: { kind: 'refused', refusal: decided.left }, announcements: [] } };
    }
    const announcements = announce(state, job.command, decided.right, { startChar: ports.startChar });
    const [event] = decided.right;
    if (event === undefined) return { job, outcome: { answer: done, announcements } };
    if (request !== undefined) inBatch.add(request);
    if (index < jobs.length - 1) {
      state = owned ? applyInPlace(state, event, time) : evolve(state, event, time);
      owned = true;
    }
    const fact: Fact = {
      id: ports.ids.uuid(),
      event,
      metadata: metadataOf(job.origin, {
        type: event.type,
        actor: job.command.actor,
        node: ports.node,
        time,
        causationId: job.causationId,
      }),
    };
    return { job, outcome: { answer: done, announcements, eventId: fact.id }, fact };
  });
};

const requestOf = ({ command, origin }: Job): string | undefined =>
  origin.request === undefined
    ? undefined
    : requestKey(origin.request.callId, origin.request.cseq, origin.request.fromTag, command.actor);

/** Refusals and answers that change nothing are given only from a state that is the stream's last. */
const confirm = async (
  ports: CommandPorts,
  key: RoomKey,
  decisions: readonly Decision[],
): Promise<E.Either<Failure, Committed>> => {
  const current = await isCurrent(ports)(key);
  if (E.isRight(current)) return E.right(current.right ? { kind: 'settled' } : { kind: 'again' });
  // While the store is away a list is still a list: it says how old it is. Everything else is answered 500.
  const since = ports.lostSince() ?? ports.clock.now();
  const stale = decisions.map(({ job, outcome }) =>
    job.command.type === 'ListMembers' && outcome.answer.kind === 'done'
      ? { ...outcome, staleSince: since }
      : failed(current.left),
  );
  return E.right({ kind: 'settled', stale });
};

const append = async (
  ports: CommandPorts,
  key: RoomKey,
  facts: readonly Fact[],
): Promise<E.Either<Failure, Committed>> => {
  const known = ports.rooms.revision(key);
  const expected: ExpectedRevision = known ?? 'no_stream';
  const began = ports.clock.monotonic();
  const events = facts.map(({ id, event, metadata }) => ({ id, type: event.type, data: event.data, metadata }));
  for (const { id } of facts) ports.unknown.begin(id);
  const appended = await ports.store.append(streamOf(key), expected, events)();
  // Seen in the log already: nothing is unknown about it, and the subscription has applied it.
  const written = facts.every(({ id }) => ports.unknown.seen(id));
  for (const { id } of facts) ports.unknown.end(id);
  if (E.isLeft(appended)) {
    if (appended.left.kind === 'OutcomeUnknown' && written) return E.right({ kind: 'settled' });
    return appended.left.kind === 'WrongExpectedRevision' ? E.right({ kind: 'again' }) : E.left(appended.left);
  }
  countAppend(ports.counters, (ports.clock.monotonic() - began) / 1000);
  // Not `known + 1`: a stream that was deleted in the store takes `no_stream` and goes on counting.
  const first = appended.right.revision - BigInt(facts.length - 1);
  facts.forEach(({ event, metadata }, i) => {
    ports.rooms.applyOwn(key, first + BigInt(i), event, metadata, ports.clock.now());
  });
  return E.right({ kind: 'settled' });
};

/** All or none of a batch is written: should its events turn up, each is announced. */
const awaitOutcome = (ports: CommandPorts, decisions: readonly Decision[]): void => {
  for (const { job, fact, outcome } of decisions) {
    if (fact === undefined) continue;
    ports.counters.unknownOutcomes += 1;
    ports.unknown.await(fact.id, () => ports.onWritten(fact.id, job, outcome.announcements));
  }
};
