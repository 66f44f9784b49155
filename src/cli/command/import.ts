import { readFileSync } from 'node:fs';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Config } from '../../config/config.ts';
import { Secret } from '../../config/secret.ts';
import { type DatabaseUrl, parseDatabaseUrl, withPassword } from '../../config/urls.ts';
import { importRooms } from '../../engine/import-rooms.ts';
import { domainOf, type RoomUri, userOf } from '../../room/address.ts';
import { foundRooms, type TablesToImport } from '../../room/import-tables.ts';
import { systemClock } from '../../runtime/clock.ts';
import { randomIds } from '../../runtime/ids.ts';
import { openStore } from '../../server/open-store.ts';
import { CliError, type Invocation, type Run } from '../invocation.ts';
import { databaseProblem } from '../read/sql-problem.ts';
import { progress } from '../terminal/progress.ts';
import { printable } from '../terminal/show.ts';
import { silentLog } from '../terminal/silent-log.ts';

/** `imcd import --from DB_URL`: what was left alone goes to stdout, a line each; what was done to stderr. */
export const run: Run = async ({ options, config: read, out, err }) => {
  const from = databaseUrl(options);
  const config = await read();
  const bar = progress('importing', 'rooms');
  const importing = pipe(
    TE.tryCatch(() => tablesOf(from, config), readProblem),
    TE.map((tables) => foundRooms(tables, unfitRoom(config))),
    TE.chainW((found) => {
      const ports = { clock: systemClock, ids: randomIds() };
      return TE.bracket(
        openStore(config, { ...ports, log: silentLog }),
        (store) => importRooms({ ...ports, store, node: config.node, onProgress: bar.update }, found),
        (store) => TE.fromTask(store.close),
      );
    }),
  );
  const imported = await importing().finally(bar.end);
  if (E.isLeft(imported)) throw new CliError(printable(imported.left.message, '\n'));
  const { rooms, members, already, left } = imported.right;
  for (const line of left) await out(printable(line));
  err(
    `${rooms} rooms made, ${members} members added, ${already} were in the log already, ${left.length} lines left alone`,
  );
  return 0;
};

const databaseUrl = ({ from, 'password-file': passwordFile }: Invocation['options']): DatabaseUrl => {
  if (typeof from !== 'string') {
    throw new CliError(
      '--from is missing: the URL of the database, for example mysql://opensips@localhost/opensips',
      2,
    );
  }
  const url = typeof passwordFile === 'string' ? withPassword(from, new Secret(firstLine(passwordFile))) : from;
  const parsed = parseDatabaseUrl(url);
  if (E.isLeft(parsed)) throw new CliError(`--from: ${printable(parsed.left)}`);
  return parsed.right;
};

const tablesOf = async (from: DatabaseUrl, config: Config): Promise<TablesToImport> => {
  const { readTablesToImport } = await import('../../sql/import-rows.ts');
  return readTablesToImport(from, { roomsTable: config.rooms_table, membersTable: config.members_table });
};

/** What a database said no to; our own mistakes are thrown. */
const readProblem = (error: unknown): { readonly message: string } => {
  const problem = databaseProblem(error);
  if (problem instanceof CliError) return problem;
  throw problem;
};

/** The routing rule: a room that nobody could reach is not made. */
const unfitRoom = (config: Config) => {
  const domains = new Set(config.domains.map((domain) => domain.toLowerCase()));
  return (room: RoomUri): string | undefined => {
    if (!config.rooms.test(userOf(room))) return 'its name does not match the option rooms';
    if (!domains.has(domainOf(room).toLowerCase())) return 'its domain is none of the option domains';
    return undefined;
  };
};

const firstLine = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/, 1)[0] ?? '';
  } catch (error) {
    throw new CliError(`--password-file ${file} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
};
