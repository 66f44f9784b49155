import * as E from 'fp-ts/lib/Either.js';
import { flow, pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Config } from '../../config/config.ts';
import { Secret } from '../../config/secret.ts';
import { type DatabaseUrl, parseDatabaseUrl, withPassword } from '../../config/urls.ts';
import { type Imported, importRooms } from '../../engine/import-rooms.ts';
import { domainOf, type RoomUri, userOf } from '../../room/address.ts';
import { type FoundRooms, foundRooms, type TablesToImport } from '../../room/import-tables.ts';
import { addressedBy, type RoutingRule, serves } from '../../room/routing-rule.ts';
import { systemClock } from '../../runtime/clock.ts';
import { randomIds } from '../../runtime/ids.ts';
import { routingRuleOf } from '../../server/routing-rule.ts';
import { because, type CliError, type CliTask, cliError, wrongUsage } from '../cli-error.ts';
import type { Invocation, Run } from '../invocation.ts';
import { withWriter } from '../read/open-log.ts';
import { passwordIn } from '../read/password-file.ts';
import { withProgress } from '../terminal/progress.ts';
import { printable } from '../terminal/show.ts';

/** `imcd import --from DB_URL`: what was left alone goes to stdout, a line each; what was done to stderr. */
export const run: Run = (invocation) =>
  pipe(
    databaseUrl(invocation.options),
    TE.bindTo('from'),
    TE.bind('config', () => invocation.config),
    TE.bind('tables', ({ from, config }) => tablesOf(from, config)),
    TE.chain(({ config, tables }) => importInto(config, foundRooms(tables, unfitRoom(routingRuleOf(config))))),
    TE.chainTaskK((imported) => () => report(imported, invocation)),
  );

const report = async ({ rooms, members, already, left }: Imported, { out, err }: Invocation): Promise<number> => {
  for (const line of left) await out(printable(line));
  err(
    `${rooms} rooms made, ${members} members added, ${already} were in the log already, ${left.length} lines left alone`,
  );
  return 0;
};

const databaseUrl = ({ from, 'password-file': passwordFile }: Invocation['options']): CliTask<DatabaseUrl> => {
  if (typeof from !== 'string') {
    return TE.left(
      wrongUsage('--from is missing: the URL of the database, for example mysql://opensips@localhost/opensips'),
    );
  }
  return pipe(
    typeof passwordFile === 'string' ? withPasswordIn(passwordFile, from) : TE.right(from),
    TE.chainEitherK(
      flow(
        parseDatabaseUrl,
        E.mapLeft((why) => cliError(`--from: ${printable(why)}`)),
      ),
    ),
  );
};

const withPasswordIn = (file: string, url: string): CliTask<string> =>
  pipe(
    passwordIn(file),
    TE.bimap(
      (reason) => cliError(`--password-file ${file} cannot be read: ${reason}`),
      (password) => withPassword(url, new Secret(password)),
    ),
  );

const tablesOf = (from: DatabaseUrl, config: Config): CliTask<TablesToImport> =>
  TE.tryCatch(async () => {
    const { readTablesToImport } = await import('../../sql/import-rows.ts');
    return readTablesToImport(from, { roomsTable: config.rooms_table, membersTable: config.members_table });
  }, databaseProblem);

/** What a database said no to. Throws our own mistakes. */
const databaseProblem = (error: unknown): CliError => {
  if (!(error instanceof Error)) throw error;
  if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError) throw error;
  return cliError(printable(error.message === '' ? error.name : error.message, '\n'));
};

const importInto = (config: Config, found: FoundRooms): CliTask<Imported> =>
  withWriter(config, (store) =>
    withProgress('importing', 'rooms', ({ update }) =>
      pipe(
        importRooms({ clock: systemClock, ids: randomIds(), store, node: config.node, onProgress: update }, found),
        TE.mapLeft(because),
      ),
    ),
  );

/** A room that nobody could reach is not made. */
const unfitRoom =
  (rule: RoutingRule) =>
  (room: RoomUri): string | undefined => {
    const named = addressedBy(rule, userOf(room));
    if (named === 'manager') return 'its name matches the option manager';
    if (named === undefined) return 'its name does not match the option rooms';
    return serves(rule, domainOf(room)) ? undefined : 'its domain is none of the option domains';
  };
