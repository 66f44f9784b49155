import {
  type Position,
  type ReadRange,
  type StoredEvent,
  StoreError,
  type StoreFailure,
} from '../../ports/event-store.ts';
import { categoryOf } from '../../room/stream.ts';
import { countFailure, type StoreCounters } from '../counters.ts';
import type { EventStoreConnection } from './connection.ts';
import { readFailure, troubleOf } from './failures.ts';
import { comparePositions, type StreamPage, type Wire } from './wire.ts';

/**
 * Reads of single streams and of the log's end: by pages, in turns, on whatever client there is.
 * Says to the connection when a read finds it lost.
 */

/** Events of one page: enough that the round trip does not count, few enough for a slow consumer to hold. */
const pageSize = 500;
/** About 99 open reads and subscriptions fill the HTTP/2 connection, and everything after them hangs in silence. */
const mostOpen = 16;
const mostWaitingReads = 10_000;

/**
 * All reads but the subscriptions: by pages, so that a slow consumer never holds a stream open at the server.
 * Each page is one read on the client of now. Everything throws `StoreError`.
 */
export class PagedReads {
  readonly #connection: EventStoreConnection;
  readonly #counters: StoreCounters;
  readonly #turns = new Turns();
  /** Position of a room's event, the last one when it was looked for. */
  #lastSeen: Position | undefined;

  constructor(connection: EventStoreConnection, counters: StoreCounters) {
    this.#connection = connection;
    this.#counters = counters;
  }

  /** As `EventStore.readStream`. */
  async *stream(stream: string, range: ReadRange = {}): AsyncGenerator<StoredEvent, void, undefined> {
    const { direction = 'forwards', limit = Number.POSITIVE_INFINITY } = range;
    let from: StreamPage['from'] = range.from ?? (direction === 'forwards' ? 'start' : 'end');
    let left = limit;
    while (left > 0) {
      const page: StreamPage = { from, direction, count: Math.min(pageSize, left) };
      const events = await this.#read((wire) => wire.readStream(stream, page));
      yield* events;
      const last = events.at(-1);
      if (last === undefined || events.length < page.count) return;
      left -= events.length;
      if (direction === 'backwards' && last.revision === 0n) return;
      from = direction === 'forwards' ? last.revision + 1n : last.revision - 1n;
    }
  }

  async lastRevision(stream: string): Promise<bigint | undefined> {
    const page: StreamPage = { from: 'end', direction: 'backwards', count: 1 };
    const [last] = await this.#read((wire) => wire.readStream(stream, page));
    return last?.revision;
  }

  /**
   * Position of the last event of a room. Only subscriptions filter, so this reads backwards from the end until it meets a
   * room's event, or the one found the time before.
   */
  async end(): Promise<Position | undefined> {
    let before: Position | undefined;
    for (;;) {
      const from = before;
      const page = await this.#read((wire) => wire.readBackwards(from, pageSize));
      for (const { stream, position } of page) {
        const known = this.#lastSeen;
        if (known !== undefined && comparePositions(position, known) <= 0) return known;
        if (categoryOf(stream) !== 'room') continue;
        this.#lastSeen = position;
        return position;
      }
      const last = page.at(-1);
      if (last === undefined || page.length < pageSize) return undefined;
      before = last.position;
    }
  }

  async #read<A>(work: (wire: Wire) => Promise<A>): Promise<A> {
    this.#counters.operations.reads += 1;
    try {
      return await this.#turns.take(() => this.#readNow(work));
    } catch (cause) {
      if (cause instanceof StoreError) countFailure(this.#counters, cause.failure);
      throw cause;
    }
  }

  /** A lost connection is told; a new leader is asked at once. */
  async #readNow<A>(work: (wire: Wire) => Promise<A>): Promise<A> {
    const connection = this.#connection;
    for (let tries = 0; ; tries += 1) {
      const wire = connection.wire();
      const generation = connection.generation();
      if (wire === undefined) throw new StoreError(unavailable(connection));
      try {
        return await work(wire);
      } catch (cause) {
        if (connection.status().kind === 'closed') throw new StoreError(unavailable(connection));
        const trouble = troubleOf(cause);
        if (trouble.kind === 'not-leader' && tries === 0) continue;
        if (trouble.kind === 'lost' || trouble.kind === 'not-now') connection.lost(generation, cause);
        throw new StoreError(readFailure(cause));
      }
    }
  }
}

/** Pages that are read at once are bounded; the others wait their turn. */
class Turns {
  #open = 0;
  readonly #waiting: (() => void)[] = [];

  async take<A>(work: () => Promise<A>): Promise<A> {
    if (this.#open < mostOpen) this.#open += 1;
    else await this.#turn();
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#open -= 1;
      else next();
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length < mostWaitingReads) return new Promise((resolve) => this.#waiting.push(resolve));
    const message = `more than ${mostWaitingReads} reads wait for EventStoreDB`;
    throw new StoreError({ kind: 'StoreUnavailable', message });
  }
}

const unavailable = (connection: EventStoreConnection): StoreFailure => {
  const status = connection.status();
  if (status.kind === 'closed') return { kind: 'StoreClosed', message: 'the store is closed' };
  return {
    kind: 'StoreUnavailable',
    message: status.kind === 'away' ? status.reason : 'EventStoreDB is not connected',
  };
};
