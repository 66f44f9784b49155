import * as E from 'fp-ts/lib/Either.js';
import { partitionMap } from 'fp-ts/lib/ReadonlyArray.js';
import { sql } from 'kysely';
import { uriOf } from '../room/address.ts';
import type { MemberToImport, RoomToImport, TablesToImport } from '../room/import-tables.ts';
import { connect } from './database/connect.ts';
import type { Session } from './database/session.ts';
import { type DatabaseAddress, databaseSettings } from './database/settings.ts';
import { memberFlags, roomFlags } from './mirror/rows.ts';

export interface TableNames {
  readonly roomsTable: string;
  readonly membersTable: string;
}

/** The tables are none that an import knows. */
export class UnreadableTables extends Error {
  override readonly name = 'UnreadableTables';
}

/**
 * The rows that OpenSIPS or Kamailio wrote, in the order of their ids; nothing of the database is changed. A row with a NULL in
 * it is none. Rejects with `UnreadableTables` or `UnreadableFile`, or as the driver does.
 */
export const readTablesToImport = async (database: DatabaseAddress, names: TableNames): Promise<TablesToImport> => {
  const settings = databaseSettings(database);
  const session = await connect(settings, { readOnly: true });
  try {
    await checkVersion(session, names);
    const { shown: source } = settings;
    const rooms = await readAll(session, names.roomsTable, ['name', 'domain', 'flag']);
    const members = await readAll(session, names.membersTable, ['username', 'domain', 'room', 'flag']);
    const { left: noRooms, right: roomRows } = partitionMap(roomIn(source))(rooms);
    const { left: noMembers, right: memberRows } = partitionMap(memberIn(source))(members);
    return { rooms: roomRows, members: memberRows, left: [...noRooms, ...noMembers] };
  } finally {
    await session.close();
  }
};

const checkVersion = async (session: Session, { roomsTable, membersTable }: TableNames): Promise<void> => {
  if ((await session.shape('version')) === undefined) return;
  const { rows } = await sql<{ name: string; version: number }>`SELECT table_name AS name, table_version AS version
    FROM version WHERE table_name IN (${roomsTable}, ${membersTable})`.execute(session.db);
  for (const { name, version } of rows) {
    if (version !== 1 && version !== 2) {
      throw new UnreadableTables(
        `Table ${name.trim()} has version ${version}; known are 1 (Kamailio) and 2 (OpenSIPS).`,
      );
    }
  }
};

/** A row's cells by column. CHAR columns of PostgreSQL come padded. */
type Cells = Readonly<Record<string, unknown>>;

const readAll = async (session: Session, table: string, columns: readonly string[]): Promise<readonly Cells[]> => {
  const shape = await session.shape(table);
  if (shape === undefined)
    throw new UnreadableTables(`There is no table ${table}; name it in rooms_table or members_table.`);
  const missing = ['id', ...columns].filter((column) => !shape.columns.some(({ name }) => name === column));
  if (missing.length > 0) throw new UnreadableTables(`Table ${table} has no column ${missing.join(', ')}.`);
  const cells = sql.join(columns.map((column) => sql.id(column)));
  const { rows } = await sql<Cells>`SELECT ${cells} FROM ${sql.id(table)} ORDER BY id`.execute(session.db);
  return rows;
};

const textOf = (cell: unknown): string => (cell === null ? 'NULL' : String(cell).trimEnd());
const nullAmong = (cells: Cells): string | undefined => Object.keys(cells).find((column) => cells[column] === null);

/** Left: why the row cannot be read, as a sentence. */
const roomIn =
  (source: string) =>
  (cells: Cells): E.Either<string, RoomToImport> => {
    const [name, domain] = [textOf(cells.name), textOf(cells.domain)];
    const row = `room ${uriOf(name, domain)}`;
    const empty = nullAmong(cells);
    if (empty !== undefined) return E.left(`${row}: its ${empty} is NULL`);
    const flag = Number(cells.flag);
    return E.right({ name, domain, private: isPrivate(flag), origin: `${source} ${row} flag=${cells.flag}` });
  };

/** Left: why the row cannot be read, as a sentence. */
const memberIn =
  (source: string) =>
  (cells: Cells): E.Either<string, MemberToImport> => {
    const [user, domain, room] = [textOf(cells.username), textOf(cells.domain), textOf(cells.room)];
    const row = `member ${uriOf(user, domain)} of ${room}`;
    const empty = nullAmong(cells);
    if (empty !== undefined) return E.left(`${row}: its ${empty} is NULL`);
    const flag = Number(cells.flag);
    return E.right({ user, domain, room, role: roleIn(flag), origin: `${source} ${row} flag=${cells.flag}` });
  };

/** What a flag says; Left where it is deleted, or has a bit that is not known. */
const knownFlag = (flag: number, bits: Readonly<Record<string, number>>): E.Either<string, number> => {
  const known = Object.values(bits).reduce((all, bit) => all | bit, 0);
  if ((flag & (bits.deleted ?? 0)) !== 0) return E.left('it is marked as deleted');
  return Number.isInteger(flag) && (flag & ~known) === 0 ? E.right(flag) : E.left(`its flag ${flag} is not known`);
};

const isPrivate = (flag: number): RoomToImport['private'] =>
  E.map((bits: number) => (bits & roomFlags.private) !== 0)(knownFlag(flag, roomFlags));

const roleIn = (flag: number): MemberToImport['role'] =>
  E.map((bits: number) => {
    if ((bits & memberFlags.owner) !== 0) return 'owner' as const;
    if ((bits & memberFlags.invited) !== 0) return 'invited';
    return (bits & memberFlags.admin) !== 0 ? 'admin' : 'member';
  })(knownFlag(flag, memberFlags));
