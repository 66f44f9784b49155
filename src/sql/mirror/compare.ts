import * as E from 'fp-ts/lib/Either.js';
import { sql } from 'kysely';
import type { EventStore, Position } from '../../ports/event-store.ts';
import type { RoomUri } from '../../room/address.ts';
import type { Room } from '../../room/room.ts';
import { connect } from '../database/connect.ts';
import { sqlFailure } from '../database/failures.ts';
import type { Session, Tables } from '../database/session.ts';
import { databaseSettings } from '../database/url.ts';
import { readCheckpoint } from './checkpoint.ts';
import { foldLog } from './fold-log.ts';
import { type MemberRow, memberRows, type RoomRow, roomRow } from './rows.ts';
import { differences, tablesOf } from './tables.ts';

export interface CompareOptions {
  readonly store: EventStore;
  readonly url: string;
  readonly password?: string;
  readonly roomsTable: string;
  readonly membersTable: string;
  /** Events replayed so far. */
  readonly onProgress?: (events: number) => void;
}

export interface Comparison {
  /** Where the rows are. */
  readonly position: Position | undefined;
  /** The log has events after that: lag, not difference. */
  readonly behind: boolean;
  readonly rooms: number;
  readonly members: number;
  /** A sentence each; empty where rows and log agree. */
  readonly differences: readonly string[];
}

/**
 * Compares the mirror's rows with the log, replayed to the mirror's own checkpoint; rows and checkpoint are read in one snapshot, so
 * it may run beside a mirror at work. Changes nothing. Rejects where database or log cannot be read.
 */
export const compareMirror = async (options: CompareOptions): Promise<Comparison> => {
  const tables = tablesOf(options.roomsTable, options.membersTable);
  const session = await connect(databaseSettings(options.url, options.password), { readOnly: true });
  try {
    const identity = await options.store.identity();
    if (E.isLeft(identity)) throw new Error(identity.left.message, { cause: identity.left });
    const unfit = await unfitTables(session, tables);
    if (unfit.length > 0) return { position: undefined, behind: true, rooms: 0, members: 0, differences: unfit };
    const { checkpoint, rooms, members } = await readAgain(() => readMirror(session, tables));
    const counts = { rooms: rooms.length, members: members.length };
    const end = await options.store.end();
    if (E.isLeft(end)) throw new Error(end.left.message, { cause: end.left });
    if (checkpoint !== undefined && checkpoint.log !== identity.right) {
      const foreign = `the mirror's rows are of another log (${checkpoint.log}) than this one (${identity.right})`;
      return { position: checkpoint.position, behind: true, ...counts, differences: [foreign] };
    }
    const log = await foldLog(options.store, checkpoint?.position, options.onProgress);
    const ahead =
      checkpoint?.position !== log.position
        ? ['the mirror is ahead of the log, which does not hold its checkpoint']
        : [];
    return {
      position: checkpoint?.position,
      behind: end.right !== checkpoint?.position,
      ...counts,
      differences: [...ahead, ...log.unknown, ...differ([...log.rooms.values()], rooms, members)],
    };
  } finally {
    await session.close();
  }
};

const unfitTables = async (session: Session, tables: Tables): Promise<string[]> => {
  const found: string[] = [];
  for (const kind of ['rooms', 'members'] as const) {
    const shape = await session.shape(tables[kind]);
    found.push(
      ...(shape === undefined ? [`the mirror has no table ${tables[kind]}`] : differences(kind, tables[kind], shape)),
    );
  }
  if ((await session.shape(tables.checkpoint)) === undefined)
    found.push(`the mirror has no table ${tables.checkpoint}`);
  return found;
};

/** A rebuild that swaps its tables in ends the snapshot: three tries. */
const readAgain = async <A>(read: () => Promise<A>): Promise<A> => {
  for (let tries = 1; ; tries += 1) {
    try {
      return await read();
    } catch (error) {
      if (sqlFailure(error) !== 'busy' || tries === 3) throw error;
    }
  }
};

/** Rows and checkpoint of one moment. */
const readMirror = async (session: Session, tables: Tables) =>
  session.db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (trx) => {
      const checkpoint = await readCheckpoint(trx, tables.checkpoint);
      const page = async <Row>(table: string, columns: readonly string[]): Promise<Row[]> => {
        const all: Row[] = [];
        const cells = sql.join(['id', ...columns].map((column) => sql.id(column)));
        for (let last = -1; ; ) {
          const { rows } = await sql<Row & { readonly id: number }>`
            SELECT ${cells} FROM ${sql.id(table)} WHERE id > ${last} ORDER BY id LIMIT 5000`.execute(trx);
          for (const row of rows) all.push(row);
          const end = rows.at(-1);
          if (end === undefined) return all;
          last = end.id;
        }
      };
      return {
        checkpoint,
        rooms: await page<RoomRow>(tables.rooms, ['name', 'domain', 'flag']),
        members: await page<MemberRow>(tables.members, ['username', 'domain', 'room', 'flag']),
      };
    });

/** Every difference between rooms and rows, as a sentence. Members are given in the order of their ids. */
export const differ = (
  expected: readonly Room[],
  rooms: readonly RoomRow[],
  members: readonly MemberRow[],
): string[] => {
  const found: string[] = [];
  const rows = new Map(rooms.map((row) => [`sip:${row.name}@${row.domain}`, row]));
  const membersOf = Map.groupBy(members, ({ room }) => room);
  for (const room of expected) {
    const row = rows.get(room.uri);
    const flag = roomRow(room.uri, room.private).flag;
    if (row === undefined) found.push(`room ${room.uri} is in the log, and has no row`);
    else if (row.flag !== flag) found.push(`room ${room.uri} has the flag ${row.flag} and should have ${flag}`);
    found.push(...differInRoom(room, membersOf.get(room.uri) ?? []));
    rows.delete(room.uri);
    membersOf.delete(room.uri);
  }
  for (const uri of rows.keys()) found.push(`room ${uri} has a row, and is not in the log`);
  for (const [room, extra] of membersOf) {
    for (const row of extra) found.push(`room ${room}: member ${spelled(row)} has a row, and the log has no such room`);
  }
  return found;
};

const differInRoom = (room: Room, rows: readonly MemberRow[]): string[] => {
  const found: string[] = [];
  const at = (row: MemberRow) => `room ${room.uri as RoomUri}: member ${spelled(row)}`;
  const left = new Map(rows.map((row) => [spelled(row), row]));
  const expected = memberRows(room);
  for (const should of expected) {
    const is = left.get(spelled(should));
    left.delete(spelled(should));
    if (is === undefined) found.push(`${at(should)} is in the log, and has no row`);
    else if (is.flag !== should.flag)
      found.push(`${at(should)} has the flag ${is.flag} and should have ${should.flag}`);
  }
  for (const row of left.values()) found.push(`${at(row)} has a row, and is not in the log`);
  const [first] = rows;
  const [owner] = expected;
  if (first !== undefined && owner !== undefined && spelled(first) !== spelled(owner)) {
    found.push(`room ${room.uri}: the first row is ${spelled(first)}, and should be the owner, ${spelled(owner)}`);
  }
  return found;
};

const spelled = (row: MemberRow): string => `sip:${row.username}@${row.domain}`;
