import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Config } from '../../config/config.ts';
import type { EventStore } from '../../ports/event-store.ts';
import { systemClock } from '../../runtime/clock.ts';
import { randomIds } from '../../runtime/ids.ts';
import { openStore } from '../../server/open-store.ts';
import { because, type CliTask, cliError } from '../cli-error.ts';
import { silentLog } from '../terminal/silent-log.ts';

/** The log of a command: opened for its work, and closed whatever came of it. */

/** Opens the log to read it: also beside a running server. */
export const withReader = <A>(config: Config, work: (store: EventStore) => CliTask<A>): CliTask<A> =>
  pipe(openReader(config), TE.chain(closing(work)));

/** Opens the log to append to it, in the place of a server. */
export const withWriter = <A>(config: Config, work: (store: EventStore) => CliTask<A>): CliTask<A> =>
  pipe(openStore(config, ports()), TE.mapLeft(because), TE.chain(closing(work)));

/** Closes after defects too: an open log would keep the process alive. */
const closing =
  <A>(work: (store: EventStore) => CliTask<A>) =>
  (store: EventStore): CliTask<A> =>
  async () => {
    try {
      return await work(store)();
    } finally {
      await store.close();
    }
  };

const openReader = (config: Config): CliTask<EventStore> => {
  switch (config.store_url.kind) {
    case 'memory':
      return TE.left(
        cliError('store_url is memory: such a log ends with its server. Ask that one: imcd mi room_history'),
      );
    case 'sqlite': {
      const { file } = config.store_url;
      return pipe(
        TE.fromTask(() => import('../../store/sqlite/open.ts')),
        TE.chain(({ openSqliteReader }) => openSqliteReader({ file, clock: systemClock })),
        TE.mapLeft(because),
      );
    }
    case 'esdb':
      return pipe(openStore(config, ports()), TE.mapLeft(because));
  }
};

const ports = () => ({ clock: systemClock, ids: randomIds(), log: silentLog });
