import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { Clock } from '../ports/clock.ts';
import type { Ids } from '../ports/ids.ts';
import { requestKey } from '../read-models/recent-requests.ts';
import type { Rooms } from '../read-models/rooms.ts';
import type { RoomKey } from '../room/address.ts';
import { type Announcement, announce } from '../room/announce.ts';
import type { RoomCommand } from '../room/commands.ts';
import { decide, type Policy } from '../room/decide.ts';
import type { RoomEvent } from '../room/events.ts';
import { applyInPlace, evolve } from '../room/fold.ts';
import type { EventMetadata } from '../room/metadata.ts';
import type { RoomState } from '../room/room.ts';
import { eventTime } from '../room/time.ts';
import { type Answer, done, type Origin, refused } from './conference.ts';
import type { EngineCounters } from './counters.ts';
import { metadataOf } from './metadata.ts';

/** A command on its way. */
export interface Job {
  readonly command: RoomCommand;
  readonly origin: Origin;
  /** Id of the event that led to this command; the request itself where there is none. */
  readonly causationId?: string;
  /** Called once, in the order of the batch's jobs. */
  readonly settle: (settlement: Settlement) => void;
}

/** How a command ended, and what must come out of it besides its answer. */
export interface Settlement {
  readonly answer: Answer;
  /** To be sent after the answer. */
  readonly announcements: readonly Announcement[];
  /** Id of the command's event; undefined where nothing changed. */
  readonly eventId?: string;
  /** The log could not be asked whether this is the present state; it is as it was then (milliseconds since 1970). */
  readonly staleSince?: number;
}

/** A command's event, ready to be written. */
export interface Fact {
  readonly id: string;
  readonly event: RoomEvent;
  readonly metadata: EventMetadata;
}

/** A command, how it will end if its fact (where it has one) is written, and the fact. */
export interface Decided {
  readonly job: Job;
  readonly settlement: Settlement;
  readonly fact?: Fact;
}

export interface DecidePorts {
  readonly rooms: Rooms;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly policy: Policy;
  readonly startChar: string;
  /** This node's name in event metadata. */
  readonly node: string;
  readonly counters: EngineCounters;
}

/** Of an answer that tells nobody anything, if nothing else is said. */
export const settledWith = (answer: Answer, announcements: readonly Announcement[] = []): Settlement => ({
  answer,
  announcements,
});

/** Decides each command on the state that the ones before it leave behind (docs/decisions/0002). Applies nothing to the rooms. */
export const decideBatch = (ports: DecidePorts, key: RoomKey, jobs: readonly Job[]): readonly Decided[] => {
  const time = eventTime(ports.clock.now());
  const batch: Deciding = { time, state: ports.rooms.get(key), owned: false, requests: new Set() };
  return jobs.map((job, index) => decideNext(ports, batch, job, index === jobs.length - 1));
};

/** A batch half decided. */
interface Deciding {
  /** Of all its events: RFC 3339, UTC, milliseconds. */
  readonly time: string;
  /** The room as the commands so far leave it. */
  state: RoomState;
  /** Whether `state` is a copy of our own; the first one belongs to the rooms. */
  owned: boolean;
  /** Requests whose commands have an event in this batch. */
  readonly requests: Set<string>;
}

const decideNext = (ports: DecidePorts, batch: Deciding, job: Job, last: boolean): Decided => {
  const request = requestKeyOf(job);
  if (request !== undefined && isRepeated(ports, batch, request)) {
    ports.counters.repeated += 1;
    return { job, settlement: settledWith(done) };
  }
  return pipe(
    batch.state,
    decide(ports.policy)(job.command),
    E.match(
      (refusal): Decided => ({ job, settlement: settledWith(refused(refusal)) }),
      (change) => {
        const announcements = announce(batch.state, job.command, change, ports);
        const [event] = change;
        if (event === undefined) return { job, settlement: settledWith(done, announcements) };
        if (request !== undefined) batch.requests.add(request);
        if (!last) advance(batch, event);
        const fact = factOf(ports, batch, job, event);
        return { job, settlement: { ...settledWith(done, announcements), eventId: fact.id }, fact };
      },
    ),
  );
};

const requestKeyOf = ({ command, origin }: Job): string | undefined =>
  origin.request === undefined
    ? undefined
    : requestKey(origin.request.callId, origin.request.cseq, origin.request.fromTag, command.actor);

/** Whether the request's command was executed before: by an event of this batch, or of the last 64 s. */
const isRepeated = ({ rooms, clock }: DecidePorts, { requests }: Deciding, request: string): boolean =>
  requests.has(request) || rooms.requests.has(request, clock.now());

const advance = (batch: Deciding, event: RoomEvent): void => {
  batch.state = (batch.owned ? applyInPlace : evolve)(batch.state, event, batch.time);
  batch.owned = true;
};

const factOf = ({ ids, node }: DecidePorts, { time }: Deciding, job: Job, event: RoomEvent): Fact => {
  const { command, origin, causationId } = job;
  const parts = { type: event.type, actor: command.actor, node, time, causationId };
  return { id: ids.uuid(), event, metadata: metadataOf(origin, parts) };
};
