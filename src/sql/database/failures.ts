/**
 * What a failed statement means, read from the errors of three drivers.
 * Nothing else looks at their codes.
 */

/** What a failed statement means for the work it belongs to. */
export type SqlFailure =
  /** The connection or the server is gone, read-only or out of room: all may be well later. */
  | 'lost'
  /** A deadlock, or a lock that was not had in time: the same transaction may succeed at once. */
  | 'busy'
  /** The same statement will always fail. */
  | 'permanent';

/** An error of SQLite, as it crosses from the worker thread. `code` is SQLite's primary result code. */
export class SqliteError extends Error {
  override readonly name = 'SqliteError';
  readonly code: number;
  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }
}

/** SQLSTATEs of PostgreSQL by class, or whole: connection, resources, operator, system, read-only after a failover. */
const postgresLost = ['08', '53', '57', '58', '25006', '40003'];
const postgresBusy = ['40001', '40P01', '55P03', '55006'];
/**
 * Error numbers of MySQL and MariaDB: server full, going down or read-only, connection lost or killed. Busy: record changed, lock
 * not had in time, deadlock, table renamed while a snapshot was read.
 */
const mysqlLost = [
  1021, 1040, 1041, 1042, 1053, 1077, 1079, 1080, 1114, 1152, 1153, 1154, 1155, 1156, 1157, 1158, 1159, 1160, 1161,
  1184, 1203, 1290, 1317, 1792, 1836, 1927, 1969, 2006, 2013, 3024, 4031,
];
const mysqlBusy = [1020, 1205, 1213, 1412];
/** SQLite: out of memory, read-only, I/O, full, cannot open. */
const sqliteLost = [7, 8, 10, 13, 14];
const sqliteBusy = [5, 6];

/** Reads what a driver threw. What carries no code of the database's own is the connection's. */
export const sqlFailure = (error: unknown): SqlFailure => {
  if (error instanceof SqliteError) return among(error.code, sqliteBusy, sqliteLost);
  if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError) return 'permanent';
  if (!(error instanceof Error)) return 'permanent';
  const { code, errno } = error as Error & { readonly code?: unknown; readonly errno?: unknown };
  if (typeof code === 'string' && /^ER_/.test(code) && typeof errno === 'number')
    return among(errno, mysqlBusy, mysqlLost);
  if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && 'severity' in error) {
    if (postgresBusy.includes(code)) return 'busy';
    return postgresLost.some((known) => code.startsWith(known)) ? 'lost' : 'permanent';
  }
  return 'lost';
};

const among = (code: number, busy: readonly number[], lost: readonly number[]): SqlFailure =>
  busy.includes(code) ? 'busy' : lost.includes(code) ? 'lost' : 'permanent';

/** The sentence of an error, without the statement and its values, which some drivers put beside it. */
export const sentenceOf = (error: unknown): string =>
  error instanceof Error ? error.message || error.name : String(error);
