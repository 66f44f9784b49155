import * as E from 'fp-ts/lib/Either.js';
import type { Config } from '../../config/config.ts';
import type { EventStore } from '../../ports/event-store.ts';

import { systemClock } from '../../runtime/clock.ts';
import { randomIds } from '../../runtime/ids.ts';
import { CliError } from '../invocation.ts';
import { printable } from '../terminal/show.ts';
import { silentLog } from '../terminal/silent-log.ts';

/** The log, for reading: also beside a running server. Throws `CliError` with a sentence where it cannot be opened. */
export const openReader = async (config: Config): Promise<EventStore> => {
  const url = config.store_url;
  switch (url.kind) {
    case 'memory':
      throw new CliError('store_url is memory: such a log ends with its server. Ask that one: imcd mi room_history');
    case 'sqlite': {
      const { openSqliteReader } = await import('../../store/sqlite/open.ts');
      return opened(await openSqliteReader({ file: url.file, clock: systemClock })());
    }
    case 'esdb': {
      const { openEventStoreDb } = await import('../../store/eventstoredb/open.ts');
      const ports = { clock: systemClock, ids: randomIds(), log: silentLog };
      return opened(await openEventStoreDb({ ...ports, server: url, node: config.node })());
    }
  }
};

const opened = (store: E.Either<{ readonly message: string }, EventStore>): EventStore => {
  if (E.isRight(store)) return store.right;
  throw new CliError(printable(store.left.message));
};
