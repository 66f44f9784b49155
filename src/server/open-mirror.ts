import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
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
  const url = config.db_url;
  if (url.kind === 'none') return TE.right(undefined);
  return pipe(
    attempt(() => {
      if (url.kind === 'sqlite') mkdirSync(dirname(url.file), { recursive: true, mode: 0o700 });
      return import('../sql/mirror/mirror.ts');
    }),
    TE.chainEitherKW(({ createMirror }) =>
      createMirror({
        store,
        clock,
        ids,
        log,
        database: url,
        roomsTable: config.rooms_table,
        membersTable: config.members_table,
        tableVersion: config.table_version,
      }),
    ),
  );
};
