import { readFileSync } from 'node:fs';
import * as E from 'fp-ts/lib/Either.js';
import type { Config } from '../../config/config.ts';
import { domainOf, type RoomUri, userOf } from '../../room/address.ts';
import { systemClock } from '../../runtime/clock.ts';
import { randomIds } from '../../runtime/ids.ts';
import { openStore } from '../../server/open-store.ts';
import { CliError, type Run } from '../invocation.ts';
import { silentLog } from '../read/open-reader.ts';
import { databaseProblem } from '../read/sql-problem.ts';
import { progress } from '../terminal/progress.ts';
import { printable } from '../terminal/show.ts';

/** `imcd import --from DB_URL`: what was left alone goes to stdout, a line each; what was done to stderr. */
export const run: Run = async ({ options, config: read, out, err }) => {
  const { from, 'password-file': passwordFile } = options;
  if (typeof from !== 'string') {
    throw new CliError(
      '--from is missing: the URL of the database, for example mysql://opensips@localhost/opensips',
      2,
    );
  }
  const password = typeof passwordFile === 'string' ? { password: firstLine(passwordFile) } : {};
  const config = await read();
  const { importTables } = await import('../../sql/import.ts');
  const opened = await openStore(config, { clock: systemClock, ids: randomIds(), log: silentLog })();
  if (E.isLeft(opened)) throw new CliError(printable(opened.left.message));
  const store = opened.right;
  const bar = progress('importing', 'rooms');
  try {
    const { rooms, members, already, left } = await importTables({
      ...password,
      store,
      clock: systemClock,
      ids: randomIds(),
      node: config.node,
      from,
      roomsTable: config.rooms_table,
      membersTable: config.members_table,
      unfit: unfitRoom(config),
      onProgress: bar.update,
    });
    bar.end();
    for (const line of left) await out(printable(line));
    err(
      `${rooms} rooms made, ${members} members added, ${already} were in the log already, ${left.length} lines left alone`,
    );
    return 0;
  } catch (error) {
    throw databaseProblem(error);
  } finally {
    bar.end();
    await store.close();
  }
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
