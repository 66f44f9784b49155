import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Config } from '../config/config.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventStore, StoreFailure } from '../ports/event-store.ts';
import type { Ids } from '../ports/ids.ts';
import type { Log } from '../ports/log.ts';

export interface StorePorts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

/** Opens the log that `store_url` names. Adapters are imported only where they are used: EventStoreDB's client alone takes 300 ms. */
export const openStore =
  (config: Config, ports: StorePorts): TaskEither<StoreFailure, EventStore> =>
  async () => {
    const url = config.store_url;
    switch (url.kind) {
      case 'memory': {
        const { createMemoryStore } = await import('../store/memory.ts');
        return E.right(createMemoryStore(ports.ids));
      }
      case 'esdb': {
        const { openEventStoreDb } = await import('../store/eventstoredb/open.ts');
        const password = config.store_password?.reveal();
        return openEventStoreDb({
          ...ports,
          url: url.url.reveal(),
          node: config.node,
          ...(password === undefined ? {} : { password }),
        })();
      }
      case 'sqlite': {
        const { openSqliteStore } = await import('../store/sqlite/open.ts');
        return openSqliteStore({ ...ports, file: url.file })();
      }
    }
  };
