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

/** Events of one page: enough that the round trip does not count, few enough for a slow consumer to hold. */
const pageSize = 500;
/** About 99 open reads and subscriptions fill the HTTP/2 connection, and everything after them hangs in silence. */
const mostOpen = 16;
const mostWaitingReads = 10_000;

/** Streams that are read at once are bounded; the others wait their turn. */
export const createTurns = (most: number, mostWaiting: number) => {
  let open = 0;
  const waiting: (() => void)[] = [];
  return {
    take: async <A>(work: () => Promise<A>): Promise<A> => {
      if (open >= most) {
        if (waiting.length >= mostWaiting) {
          throw new StoreError({
            kind: 'StoreUnavailable',
            message: `more than ${mostWaiting} reads wait for EventStoreDB`,
          });
        }
        await new Promise<void>((resolve) => waiting.push(resolve));
      } else open += 1;
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) open -= 1;
        else next();
      }
    },
  };
};

const unavailable = (connection: EventStoreConnection): StoreFailure => {
  const status = connection.status();
  if (status.kind === 'closed') return { kind: 'StoreClosed', message: 'the store is closed' };
  return {
    kind: 'StoreUnavailable',
    message: status.kind === 'away' ? status.reason : 'EventStoreDB is not connected',
  };
};

/** Does one read on the client of now. Throws `StoreError`. */
type Read = <A>(work: (wire: Wire) => Promise<A>) => Promise<A>;

/** Reads in turns, each counted. A lost connection is told; a new leader is asked at once. */
const readsOn = (connection: EventStoreConnection, counters: StoreCounters): Read => {
  const turns = createTurns(mostOpen, mostWaitingReads);
  const readNow: Read = async (work) => {
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
  };
  return async (work) => {
    counters.operations.reads += 1;
    try {
      return await turns.take(() => readNow(work));
    } catch (cause) {
      if (cause instanceof StoreError) countFailure(counters, cause.failure);
      throw cause;
    }
  };
};

/** All reads but the subscriptions: pages, so that a slow consumer never holds a stream open at the server. */
export const createPagedReads = (connection: EventStoreConnection, counters: StoreCounters) => {
  const read = readsOn(connection, counters);

  const readStream = async function* (stream: string, range: ReadRange = {}): AsyncIterable<StoredEvent> {
    const { direction = 'forwards', limit = Number.POSITIVE_INFINITY } = range;
    let from: bigint | 'start' | 'end' = range.from ?? (direction === 'forwards' ? 'start' : 'end');
    let left = limit;
    while (left > 0) {
      const count = Math.min(pageSize, left);
      const page: StreamPage = { from, direction, count };
      const events: readonly StoredEvent[] = await read((wire) => wire.readStream(stream, page));
      yield* events;
      const last = events.at(-1);
      if (last === undefined || events.length < count) return;
      left -= events.length;
      if (direction === 'backwards' && last.revision === 0n) return;
      from = direction === 'forwards' ? last.revision + 1n : last.revision - 1n;
    }
  };

  const lastRevision = async (stream: string): Promise<bigint | undefined> => {
    const [last] = await read((wire) => wire.readStream(stream, { from: 'end', direction: 'backwards', count: 1 }));
    return last?.revision;
  };

  let lastSeen: Position | undefined;

  /**
   * Position of the last event of a room. Only subscriptions filter, so this reads backwards from the end until it meets a
   * room's event, or the one found the time before.
   */
  const end = async (): Promise<Position | undefined> => {
    let before: Position | undefined;
    for (;;) {
      const page: readonly StoredEvent[] = await read((wire) => wire.readBackwards(before, pageSize));
      for (const { stream, position } of page) {
        const known: Position | undefined = lastSeen;
        if (known !== undefined && comparePositions(position, known) <= 0) return known;
        if (categoryOf(stream) !== 'room') continue;
        lastSeen = position;
        return position;
      }
      const last: StoredEvent | undefined = page.at(-1);
      if (last === undefined || page.length < pageSize) return undefined;
      before = last.position;
    }
  };

  return { readStream, lastRevision, end };
};
