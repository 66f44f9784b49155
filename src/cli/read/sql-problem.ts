import type { Config } from '../../config/config.ts';
import type { MirrorFailure } from '../../sql/mirror/failure.ts';
import { CliError } from '../invocation.ts';
import { printable } from '../terminal/show.ts';

/** Where the configuration keeps the mirror; undefined for `db_url: none`. */
export const mirrorOf = (config: Config) => {
  const url = config.db_url;
  if (url.kind === 'none') return undefined;
  return {
    database: url,
    roomsTable: config.rooms_table,
    membersTable: config.members_table,
    tableVersion: config.table_version,
  };
};

/** What a database, or the log, said no to, as the end of a command. Our own mistakes stay what they are. */
export const databaseProblem = (error: unknown): unknown => {
  if (!(error instanceof Error) || error instanceof CliError) return error;
  if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError) return error;
  return new CliError(printable(error.message === '' ? error.name : error.message, '\n'));
};

/** A mirror's failure as the end of a command. */
export const mirrorProblem = ({ kind, message, cause }: MirrorFailure): unknown =>
  kind === 'Defect' ? cause : new CliError(printable(message, '\n'));
