import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { backoff } from '../../bounds/backoff.ts';
import { waitAtMost } from '../../bounds/deadline.ts';
import type { Clock } from '../../ports/clock.ts';
import { type EventStore, StoreError, type StoreFailure } from '../../ports/event-store.ts';
import type { Ids } from '../../ports/ids.ts';
import type { Log } from '../../ports/log.ts';
import { type AppendCounters, createAppender } from './append.ts';
import { type Connection, type ConnectionStatus, createConnection, probeMs, tryAgain } from './connection.ts';
import { isPermanent, readFailure } from './failures.ts';
import { createFollows } from './follow.ts';
import { createIdentity } from './identity.ts';
import { Silence } from './reading.ts';
import { createReads } from './reads.ts';
import { checkVersion, connectionString, ignoresCredentials } from './url.ts';
import { comparePositions, type Wire } from './wire.ts';

export interface EventStoreDbOptions {
  /** `esdb://[USER[:PASSWORD]@]HOST[:PORT][,HOST...][?tls=false&...]`, `esdb+discover://...`, or the same as `kurrentdb`. */
  readonly url: string;
  /** Where the URL names a user and no password. */
  readonly password?: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** This node's name, shown in the server's list of connections. */
  readonly node?: string;
  /** Milliseconds; for tests that cannot wait. */
  readonly times?: Partial<Times>;
}

export interface Times {
  /** Until an append without an answer counts as unknown. */
  readonly appendMs: number;
  /** In which an unknown outcome is settled by reading and repeating; past it the append is `OutcomeUnknown`. */
  readonly settleMs: number;
  /** Until a read without an answer has failed. */
  readonly readMs: number;
  /** For which opening goes on trying a server that cannot be reached yet. */
  readonly openMs: number;
}

const usualTimes: Times = { appendMs: 3_000, settleMs: 2_000, readMs: 5_000, openMs: 10_000 };

/** An `EventStore` that says how its server is. */
export interface EventStoreDb extends EventStore {
  /** Whether the server is there; else since when not, and why: for /readyz. */
  readonly status: () => ConnectionStatus;
  /** How often the connection was lost. */
  readonly connectionsLost: () => number;
  readonly counters: Readonly<AppendCounters>;
}

/** What `eventstoredb.ts` gives: opens one client. Throws where the connection string cannot be read. */
type OpenWire = (options: {
  readonly url: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly readMs: number;
  readonly onBroken: (cause: unknown) => void;
}) => Wire;

/** See `openEventStoreDb`. */
export const openStore =
  (options: EventStoreDbOptions, openWire: OpenWire): TE.TaskEither<StoreFailure, EventStoreDb> =>
  async () => {
    const { clock, ids, log } = options;
    const url = connectionString(options.url, options.password, options.node);
    if (E.isLeft(url)) return url;
    if (ignoresCredentials(url.right))
      log.warn({}, 'store_url has a user and tls=false: EventStoreDB gets no credentials over plain text');
    const times = { ...usualTimes, ...options.times };
    const open = (onBroken: (cause: unknown) => void): Wire =>
      openWire({ url: url.right, clock, ids, readMs: times.readMs, onBroken });
    const server = await firstContact(open, options, times.openMs);
    if (E.isLeft(server)) return server;
    log.info({ version: server.right }, 'EventStoreDB answers');
    return E.right(createStore(createConnection({ open, clock, ids, log }), clock, ids, times));
  };

/** Asks for the version until somebody answers; each time over a client of its own, as a failed one remembers it for ever. */
const firstContact = async (
  open: (onBroken: (cause: unknown) => void) => Wire,
  { clock, ids, log }: EventStoreDbOptions,
  openMs: number,
): Promise<E.Either<StoreFailure, string>> => {
  const until = clock.monotonic() + openMs;
  for (let attempt = 0; ; attempt += 1) {
    let wire: Wire | undefined;
    try {
      wire = open(() => {});
      const version = checkVersion(await answered(clock, wire.version()));
      if (E.isRight(version)) await wire.probe(probeMs);
      return version;
    } catch (cause) {
      const failure = wire === undefined ? unreadable(cause) : readFailure(cause);
      if (failure.kind === 'StoreRefused' || isPermanent(cause)) return E.left({ ...failure, kind: 'StoreRefused' });
      if (clock.monotonic() >= until) return E.left(failure);
      if (attempt === 0) log.warn({}, `waiting for EventStoreDB: ${failure.message}`);
      await new Promise<void>((resolve) => void clock.after(backoff(tryAgain, attempt, ids.chance), resolve));
    } finally {
      void wire
        ?.dispose()
        .catch((cause: unknown) => log.debug({ cause: String(cause) }, 'a first contact ended badly'));
    }
  }
};

/** The client waits without end for a server that takes connections and says nothing. */
const answered = <A>(clock: Clock, answer: Promise<A>): Promise<A> =>
  waitAtMost(clock, probeMs, answer, () => {
    throw new Silence('it takes connections and does not answer');
  });

const unreadable = (cause: unknown): StoreFailure => ({
  kind: 'StoreRefused',
  message: `store_url cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
});

const createStore = (connection: Connection, clock: Clock, ids: Ids, times: Times): EventStoreDb => {
  const reads = createReads(connection);
  const { append, counters, idle } = createAppender({
    connection,
    clock,
    appendMs: times.appendMs,
    settleMs: times.settleMs,
    readAfter: (wire, stream, after, count) =>
      wire.readStream(stream, { from: after === 'no_stream' ? 'start' : after + 1n, direction: 'forwards', count }),
  });
  const attempt = <A>(work: () => Promise<A>): TE.TaskEither<StoreFailure, A> =>
    TE.tryCatch(work, (cause) => (cause instanceof StoreError ? cause.failure : readFailure(cause)));
  const follows = createFollows(connection, reads.end);
  const identity = createIdentity(reads.readStream, append, ids, clock);

  return {
    shared: true,
    identity: attempt(identity),
    append: (stream, expected, events) => () => append(stream, expected, events),
    readStream: reads.readStream,
    lastRevision: (stream) => attempt(() => reads.lastRevision(stream)),
    readAll: follows.readAll,
    subscribe: follows.subscribe,
    comparePositions,
    end: attempt(reads.end),
    close: async () => {
      await waitAtMost(clock, times.appendMs, idle(), () => {});
      await connection.close();
      follows.close();
    },
    status: connection.status,
    connectionsLost: connection.losses,
    counters,
  };
};
