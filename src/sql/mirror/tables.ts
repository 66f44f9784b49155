import { readFileSync } from 'node:fs';
import * as E from 'fp-ts/lib/Either.js';
import { sql } from 'kysely';
import { sqlFailure } from '../database/failures.ts';
import type { Session, TableShape, Tables } from '../database/session.ts';
import type { SqlDialect } from '../database/settings.ts';
import { MirrorError, type MirrorFailure } from './failure.ts';

/** The mirror's tables: their names, their shape, made where they are missing and checked where they are there. */

/**
 * Names of the tables; a Left of kind `UnusableOption` for names that cannot be used. `checkpoint` goes with the rooms, so that
 * several mirrors can share a database.
 */
export const tablesOf = (rooms: string, members: string): E.Either<MirrorFailure, Tables> => {
  const refuse = (message: string): E.Either<MirrorFailure, never> =>
    E.left({ kind: 'UnusableOption', message, cause: undefined });
  for (const name of [rooms, members]) {
    // The column `version.table_name` holds 32 characters.
    if (!/^[^\p{Cc}]{1,32}$/u.test(name))
      return refuse(`The table name ${JSON.stringify(name)} cannot be used: 1 to 32 characters are possible.`);
  }
  if (rooms === members) return refuse(`rooms_table and members_table are both ${rooms}: give them different names.`);
  return E.right({ rooms, members, checkpoint: `${rooms}_checkpoint` });
};

/** The same tables while they are built beside the live ones. */
export const shadowOf = ({ rooms, members }: Tables): Tables => ({
  rooms: `${rooms}_imcd_new`,
  members: `${members}_imcd_new`,
  checkpoint: `${rooms}_checkpoint_imcd_new`,
});

interface Column {
  readonly name: string;
  readonly type: RegExp;
  readonly called: string;
  readonly nullable?: true;
}

const text64 = (name: string): Column => ({ name, type: /^(var)?char\(64\)$/, called: 'CHAR(64) or VARCHAR(64)' });
const integer = (name: string): Column => ({ name, type: /^int(eger)?(\(\d+\))?( unsigned)?$/, called: 'an integer' });

const expected = {
  rooms: { columns: [integer('id'), text64('name'), text64('domain'), integer('flag')], unique: ['name', 'domain'] },
  members: {
    columns: [integer('id'), text64('username'), text64('domain'), text64('room'), integer('flag')],
    unique: ['username', 'domain', 'room'],
  },
} as const;

/** Every way in which a table differs from the module's, as sentences; empty where the mirror can be kept in it. */
export const differences = (kind: 'rooms' | 'members', table: string, shape: TableShape): string[] => {
  const { columns, unique } = expected[kind];
  const found: string[] = [];
  const at = `table ${table}`;
  for (const { name, type, called } of columns) {
    const column = shape.columns.find((one) => one.name === name);
    if (column === undefined) {
      found.push(`${at} has no column ${name}`);
      continue;
    }
    if (!type.test(column.type)) found.push(`${at}: column ${name} is ${column.type} and should be ${called}`);
    if (column.nullable) found.push(`${at}: column ${name} may be NULL and should be NOT NULL`);
    if (column.collation !== undefined && !/_bin$|^binary$/.test(column.collation)) {
      found.push(
        `${at}: column ${name} compares by ${column.collation} and should compare bytes (for example ascii_bin)`,
      );
    }
  }
  for (const { name } of shape.columns) {
    if (!columns.some((column) => column.name === name))
      found.push(`${at} has a column ${name} that does not belong there`);
  }
  const [id] = shape.columns.filter(({ name }) => name === 'id');
  if (id !== undefined && !id.hasDefault) found.push(`${at}: column id is not filled by the database`);
  if (shape.primaryKey.join() !== 'id')
    found.push(`${at}: the primary key is (${shape.primaryKey.join(', ')}) and should be (id)`);
  const keys = shape.unique.map((key) => key.join(', '));
  if (!keys.includes(unique.join(', '))) found.push(`${at} has no unique key (${unique.join(', ')})`);
  for (const key of keys) {
    if (key !== unique.join(', ')) found.push(`${at} has a unique key (${key}) that does not belong there`);
  }
  if (shape.engine !== undefined && shape.engine !== 'InnoDB') {
    found.push(`${at} is stored by ${shape.engine}, which has no transactions, and should be by InnoDB`);
  }
  return found;
};

/**
 * Makes the tables that are missing, and their rows in `version`. Throws `MirrorError` of kind `ForeignTable`, having changed
 * nothing, where one is there in another shape, with another version, or with rows that no mirror has written.
 */
export const ensureTables = async (session: Session, tables: Tables, version: 1 | 2): Promise<void> => {
  for (let tries = 1; ; tries += 1) {
    try {
      await ensureOnce(session, tables, version);
      return;
    } catch (error) {
      // Another node makes the same tables at this moment: the next look finds one more of them.
      if (error instanceof MirrorError || sqlFailure(error) === 'lost' || tries === 20) throw error;
    }
  }
};

const ensureOnce = async (session: Session, tables: Tables, version: 1 | 2): Promise<void> => {
  const { db } = session;
  const found: string[] = [];
  const shapes = {
    rooms: await session.shape(tables.rooms),
    members: await session.shape(tables.members),
    checkpoint: await session.shape(tables.checkpoint),
    version: await session.shape('version'),
  };
  for (const kind of ['rooms', 'members'] as const) {
    const shape = shapes[kind];
    if (shape !== undefined) found.push(...differences(kind, tables[kind], shape));
  }
  const own = shapes.checkpoint?.columns.map(({ name }) => name).join();
  if (own !== undefined && own !== 'id,log,position,generation') {
    found.push(`table ${tables.checkpoint} has the columns ${own} and is not imcd's checkpoint`);
  }
  const versions = new Map<string, number>();
  if (shapes.version !== undefined) {
    const { rows } = await sql<{ name: string; version: number }>`SELECT table_name AS name, table_version AS version
      FROM version WHERE table_name IN (${tables.rooms}, ${tables.members})`.execute(db);
    for (const row of rows) versions.set(row.name.trim(), Number(row.version));
  }
  for (const table of [tables.rooms, tables.members]) {
    const there = versions.get(table);
    if (there !== undefined && there !== version) {
      found.push(`table version says ${there} for ${table}, and table_version is ${version}`);
    }
  }
  if (found.length > 0) {
    throw new MirrorError(
      'ForeignTable',
      `The mirror cannot be kept here, and nothing was changed: ${found.join('; ')}.`,
    );
  }
  if (shapes.checkpoint === undefined) await refuseRows(session, tables, shapes);
  // Only where it is needed: the database's user may have no right to create.
  if (Object.values(shapes).includes(undefined)) await createTables(session, tables);
  for (const table of [tables.rooms, tables.members]) {
    if (!versions.has(table)) {
      await sql`INSERT INTO version (table_name, table_version) VALUES (${table}, ${version})`.execute(db);
    }
  }
};

/** Rows without a checkpoint are somebody else's: OpenSIPS' own, most likely. */
const refuseRows = async (
  { db }: Session,
  tables: Tables,
  shapes: Readonly<Record<'rooms' | 'members', TableShape | undefined>>,
): Promise<void> => {
  for (const kind of ['rooms', 'members'] as const) {
    if (shapes[kind] === undefined) continue;
    const { rows } = await sql`SELECT id FROM ${sql.id(tables[kind])} LIMIT 1`.execute(db);
    if (rows.length > 0) {
      throw new MirrorError(
        'ForeignTable',
        `The mirror cannot be kept here, and nothing was changed: table ${tables[kind]} holds rows that imcd has not written. ` +
          'Take them over with `imcd import`, then empty the table, or name another in rooms_table and members_table.',
      );
    }
  }
};

/** Runs the dialect's file of `schemas/sql`, under these names; what is there already stays as it is. */
export const createTables = async (session: Session, tables: Tables): Promise<void> => {
  for (const statement of statementsOf(session.dialect, tables)) await sql.raw(statement).execute(session.db);
};

/** What stands around names in a dialect's schema file. */
const quotes: Readonly<Record<SqlDialect, string>> = { sqlite: '"', mysql: '`', postgres: '"' };

/** The statements of a schema file that make tables and indexes, with the names put in. */
export const statementsOf = (dialect: SqlDialect, tables: Tables): string[] => {
  const file = new URL(`../../../schemas/sql/${dialect}.sql`, import.meta.url);
  const quote = quotes[dialect];
  const name = (found: string): string => {
    const [, table, rest = ''] = /^(imc_rooms_checkpoint|imc_rooms|imc_members)(.*)$/.exec(found) ?? [];
    if (table === undefined) return found;
    if (table === 'imc_rooms_checkpoint') return tables.checkpoint;
    return (table === 'imc_rooms' ? tables.rooms : tables.members) + rest;
  };
  return readFileSync(file, 'utf8')
    .replaceAll(/^\s*--.*$/gm, '')
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement.startsWith('CREATE'))
    .map((statement) =>
      statement.replaceAll(new RegExp(`${quote}([^${quote}]+)${quote}`, 'g'), (_, found: string) => {
        return quote + name(found).replaceAll(quote, quote + quote) + quote;
      }),
    );
};

/** Removes tables of a build that did not end. */
export const dropTables = async ({ db }: Session, tables: Tables): Promise<void> => {
  for (const table of [tables.members, tables.rooms, tables.checkpoint]) {
    await sql`DROP TABLE IF EXISTS ${sql.id(table)}`.execute(db);
  }
};
