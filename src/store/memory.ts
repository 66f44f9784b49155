import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import {
  type Appended,
  type AppendFailure,
  type EventStore,
  type ExpectedRevision,
  type NewEvent,
  type Position,
  type ReadRange,
  type StoredEvent,
  StoreError,
  type StoreFailure,
} from '../ports/event-store.ts';
import type { Ids } from '../ports/ids.ts';
import { categoryOf } from '../room/stream.ts';
import { countFailure, countOutcome, newStoreCounters, type StoreCounters } from './counters.ts';
import { type EncodedEvent, encodeEvents } from './encode.ts';
import { type Batch, createFollowers } from './followers.ts';
import type { CountedStore } from './metrics.ts';
import { numberedPosition } from './numbered-position.ts';

/**
 * The log in memory (`store_url: memory:`), gone with the process: for trying out, and for tests.
 * It keeps the contract of the others to the letter, JSON round trip included.
 */

const mostInBatch = 1_000;
const closed: StoreFailure = { kind: 'StoreClosed', message: 'the log in memory is closed' };

/** Opens an empty log. */
export const createMemoryStore = (ids: Pick<Ids, 'uuid'>): EventStore & CountedStore => {
  const identity = ids.uuid();
  const counters = newStoreCounters();
  const { operations } = counters;
  const log = new MemoryLog(counters);
  const followers = createFollowers((place) => log.batchAfter(place), counters);
  const task =
    <A>(read: () => A): TaskEither<StoreFailure, A> =>
    async () => {
      operations.reads += 1;
      return log.open ? E.right(read()) : E.left(countFailure(counters, closed));
    };
  return {
    counters,
    pendingAppends: () => 0,
    shared: false,
    identity: task(() => identity),
    append: (stream, expected, events) => async () => {
      operations.appends += 1;
      const appended = log.append(stream, expected, events);
      followers.wake();
      return countOutcome(counters, appended);
    },
    readStream: async function* (stream, range) {
      yield* log.stream(stream, range);
    },
    lastRevision: (stream) => task(() => log.lastRevision(stream)),
    readAll: async function* (after) {
      yield* log.roomsAfter(after);
    },
    subscribe: (after, subscriber) => {
      operations.subscriptions += 1;
      return followers.subscribe(log.indexAfter(after), subscriber);
    },
    comparePositions: (a, b) => (a < b ? -1 : a > b ? 1 : 0),
    end: task(() => log.end()),
    close: async () => {
      log.open = false;
      followers.end(closed);
    },
  };
};

class MemoryLog {
  open = true;
  readonly #all: StoredEvent[] = [];
  /** Of `#all`, what subscriptions and `readAll` give. */
  readonly #rooms: StoredEvent[] = [];
  readonly #streams = new Map<string, StoredEvent[]>();
  readonly #byId = new Map<string, StoredEvent>();
  readonly #counters: StoreCounters;

  constructor(counters: StoreCounters) {
    this.#counters = counters;
  }

  append(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): E.Either<AppendFailure, Appended> {
    if (!this.open) return E.left(closed);
    const encoded = encodeEvents(stream, events);
    if (E.isLeft(encoded)) return encoded;
    if (encoded.right.some(({ id }) => this.#byId.has(id))) return this.#repeated(stream, expected, encoded.right);
    const actual = this.#endOf(stream);
    if (actual !== expected) return E.left({ kind: 'WrongExpectedRevision', stream, expected, actual });
    const written = encoded.right.map((event) => this.#write(stream, event));
    return E.right(placeOfLast(written));
  }

  /** Ids that are there already: the same append a second time, or another one that takes one of its ids. */
  #repeated(
    stream: string,
    expected: ExpectedRevision,
    events: readonly EncodedEvent[],
  ): E.Either<AppendFailure, Appended> {
    const known = events.map(({ id }) => this.#byId.get(id)).filter((one) => one !== undefined);
    const first = (expected === 'no_stream' ? -1n : expected) + 1n;
    const isSame =
      known.length === events.length &&
      known.every((one, i) => one.stream === stream && one.revision === first + BigInt(i));
    if (isSame) return E.right(placeOfLast(known));
    const actual = this.#endOf(stream);
    if (actual !== expected) return E.left({ kind: 'WrongExpectedRevision', stream, expected, actual });
    const message = `an event id of this append to ${stream} is used for another event already`;
    return E.left({ kind: 'StoreRefused', message });
  }

  #write(stream: string, { id, type, time, data, metadata }: EncodedEvent): StoredEvent {
    const events = this.#streams.get(stream) ?? [];
    const stored: StoredEvent = {
      id,
      stream,
      revision: BigInt(events.length),
      position: numberedPosition(this.#all.length),
      type,
      time,
      data: JSON.parse(data),
      metadata: JSON.parse(metadata),
    };
    events.push(stored);
    this.#streams.set(stream, events);
    this.#all.push(stored);
    if (categoryOf(stream) === 'room') this.#rooms.push(stored);
    this.#byId.set(id, stored);
    this.#counters.operations.events += 1;
    return stored;
  }

  #endOf(stream: string): ExpectedRevision {
    return this.lastRevision(stream) ?? 'no_stream';
  }

  lastRevision(stream: string): bigint | undefined {
    return this.#streams.get(stream)?.at(-1)?.revision;
  }

  end(): Position | undefined {
    return this.#all.at(-1)?.position;
  }

  *stream(
    stream: string,
    { from, direction = 'forwards', limit = Number.POSITIVE_INFINITY }: ReadRange = {},
  ): Iterable<StoredEvent> {
    this.#read();
    const events = this.#streams.get(stream) ?? [];
    const last = events.length - 1;
    const step = direction === 'forwards' ? 1 : -1;
    let place = step === 1 ? Number(from ?? 0) : Math.min(Number(from ?? last), last);
    for (let left = limit; left > 0; left -= 1, place += step) {
      const event = events[place];
      if (event === undefined) return;
      yield event;
    }
  }

  /** Rooms' events after a position, up to the end that the log has when the reading begins. */
  *roomsAfter(after: Position | undefined): Iterable<StoredEvent> {
    this.#read();
    yield* this.#rooms.slice(this.indexAfter(after));
  }

  /** For followers, whose place is the number of rooms' events before it. */
  batchAfter(place: number): Batch {
    this.#mustBeOpen();
    const events = this.#rooms.slice(place, place + mostInBatch);
    return { events, last: place + events.length, page: false };
  }

  /** How many of rooms' events stand at a position or before it. */
  indexAfter(after: Position | undefined): number {
    if (after === undefined) return 0;
    let low = 0;
    let high = this.#rooms.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#rooms[middle]?.position ?? '') <= after) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #read(): void {
    this.#counters.operations.reads += 1;
    if (!this.open) throw new StoreError(countFailure(this.#counters, closed));
  }

  #mustBeOpen(): void {
    if (!this.open) throw new StoreError(closed);
  }
}

const placeOfLast = (written: readonly StoredEvent[]): Appended => {
  const last = written.at(-1);
  if (last === undefined) throw new Error('an append holds at least one event');
  return { revision: last.revision, position: last.position };
};
