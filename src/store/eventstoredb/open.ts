import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { backoff } from '../../bounds/backoff.ts';
import { waitAtMost } from '../../bounds/deadline.ts';
import type { Clock } from '../../ports/clock.ts';
import type { StoreFailure } from '../../ports/event-store.ts';
import type { Ids } from '../../ports/ids.ts';
import type { Log } from '../../ports/log.ts';
import { connectionString, type EventStoreDbAddress, supportedVersion } from './address.ts';
import { openWire } from './client.ts';
import { EventStoreConnection, probeMs, tryAgain } from './connection.ts';
import { newEventStoreDbCounters } from './counters.ts';
import { isPermanent, readFailure } from './failures.ts';
import { Silence } from './recorded.ts';
import { createEventStoreDb, type EventStoreDb, type StoreTimes } from './store.ts';
import type { Wire } from './wire.ts';

/**
 * Opens the log on EventStoreDB: makes the first contact, and hands over a store whose connection renews itself.
 * What is asked for here once is what can only be wrong from the start.
 */

export interface EventStoreDbOptions {
  readonly server: EventStoreDbAddress;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** This node's name, shown in the server's list of connections. */
  readonly node?: string;
  /** Milliseconds; for tests that cannot wait. */
  readonly times?: Partial<OpenTimes>;
}

interface OpenTimes extends StoreTimes {
  /** Until a read without an answer has failed. */
  readonly readMs: number;
  /** For which opening goes on trying a server that cannot be reached yet. */
  readonly openMs: number;
}

const usualTimes: OpenTimes = { appendMs: 3_000, settleMs: 2_000, readMs: 5_000, openMs: 10_000 };

/** Opens one client. Throws where the connection string cannot be read. */
type Open = (onBroken: (cause: unknown) => void) => Wire;

/**
 * Opens the log on EventStoreDB: waits for a server that cannot be reached yet, and refuses one that is too old, is something
 * else, does not let the user in, or needs another `tls=`. `StoreRefused`: trying again changes nothing.
 */
export const openEventStoreDb = (options: EventStoreDbOptions): TE.TaskEither<StoreFailure, EventStoreDb> => {
  const { clock, ids, log } = options;
  const times = { ...usualTimes, ...options.times };
  const url = connectionString(options.server, options.node);
  const open: Open = (onBroken) => openWire({ url, clock, ids, readMs: times.readMs, onBroken });
  const store = (): EventStoreDb => {
    const counters = newEventStoreDbCounters();
    const connection = new EventStoreConnection({ open, clock, ids, log, counters });
    return createEventStoreDb(connection, counters, clock, ids, times);
  };
  return pipe(
    TE.fromIO(() => warnOfUser(options)),
    TE.chain(() => firstContact(open, options, times.openMs)),
    TE.map(store),
  );
};

const warnOfUser = ({ log, server }: EventStoreDbOptions): void => {
  if (server.unsentUser)
    log.warn({}, 'store_url has a user and tls=false: EventStoreDB gets no credentials over plain text');
};

/** Asks for the version until somebody answers; each time over a client of its own, as a failed one remembers it for ever. */
const firstContact =
  (open: Open, { clock, ids, log }: EventStoreDbOptions, openMs: number): TE.TaskEither<StoreFailure, void> =>
  async () => {
    const until = clock.monotonic() + openMs;
    for (let attempt = 0; ; attempt += 1) {
      let wire: Wire | undefined;
      try {
        wire = open(() => {});
        const version = supportedVersion(await answered(clock, wire.version()));
        if (E.isLeft(version)) return version;
        await wire.probe(probeMs);
        log.info({ version: version.right }, 'EventStoreDB answers');
        return E.right(undefined);
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
