import { setImmediate } from 'node:timers/promises';
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Audit, EventStore, Position, StoredEvent, StoreFailure } from '../../ports/event-store.ts';
import { StoreError } from '../../ports/event-store.ts';
import type { Batch, Followers, ReadAfter } from '../followers.ts';
import { numberedPosition, positionNumber } from '../numbered-position.ts';
import { sqliteFailure } from './failure.ts';
import type { Pace, Reading } from './reading.ts';

/** Runs a read; what it throws becomes a `StoreError`. */
const guarded = <A>(file: string, read: () => A): A => {
  try {
    return read();
  } catch (cause) {
    throw new StoreError(sqliteFailure(file, 'read the log', cause));
  }
};

/** Pages of rooms' events for followers. */
export const pageAfter = (reading: Reading, file: string): ReadAfter => {
  const pace = reading.pace();
  return (place) => ({
    ...batchOf(guarded(file, () => reading.all(place, Number.MAX_SAFE_INTEGER, pace))),
    page: true,
  });
};

/** Events as followers take them, whose place is the number in a position. */
export const batchOf = (events: readonly StoredEvent[]): Batch => {
  const last = events.at(-1);
  return { events, last: last === undefined ? 0 : positionNumber(last.position), page: false };
};

interface ReadsOptions {
  readonly reading: Reading;
  readonly file: string;
  readonly identity: string;
  readonly followers: Followers;
  /** Lets go of the file; no read comes after it. */
  readonly letGo: () => Promise<void>;
}

/** All of a store but its appends. */
export const createReads = (
  options: ReadsOptions,
): Omit<EventStore, 'append' | 'shared' | 'audit'> & { readonly audit: Audit } => {
  const { reading, file, identity, followers } = options;
  const closed: StoreFailure = { kind: 'StoreClosed', message: `the log ${file} is closed` };
  let closing: Promise<void> | undefined;

  const readNow = <A>(read: () => A): A => {
    if (closing !== undefined) throw new StoreError(closed);
    return guarded(file, read);
  };
  const task =
    <A>(read: () => A): TaskEither<StoreFailure, A> =>
    () =>
      Promise.resolve(
        E.tryCatch(
          () => readNow(read),
          (cause) => sqliteFailure(file, 'read the log', cause),
        ),
      );
  const placeOf = (position: Position | undefined): number => (position === undefined ? 0 : positionNumber(position));
  /** A position that the log has reached: one beyond its end would wait in silence, and miss what comes until then. */
  const placeInLog = (position: Position | undefined): number => {
    const place = placeOf(position);
    const end = place === 0 ? 0 : reading.end();
    if (place <= end) return place;
    throw new StoreError({
      kind: 'StoreRefused',
      message: `position ${position} is beyond the end of the log ${file} (${numberedPosition(end)}): was an older copy of it restored? What was derived from the newer one has to be made anew`,
    });
  };
  const positionOrNone = (position: number): Position | undefined =>
    position === 0 ? undefined : numberedPosition(position);

  /** Pages until an empty one; the event loop gets its turn between them. */
  async function* pages(
    after: number,
    read: (after: number, pace: Pace) => readonly StoredEvent[],
  ): AsyncGenerator<StoredEvent, void, undefined> {
    const pace = reading.pace();
    for (let place = after; ; ) {
      const from = place;
      const events = readNow(() => read(from, pace));
      const last = events.at(-1);
      if (last === undefined) return;
      yield* events;
      place = positionNumber(last.position);
      await setImmediate();
    }
  }

  return {
    identity: task(() => identity),
    readStream: async function* (stream, { from, direction = 'forwards', limit = Number.MAX_SAFE_INTEGER } = {}) {
      const backwards = direction === 'backwards';
      const pace = reading.pace();
      let start = from === undefined ? (backwards ? Number.MAX_SAFE_INTEGER : 0) : Number(from);
      let left = limit;
      while (left > 0) {
        const [place, most] = [start, left];
        const events = readNow(() => reading.stream(stream, place, backwards, most, pace));
        const last = events.at(-1);
        if (last === undefined) return;
        yield* events;
        left -= events.length;
        start = Number(last.revision) + (backwards ? -1 : 1);
        if (left > 0) await setImmediate();
      }
    },
    lastRevision: (stream) =>
      task(() => {
        const revision = reading.lastRevision(stream);
        return revision === undefined ? undefined : BigInt(revision);
      }),
    readAll: async function* (after) {
      const until = readNow(reading.endOfRooms);
      yield* pages(placeOf(after), (place, pace) => reading.all(place, until, pace));
    },
    subscribe: (after, subscriber) => {
      const place = E.tryCatch(
        () => readNow(() => placeInLog(after)),
        (cause) => sqliteFailure(file, 'follow the log', cause),
      );
      if (E.isRight(place)) return followers.subscribe(place.right, subscriber);
      let stopped = false;
      queueMicrotask(() => {
        if (!stopped) subscriber.onStopped(place.left);
      });
      return {
        stop: () => {
          stopped = true;
        },
      };
    },
    comparePositions: (a, b) => positionNumber(a) - positionNumber(b),
    end: task(() => positionOrNone(reading.end())),
    audit: {
      eventsOfUser: (key, after) => pages(placeOf(after), (place, pace) => reading.ofUser(key, place, pace)),
      positionAt: (time) => task(() => positionOrNone(reading.positionAt(time))),
    },
    close: () => {
      closing ??= (async () => {
        followers.end(closed);
        await options.letGo();
      })();
      return closing;
    },
  };
};
