import { mkdirSync } from 'node:fs';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Config } from '../config/config.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventStore, StoreFailure } from '../ports/event-store.ts';
import type { Ids } from '../ports/ids.ts';
import type { Log } from '../ports/log.ts';
import type { EventStoreDb } from '../store/eventstoredb/store.ts';
import type { CountedStore } from '../store/metrics.ts';
import { attempt, type Starting, type Step } from './starting.ts';

export interface StorePorts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

/** A log with what it counts; an EventStoreDB says how its server is, too. */
export type OpenedLog = EventStoreDb | (EventStore & CountedStore);

export interface OpenedStore {
  readonly store: EventStore;
  /** The same log as it was opened. */
  readonly counted: OpenedLog;
  /** Of the log. */
  readonly identity: string;
}

/** Makes the folder of `data` and opens the log; says where nodes that share it do not share what they should. */
export const beginStore = (starting: Starting): Step<OpenedStore> => {
  const { config, clock, ids, log } = starting;
  return pipe(
    attempt(() => mkdirSync(config.data, { recursive: true, mode: 0o700 })),
    TE.chain((): Step<OpenedLog> => openStore(config, { clock, ids, log })),
    TE.map((opened) => {
      const store = starting.world.wrapStore?.(opened) ?? opened;
      starting.closers.defer('the log', store.close);
      if (store.shared && config.outbound_proxy === undefined) log.warn({}, notShared);
      return { store, counted: opened };
    }),
    TE.bindW('identity', ({ store }) => store.identity),
  );
};

const notShared =
  'the log is shared with other nodes, but registrations are not: without outbound_proxy copies reach only those who registered at this node';

/** Opens the log that `store_url` names. Adapters are imported only where they are used: EventStoreDB's client alone takes 300 ms. */
export const openStore =
  (config: Config, ports: StorePorts): TE.TaskEither<StoreFailure, OpenedLog> =>
  async () => {
    const url = config.store_url;
    switch (url.kind) {
      case 'memory': {
        const { createMemoryStore } = await import('../store/memory.ts');
        return E.right(createMemoryStore(ports.ids));
      }
      case 'esdb': {
        const { openEventStoreDb } = await import('../store/eventstoredb/open.ts');
        return openEventStoreDb({ ...ports, server: url, node: config.node })();
      }
      case 'sqlite': {
        const { openSqliteStore } = await import('../store/sqlite/open.ts');
        return openSqliteStore({ ...ports, file: url.file })();
      }
    }
  };
