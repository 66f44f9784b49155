import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Config } from '../config/config.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { Mirror } from '../sql/mirror/mirror.ts';
import { attempt, type Starting, type Step } from './starting.ts';

/** The mirror that `db_url` names; undefined for `none`. Left: options that no mirror can be kept with. */
export const beginMirror = (starting: Starting, store: EventStore): Step<Mirror | undefined> =>
  pipe(
    openMirror(starting, store),
    TE.map((mirror) => {
      if (mirror !== undefined) starting.closers.defer('the mirror', mirror.stop);
      return mirror;
    }),
  );

/** Drivers are imported only where they are used. */
const openMirror = ({ config, clock, ids, log }: Starting, store: EventStore): Step<Mirror | undefined> => {
  const mirror = mirrorOf(config);
  if (mirror === undefined) return TE.right(undefined);
  const { database } = mirror;
  return pipe(
    attempt(() => {
      if (database.kind === 'sqlite') mkdirSync(dirname(database.file), { recursive: true, mode: 0o700 });
      return import('../sql/mirror/mirror.ts');
    }),
    TE.chainEitherKW(({ createMirror }) => createMirror({ ...mirror, store, clock, ids, log })),
  );
};

/** Where the configuration keeps the mirror, and in which tables; undefined for `db_url: none`. */
export const mirrorOf = (config: Config) => {
  const database = config.db_url;
  if (database.kind === 'none') return undefined;
  return {
    database,
    roomsTable: config.rooms_table,
    membersTable: config.members_table,
    tableVersion: config.table_version,
  };
};
