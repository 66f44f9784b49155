import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type {
  Appended,
  AppendFailure,
  EventStore,
  ExpectedRevision,
  NewEvent,
  Position,
  ReadRange,
  StoredEvent,
  StoreFailure,
  Subscriber,
  Subscription,
} from '../ports/event-store.ts';
import { StoreError } from '../ports/event-store.ts';
import type { Ids } from '../ports/ids.ts';
import { encodeEvents } from './encode.ts';

const batchSize = 1_000;
const closed: StoreFailure = { kind: 'StoreClosed', message: 'the log in memory is closed' };
const width = 16;
const positionOf = (index: number): Position => String(index).padStart(width, '0') as Position;

/** A log in memory (`store_url: memory:`), gone with the process: for trying out, and for tests. */
export const createMemoryStore = (ids: Pick<Ids, 'uuid'>): EventStore => {
  const identity = ids.uuid();
  const log: StoredEvent[] = [];
  const rooms: StoredEvent[] = [];
  const streams = new Map<string, StoredEvent[]>();
  const byId = new Map<string, StoredEvent>();
  const live = new Set<() => void>();
  let open = true;

  const endOf = (stream: string): ExpectedRevision => {
    const events = streams.get(stream);
    return events === undefined ? 'no_stream' : BigInt(events.length - 1);
  };

  const write = (
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ): E.Either<AppendFailure, Appended> => {
    if (!open) return E.left(closed);
    const refuse = (message: string): E.Either<AppendFailure, Appended> => E.left({ kind: 'StoreRefused', message });
    const encoded = encodeEvents(stream, events);
    if (E.isLeft(encoded)) return encoded;
    const actual = endOf(stream);
    const known = encoded.right.map(({ id }) => byId.get(id));
    if (known.some((one) => one !== undefined)) {
      const first = (expected === 'no_stream' ? -1n : expected) + 1n;
      const same = known.every((one, i) => one?.stream === stream && one.revision === first + BigInt(i));
      const last = known.at(-1);
      if (same && last !== undefined) return E.right({ revision: last.revision, position: last.position });
      return actual === expected
        ? refuse(`an event id of this append to ${stream} is used for another event already`)
        : E.left({ kind: 'WrongExpectedRevision', stream, expected, actual });
    }
    if (actual !== expected) return E.left({ kind: 'WrongExpectedRevision', stream, expected, actual });
    const place = streams.get(stream) ?? [];
    streams.set(stream, place);
    for (const { id, type, data, metadata, time } of encoded.right) {
      const stored: StoredEvent = {
        id,
        stream,
        revision: BigInt(place.length),
        position: positionOf(log.length),
        type,
        time,
        data: JSON.parse(data),
        metadata: JSON.parse(metadata),
      };
      place.push(stored);
      log.push(stored);
      if (stream.startsWith('room-')) rooms.push(stored);
      byId.set(id, stored);
    }
    for (const wake of [...live]) wake();
    return E.right({ revision: BigInt(place.length - 1), position: positionOf(log.length - 1) });
  };

  const whileOpen =
    <A>(value: () => A): TaskEither<StoreFailure, A> =>
    () =>
      Promise.resolve(open ? E.right(value()) : E.left(closed));

  /** Index in `rooms` of the first event after a position. */
  const indexAfter = (after: Position | undefined): number => {
    if (after === undefined) return 0;
    let low = 0;
    let high = rooms.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((rooms[middle]?.position ?? '') <= after) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  const subscribe = (after: Position | undefined, subscriber: Subscriber): Subscription => {
    let next = indexAfter(after);
    let stopped = false;
    let running = false;
    const end = (failure: StoreFailure): void => {
      if (stopped) return;
      stop();
      subscriber.onStopped(failure);
    };
    const run = async (): Promise<void> => {
      running = true;
      try {
        let news = true;
        while (!stopped) {
          if (!open) return end(closed);
          const batch = rooms.slice(next, next + batchSize);
          if (batch.length === 0) {
            if (news) subscriber.onCaughtUp?.();
            break;
          }
          news = true;
          next += batch.length;
          await subscriber.onEvents(batch);
        }
      } catch (cause) {
        const message = `a consumer of the log broke: ${cause instanceof Error ? cause.message : String(cause)}`;
        end({ kind: 'StoreUnavailable', message, cause });
      } finally {
        running = false;
        if (!stopped && (!open || next < rooms.length)) wake();
      }
    };
    const wake = (): void => {
      if (running || stopped) return;
      running = true;
      queueMicrotask(() => void run());
    };
    const stop = (): void => {
      stopped = true;
      live.delete(wake);
    };
    live.add(wake);
    wake();
    return { stop };
  };

  return {
    shared: false,
    identity: whileOpen(() => identity),
    append: (stream, expected, events) => () => Promise.resolve(write(stream, expected, events)),
    readStream: async function* (
      stream,
      { from, direction = 'forwards', limit = Number.POSITIVE_INFINITY }: ReadRange = {},
    ) {
      if (!open) throw new StoreError(closed);
      const events = streams.get(stream) ?? [];
      const step = direction === 'forwards' ? 1 : -1;
      const start =
        from === undefined
          ? step === 1
            ? 0
            : events.length - 1
          : Math.min(Number(from), step === 1 ? Number.MAX_SAFE_INTEGER : events.length - 1);
      for (let i = start, n = 0; n < limit; i += step, n += 1) {
        const event = events[i];
        if (event === undefined) return;
        yield event;
      }
    },
    lastRevision: (stream) =>
      whileOpen(() => {
        const end = endOf(stream);
        return end === 'no_stream' ? undefined : end;
      }),
    readAll: async function* (after) {
      if (!open) throw new StoreError(closed);
      const until = rooms.length;
      for (const event of rooms.slice(indexAfter(after), until)) yield event;
    },
    subscribe,
    comparePositions: (a, b) => (a < b ? -1 : a > b ? 1 : 0),
    end: whileOpen(() => log.at(-1)?.position),
    close: () => {
      open = false;
      for (const wake of [...live]) wake();
      return Promise.resolve();
    },
  };
};
