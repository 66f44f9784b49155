import { setImmediate } from 'node:timers/promises';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import {
  type Audit,
  type EventStore,
  type Position,
  type ReadRange,
  type StoredEvent,
  StoreError,
  type StoreFailure,
  type Subscriber,
  type Subscription,
} from '../../ports/event-store.ts';
import { countFailure, type StoreCounters } from '../counters.ts';
import type { Batch, Followers, ReadAfter } from '../followers.ts';
import { numberedPosition, positionNumber } from '../numbered-position.ts';
import { sqliteFailure } from './failure.ts';
import type { LogFile } from './log-file.ts';
import { PageSize } from './page-size.ts';

/**
 * The port over a log's file, all of it but appends: what the writing process and a reader beside it have in common.
 * Numbers become positions here, pages become iterations, and what SQLite throws becomes a failure.
 */

export type LogReads = Omit<EventStore, 'append' | 'shared' | 'audit'> & { readonly audit: Audit };

export interface LogReadsOptions {
  readonly log: LogFile;
  readonly file: string;
  readonly identity: string;
  readonly followers: Followers;
  readonly counters: StoreCounters;
  /** Lets go of the file; no read comes after it. */
  readonly letGo: () => Promise<void>;
}

export const createLogReads = (options: LogReadsOptions): LogReads => {
  const { log, file, identity, followers, counters, letGo } = options;
  const closed: StoreFailure = { kind: 'StoreClosed', message: `the log ${file} is closed` };
  let closing: Promise<void> | undefined;
  const read: Read = (work) => {
    counters.operations.reads += 1;
    try {
      if (closing !== undefined) throw new StoreError(closed);
      return guarded(file, work);
    } catch (cause) {
      if (cause instanceof StoreError) countFailure(counters, cause.failure);
      throw cause;
    }
  };
  const task = <A>(work: () => A): TE.TaskEither<StoreFailure, A> =>
    TE.tryCatch(
      async () => read(work),
      (cause) => sqliteFailure(file, 'read the log', cause),
    );

  return {
    identity: task(() => identity),
    readStream: (stream, range) => streamPages(read, log, stream, range),
    lastRevision: (stream) =>
      task(() => {
        const revision = log.lastRevision(stream);
        return revision === undefined ? undefined : BigInt(revision);
      }),
    readAll: async function* (after) {
      const until = read(() => log.endOfRooms());
      yield* pagesAfter(read, after, (place, size) => log.rooms(place, until, size));
    },
    subscribe: (after, subscriber) => {
      counters.operations.subscriptions += 1;
      return pipe(
        E.tryCatch(
          () => read(() => placeInLog(log, file, after)),
          (cause) => sqliteFailure(file, 'follow the log', cause),
        ),
        E.match(
          (failure) => ended(subscriber, failure),
          (place) => followers.subscribe(place, subscriber),
        ),
      );
    },
    comparePositions: (a, b) => positionNumber(a) - positionNumber(b),
    end: task(() => positionOrNone(log.end())),
    audit: {
      eventsOfUser: (key, after) => pagesAfter(read, after, (place, size) => log.ofUser(key, place, size)),
      positionAt: (time) => task(() => positionOrNone(log.positionAt(time))),
    },
    close: () => {
      closing ??= (async () => {
        followers.end(closed);
        await letGo();
      })();
      return closing;
    },
  };
};

/** Pages of rooms' events for followers, which count what fails. */
export const pageAfter = (log: LogFile, file: string, { operations }: StoreCounters): ReadAfter => {
  const size = new PageSize();
  return (place) => {
    operations.reads += 1;
    return { ...batchOf(guarded(file, () => log.rooms(place, Number.MAX_SAFE_INTEGER, size))), page: true };
  };
};

/** Events as followers take them, whose place is the number in a position. */
export const batchOf = (events: readonly StoredEvent[]): Batch => {
  const last = events.at(-1);
  return { events, last: last === undefined ? 0 : positionNumber(last.position), page: false };
};

/** Runs a read of the file. Throws `StoreError`. */
type Read = <A>(work: () => A) => A;

const guarded = <A>(file: string, work: () => A): A => {
  try {
    return work();
  } catch (cause) {
    throw new StoreError(sqliteFailure(file, 'read the log', cause));
  }
};

/** Pages after a position until an empty one; the event loop gets its turn between them. */
async function* pagesAfter(
  read: Read,
  after: Position | undefined,
  page: (after: number, size: PageSize) => readonly StoredEvent[],
): AsyncGenerator<StoredEvent, void, undefined> {
  const size = new PageSize();
  for (let place = placeOf(after); ; ) {
    const from = place;
    const events = read(() => page(from, size));
    const last = events.at(-1);
    if (last === undefined) return;
    yield* events;
    place = positionNumber(last.position);
    await setImmediate();
  }
}

/** A stream's events by pages, as `pagesAfter`. */
async function* streamPages(
  read: Read,
  log: LogFile,
  stream: string,
  { from, direction = 'forwards', limit = Number.MAX_SAFE_INTEGER }: ReadRange = {},
): AsyncGenerator<StoredEvent, void, undefined> {
  const size = new PageSize();
  const [first, step] = direction === 'forwards' ? [0, 1] : [Number.MAX_SAFE_INTEGER, -1];
  let start = from === undefined ? first : Number(from);
  let left = limit;
  while (left > 0) {
    const [place, most] = [start, left];
    const events = read(() => log.stream(stream, place, direction, most, size));
    const last = events.at(-1);
    if (last === undefined) return;
    yield* events;
    left -= events.length;
    start = Number(last.revision) + step;
    if (left > 0) await setImmediate();
  }
}

const placeOf = (position: Position | undefined): number => (position === undefined ? 0 : positionNumber(position));

const positionOrNone = (place: number): Position | undefined => (place === 0 ? undefined : numberedPosition(place));

/** A position that the log has reached: one beyond its end would wait in silence, and miss what comes until then. */
const placeInLog = (log: LogFile, file: string, position: Position | undefined): number => {
  const place = placeOf(position);
  const end = place === 0 ? 0 : log.end();
  if (place <= end) return place;
  throw new StoreError({
    kind: 'StoreRefused',
    message: `position ${position} is beyond the end of the log ${file} (${numberedPosition(end)}): was an older copy of it restored? What was derived from the newer one has to be made anew`,
  });
};

/** A subscription that ends before it has begun. */
const ended = (subscriber: Subscriber, failure: StoreFailure): Subscription => {
  let stopped = false;
  queueMicrotask(() => {
    if (!stopped) subscriber.onStopped(failure);
  });
  return {
    stop: () => {
      stopped = true;
    },
  };
};
