import { createHash } from 'node:crypto';
import { createConnection as createSocket, type Socket } from 'node:net';
import { Kysely, MysqlDialect, sql } from 'kysely';
import mysql from 'mysql2';
import type { Session, TableShape, Tables } from './session.ts';
import type { DatabaseSettings } from './settings.ts';
import { tuples } from './values.ts';

/** A session with MySQL or MariaDB over mysql2, in the terms of `session.ts`. */

type ServerSettings = Exclude<DatabaseSettings, { dialect: 'sqlite' }>;

/**
 * What every session is set to. Strict, so that nothing is cut short in silence, and with backslash escapes as the driver writes
 * them; READ COMMITTED takes no gap locks. `wait_timeout` frees the lock of a leader that fell silent (the leader asks every 2 s).
 */
const settings = [
  "SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
  'SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
  'SESSION innodb_lock_wait_timeout = 5',
  'SESSION lock_wait_timeout = 10',
  'SESSION wait_timeout = 10',
];

/** Opens one connection to MySQL or MariaDB. */
export const connectMysql = async (server: ServerSettings): Promise<Session> => {
  const { socket, raw } = await openConnection(server);
  const db = new Kysely<unknown>({ dialect: new MysqlDialect({ pool: poolOf(raw) }) });
  try {
    for (const setting of settings) await sql.raw(`SET ${setting}`).execute(db);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return {
    dialect: 'mysql',
    db,
    rows: (rows) => sql`VALUES ${tuples(rows)}`,
    among: (keys) => sql`(${tuples(keys)})`,
    tryLock: async (purpose, table) => {
      // Names of locks are the whole server's, and 64 characters at most.
      const lock = `imcd:${createHash('sha256').update(`${server.database}\0${purpose}\0${table}`).digest('hex').slice(0, 40)}`;
      const { rows } = await sql<{ taken: number | null }>`SELECT GET_LOCK(${lock}, 0) AS taken`.execute(db);
      return rows[0]?.taken === 1;
    },
    shape: (table) => tableShape(db, table),
    swap: (live, built) => swapByRename(db, live, built),
    abort: async () => void socket.destroy(new Error('the connection was given up')),
    close: () => endOf(raw, socket),
  };
};

const openConnection = async (server: ServerSettings) => {
  // A socket of our own: the driver's `destroy` only says goodbye, and waits for ever where nobody answers.
  const socket = server.socket === undefined ? createSocket(server.port, server.host) : createSocket(server.socket);
  const raw = mysql.createConnection({
    stream: socket,
    user: server.user,
    database: server.database,
    connectTimeout: 5_000,
    ...(server.socket === undefined ? { host: server.host, port: server.port } : { socketPath: server.socket }),
    ...(server.password === undefined ? {} : { password: server.password }),
    // The driver takes any good certificate for any host, unless it is told to look at the name too.
    ...(server.tls === undefined
      ? {}
      : { ssl: { minVersion: 'TLSv1.2', verifyIdentity: server.tls.rejectUnauthorized, ...server.tls } }),
  });
  // Every query under way rejects with it; without a listener it would end the process.
  raw.on('error', () => {});
  socket.setKeepAlive(true, 5_000);
  socket.setNoDelay(true);
  await new Promise<void>((resolve, reject) => {
    raw.connect((error) => (error === null || error === undefined ? resolve() : reject(error)));
  });
  return { socket, raw };
};

/** Says goodbye; after a second the socket is closed all the same. */
const endOf = (raw: mysql.Connection, socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    const impatient = setTimeout(() => {
      socket.destroy();
      resolve();
    }, 1_000);
    raw.end(() => {
      clearTimeout(impatient);
      resolve();
    });
  });

const swapByRename = async (db: Kysely<unknown>, live: Tables, built: Tables): Promise<void> => {
  const old = (table: string) => sql.id(`${table}_imcd_old`);
  const tables = [
    [live.rooms, built.rooms],
    [live.members, built.members],
    [live.checkpoint, built.checkpoint],
  ] as const;
  const dropOld = sql`DROP TABLE IF EXISTS ${sql.join(tables.map(([name]) => old(name)))}`;
  await dropOld.execute(db);
  // One statement: it commits by itself, so all three have to change in it.
  await sql`RENAME TABLE ${sql.join(
    tables.map(([name, by]) => sql`${sql.id(name)} TO ${old(name)}, ${sql.id(by)} TO ${sql.id(name)}`),
  )}`.execute(db);
  await dropOld.execute(db);
};

/** Kysely asks a pool; ours has one connection, whose lock and transactions belong together. */
const poolOf = (raw: mysql.Connection) => ({
  getConnection: (callback: (error: unknown, connection: { query: typeof raw.query; release: () => void }) => void) =>
    callback(undefined, { query: raw.query.bind(raw), release: () => {} }),
  end: (callback: (error: unknown) => void) => callback(undefined),
});

const tableShape = async (db: Kysely<unknown>, table: string): Promise<TableShape | undefined> => {
  const here = sql`TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ${table}`;
  const tables = await sql<{ engine: string | null }>`
    SELECT ENGINE AS engine FROM information_schema.TABLES WHERE ${here}`.execute(db);
  const [found] = tables.rows;
  if (found === undefined) return undefined;
  const columns = await sql<
    Record<'name' | 'type' | 'nullable' | 'extra', string> & Record<'collation' | 'given', string | null>
  >`
    SELECT COLUMN_NAME AS name, COLUMN_TYPE AS type, IS_NULLABLE AS nullable, EXTRA AS extra,
      COLLATION_NAME AS collation, COLUMN_DEFAULT AS given
    FROM information_schema.COLUMNS WHERE ${here} ORDER BY ORDINAL_POSITION`.execute(db);
  const keys = await sql<{ name: string; repeats: number; column: string }>`
    SELECT INDEX_NAME AS name, NON_UNIQUE AS repeats, COLUMN_NAME AS ${sql.id('column')}
    FROM information_schema.STATISTICS WHERE ${here} ORDER BY INDEX_NAME, SEQ_IN_INDEX`.execute(db);
  const indexes = Map.groupBy(keys.rows, ({ name }) => name);
  return {
    columns: columns.rows.map(({ name, type, nullable, extra, collation, given }) => ({
      name,
      type: type.toLowerCase(),
      nullable: nullable === 'YES',
      hasDefault: extra.includes('auto_increment') || given !== null,
      ...(collation === null ? {} : { collation }),
    })),
    unique: [...indexes]
      .filter(([name, parts]) => name !== 'PRIMARY' && Number(parts[0]?.repeats) === 0)
      .map(([, parts]) => parts.map(({ column }) => column)),
    primaryKey: (indexes.get('PRIMARY') ?? []).map(({ column }) => column),
    indexed: [...indexes.values()].flatMap((parts) => parts.slice(0, 1).map(({ column }) => column)),
    ...(found.engine === null ? {} : { engine: found.engine }),
  };
};
