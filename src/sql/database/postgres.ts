import { createHash } from 'node:crypto';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { type ColumnType, type Session, swapByCopy, type TableShape, type Tables } from './session.ts';
import type { DatabaseSettings } from './settings.ts';

/** A session with PostgreSQL over pg, in the terms of `session.ts`. */

type ServerSettings = Exclude<DatabaseSettings, { dialect: 'sqlite' }>;

/**
 * What every session is set to. The timeouts free the lock of a leader that fell silent (the leader asks every 2 s), and
 * one whose host is gone: its keepalives stay unanswered.
 */
const settings = {
  standard_conforming_strings: 'on',
  lock_timeout: '5s',
  idle_in_transaction_session_timeout: '10s',
  idle_session_timeout: '10s',
  tcp_keepalives_idle: '5',
  tcp_keepalives_interval: '2',
  tcp_keepalives_count: '2',
};

/** Opens one connection to PostgreSQL. */
export const connectPostgres = async (server: ServerSettings): Promise<Session> => {
  const raw = new pg.Client({
    host: server.socket ?? server.host,
    port: server.port,
    user: server.user,
    database: server.database,
    application_name: 'imcd',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    ...(server.password === undefined ? {} : { password: server.password }),
    ...(server.tls === undefined ? {} : { ssl: server.tls }),
  });
  // Every query under way rejects with it; without a listener it would end the process.
  raw.on('error', () => {});
  await raw.connect();
  const pool = {
    connect: async () => Object.assign(raw, { release: () => {} }),
    end: async () => {},
  };
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  const abort = async () => void raw.connection.stream.destroy();
  try {
    for (const [name, value] of Object.entries(settings)) {
      // A server older than PostgreSQL 14 has no idle_session_timeout: set_config of what is unknown would fail.
      await sql`SELECT set_config(name, ${value}, false) FROM pg_settings WHERE name = ${name}`.execute(db);
    }
  } catch (error) {
    await abort();
    throw error;
  }
  return {
    dialect: 'postgres',
    db,
    rows: (rows, types) => sql`SELECT ${columnsOf(types)} FROM json_array_elements(${JSON.stringify(rows)}::json)
      WITH ORDINALITY AS given(cells, place) ORDER BY place`,
    among: (keys) => sql`(SELECT ${columnsOf((keys[0] ?? []).map(() => 'text'))}
      FROM json_array_elements(${JSON.stringify(keys)}::json) AS given(cells))`,
    tryLock: async (purpose, table) => {
      const { rows } = await sql<{ taken: boolean }>`SELECT pg_try_advisory_lock(
        hashtext(current_schema()), ${createHash('sha256').update(`${purpose}\0${table}`).digest().readInt32BE()}) AS taken`.execute(
        db,
      );
      return rows[0]?.taken === true;
    },
    shape: (table) => tableShape(db, table),
    swap: async (live, built) => {
      await swapByCopy(db, live, built);
      await resetSequences(db, live);
    },
    abort,
    close: async () => {
      const impatient = setTimeout(() => raw.connection.stream.destroy(), 1_000);
      await raw.end().catch(() => {});
      clearTimeout(impatient);
    },
  };
};

const columnsOf = (types: readonly ColumnType[]) =>
  sql.join(types.map((type, n) => sql`(cells->>${sql.lit(n)})::${sql.raw(type === 'text' ? 'varchar' : 'integer')}`));

/** The copied rows brought their ids: the next insert must go on behind them. */
const resetSequences = async (db: Kysely<unknown>, { rooms, members }: Tables): Promise<void> => {
  for (const table of [rooms, members]) {
    await sql`SELECT setval(sequence, (SELECT coalesce(max(id), 0) + 1 FROM ${sql.id(table)}), false)
      FROM pg_get_serial_sequence(quote_ident(${table}), 'id') AS sequence WHERE sequence IS NOT NULL`.execute(db);
  }
};

const tableShape = async (db: Kysely<unknown>, table: string): Promise<TableShape | undefined> => {
  const found = await sql<{ oid: number | null }>`SELECT to_regclass(quote_ident(${table}))::oid AS oid`.execute(db);
  const oid = found.rows[0]?.oid ?? null;
  if (oid === null) return undefined;
  const columns = await sql<{ name: string; type: string; required: boolean; given: boolean; place: number }>`
    SELECT attname AS name, format_type(atttypid, atttypmod) AS type, attnotnull AS required,
      atthasdef OR attidentity <> '' AS given, attnum AS place
    FROM pg_attribute WHERE attrelid = ${oid} AND attnum > 0 AND NOT attisdropped ORDER BY attnum`.execute(db);
  const indexes = await sql<{ columns: number[]; unique: boolean; primary: boolean }>`
    SELECT indkey::int2[] AS columns, indisunique AND indpred IS NULL AS ${sql.id('unique')}, indisprimary AS ${sql.id('primary')}
    FROM pg_index WHERE indrelid = ${oid}`.execute(db);
  const name = (place: number) => columns.rows.find((column) => column.place === place)?.name ?? '(expression)';
  const named = indexes.rows.map((index) => ({ ...index, columns: index.columns.map(name) }));
  return {
    columns: columns.rows.map((column) => ({
      name: column.name,
      type: column.type.replace('character varying', 'varchar').replace('character', 'char'),
      nullable: !column.required,
      hasDefault: column.given,
    })),
    unique: named.filter(({ unique, primary }) => unique && !primary).map((index) => index.columns),
    primaryKey: named.find(({ primary }) => primary)?.columns ?? [],
    indexed: named.flatMap((index) => index.columns.slice(0, 1)),
  };
};
