import * as TE from 'fp-ts/lib/TaskEither.js';
import { waitAtMost } from '../../bounds/deadline.ts';
import type { Clock } from '../../ports/clock.ts';
import { type EventStore, type Position, StoreError, type StoreFailure } from '../../ports/event-store.ts';
import type { Ids } from '../../ports/ids.ts';
import type { CountedStore } from '../metrics.ts';
import { Appender } from './append.ts';
import type { ConnectionStatus, EventStoreConnection } from './connection.ts';
import type { EventStoreDbCounters } from './counters.ts';
import { readFailure } from './failures.ts';
import { createIdentity } from './identity.ts';
import { readAllBy } from './read-all.ts';
import { PagedReads } from './reads.ts';
import { Subscriptions } from './subscriptions.ts';
import { comparePositions } from './wire.ts';

/**
 * The port over one connection to EventStoreDB.
 * Puts appends, reads and subscriptions together; each of them tells the connection when it finds it lost.
 */

/** An `EventStore` that says how its server is. */
export interface EventStoreDb extends EventStore, CountedStore {
  /** Whether the server is there; else since when not, and why: for /readyz. */
  readonly status: () => ConnectionStatus;
  /** How often the connection was lost. */
  readonly connectionsLost: () => number;
  readonly counters: EventStoreDbCounters;
}

export interface StoreTimes {
  /** Milliseconds until an append without an answer counts as unknown. */
  readonly appendMs: number;
  /** In which an unknown outcome is settled by reading and repeating; past it the append is `OutcomeUnknown`. */
  readonly settleMs: number;
}

export const createEventStoreDb = (
  connection: EventStoreConnection,
  counters: EventStoreDbCounters,
  clock: Clock,
  ids: Pick<Ids, 'uuid'>,
  { appendMs, settleMs }: StoreTimes,
): EventStoreDb => {
  const reads = new PagedReads(connection, counters);
  const appender = new Appender({
    connection,
    clock,
    appendMs,
    settleMs,
    counters,
    readAfter: (wire, stream, after, count) =>
      wire.readStream(stream, { from: after === 'no_stream' ? 'start' : after + 1n, direction: 'forwards', count }),
  });
  const append: Appender['append'] = (stream, expected, events) => appender.append(stream, expected, events);
  const subscriptions = new Subscriptions(connection, counters);
  const subscribe: EventStore['subscribe'] = (after, subscriber) => subscriptions.subscribe(after, subscriber);
  const readStream: EventStore['readStream'] = (stream, range) => reads.stream(stream, range);
  const end = (): Promise<Position | undefined> => reads.end();
  const attempt = <A>(work: () => Promise<A>): TE.TaskEither<StoreFailure, A> =>
    TE.tryCatch(work, (cause) => (cause instanceof StoreError ? cause.failure : readFailure(cause)));

  return {
    shared: true,
    identity: attempt(createIdentity(readStream, append, ids, clock)),
    append: (stream, expected, events) => () => append(stream, expected, events),
    readStream,
    lastRevision: (stream) => attempt(() => reads.lastRevision(stream)),
    readAll: readAllBy(subscribe, end),
    subscribe,
    comparePositions,
    end: attempt(end),
    close: async () => {
      await waitAtMost(clock, appendMs, appender.idle(), () => {});
      await connection.close();
      subscriptions.close();
    },
    status: () => connection.status(),
    connectionsLost: () => connection.losses(),
    counters,
    pendingAppends: () => appender.pending,
  };
};
