import * as E from 'fp-ts/lib/Either.js';
import { sql } from 'kysely';
import type { Clock } from '../ports/clock.ts';
import type { EventStore, ExpectedRevision, NewEvent } from '../ports/event-store.ts';
import type { Ids } from '../ports/ids.ts';
import { Operator } from '../room/actor.ts';
import { memberKey, type RoomUri, roomKey } from '../room/address.ts';
import { type RoomEvent, roomEvents } from '../room/events.ts';
import { applyInPlace } from '../room/fold.ts';
import type { EventMetadata } from '../room/metadata.ts';
import type { Room, RoomState } from '../room/room.ts';
import { streamOf } from '../room/stream.ts';
import { decode, Undecodable } from '../room/upcast.ts';
import { connect } from './database/connect.ts';
import type { Session } from './database/session.ts';
import { databaseSettings } from './database/url.ts';
import { type FoundMember, type FoundRoom, readRows } from './import-rows.ts';
import type { MemberRow, RoomRow } from './mirror/rows.ts';

export interface ImportOptions {
  readonly store: EventStore;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Pick<Ids, 'uuid'>;
  /** This node's name, for the metadata. */
  readonly node: string;
  /** URL of the database that OpenSIPS or Kamailio wrote. Only read. */
  readonly from: string;
  readonly password?: string;
  readonly roomsTable: string;
  readonly membersTable: string;
  /** Why an address cannot be a room here, as a sentence's end; undefined where it can. */
  readonly unfit: (room: RoomUri) => string | undefined;
  readonly onProgress?: (rooms: number, of: number) => void;
}

export interface Imported {
  /** Rooms that were made. */
  readonly rooms: number;
  /** Members and invitations that were made, owners included. */
  readonly members: number;
  /** Rows that are in the log already: from an earlier import, or by themselves. */
  readonly already: number;
  /** What was left alone, and why: a sentence each. */
  readonly left: readonly string[];
}

/** The import could not be done, or not to its end: it may be repeated. */
export class ImportFailed extends Error {
  override readonly name = 'ImportFailed';
}

const operator = (name: string): Operator => {
  if (Operator.is(name)) return name;
  throw new TypeError(`${name} is no operator`);
};
const importer = operator('operator:import');
/** Most events in one append: far below what EventStoreDB takes. */
const eventsAtOnce = 500;

/**
 * Takes rooms and members over from the tables of OpenSIPS or Kamailio: events, with the row they came from in their metadata. What
 * the log has already is never changed or made again; so a second run adds nothing. Rejects with `ImportFailed`, `StoreError`, or
 * as the driver does.
 */
export const importTables = async (options: ImportOptions): Promise<Imported> => {
  const settings = databaseSettings(options.from, options.password);
  const { rooms, members } = await readTables(settings, options);
  const found = readRows(rooms, members, settings.shown, options.unfit);
  const left = [...found.left];
  const run = options.ids.uuid();
  let made = 0;
  let added = 0;
  let already = 0;
  for (const [n, room] of found.rooms.entries()) {
    const wanted = await importRoom(options, run, room, left);
    if (wanted.created) made += 1;
    added += wanted.members;
    already += room.members.length - wanted.members;
    options.onProgress?.(n + 1, found.rooms.length);
  }
  return { rooms: made, members: added, already, left };
};

const readTables = async (settings: ReturnType<typeof databaseSettings>, options: ImportOptions) => {
  const session = await connect(settings, { readOnly: true });
  try {
    await checkVersion(session, options);
    const { roomsTable, membersTable } = options;
    return {
      rooms: await readAll<RoomRow>(session, roomsTable, ['name', 'domain', 'flag']),
      members: await readAll<MemberRow>(session, membersTable, ['username', 'domain', 'room', 'flag']),
    };
  } finally {
    await session.close();
  }
};

const checkVersion = async (session: Session, { roomsTable, membersTable }: ImportOptions): Promise<void> => {
  if ((await session.shape('version')) === undefined) return;
  const { rows } = await sql<{ name: string; version: number }>`SELECT table_name AS name, table_version AS version
    FROM version WHERE table_name IN (${roomsTable}, ${membersTable})`.execute(session.db);
  for (const { name, version } of rows) {
    if (version !== 1 && version !== 2) {
      throw new ImportFailed(`Table ${name.trim()} has version ${version}; known are 1 (Kamailio) and 2 (OpenSIPS).`);
    }
  }
};

const readAll = async <Row>(session: Session, table: string, columns: readonly string[]): Promise<Row[]> => {
  const shape = await session.shape(table);
  if (shape === undefined)
    throw new ImportFailed(`There is no table ${table}; name it in rooms_table or members_table.`);
  const missing = ['id', ...columns].filter((column) => !shape.columns.some(({ name }) => name === column));
  if (missing.length > 0) throw new ImportFailed(`Table ${table} has no column ${missing.join(', ')}.`);
  const cells = sql.join(columns.map((column) => sql.id(column)));
  const { rows } = await sql<Record<string, unknown>>`SELECT ${cells} FROM ${sql.id(table)} ORDER BY id`.execute(
    session.db,
  );
  // CHAR columns of PostgreSQL come back padded.
  return rows.map(
    (row) =>
      Object.fromEntries(Object.entries(row).map(([k, v]) => [k, typeof v === 'string' ? v.trimEnd() : v])) as Row,
  );
};

/** What the log says of a room, and which rows were imported into it before. */
interface Known {
  readonly state: RoomState;
  readonly expected: ExpectedRevision;
  readonly origins: ReadonlySet<string>;
}

const knownOf = async (store: EventStore, stream: string): Promise<Known> => {
  let state: RoomState;
  let expected: ExpectedRevision = 'no_stream';
  const origins = new Set<string>();
  for await (const event of store.readStream(stream)) {
    const decoded = decode(event);
    if (decoded instanceof Undecodable)
      throw new ImportFailed(`Event ${event.revision} of ${stream}: ${decoded.message}.`);
    state = applyInPlace(state, decoded, event.time);
    expected = event.revision;
    const { metadata } = event;
    if (typeof metadata !== 'object' || metadata === null || !('origin' in metadata)) continue;
    for (const origin of String(metadata.origin).split('\n')) origins.add(origin);
  }
  return { state, expected, origins };
};

const importRoom = async (
  options: ImportOptions,
  run: string,
  room: FoundRoom,
  left: string[],
): Promise<{ readonly created: boolean; readonly members: number }> => {
  const stream = streamOf(roomKey(room.uri));
  for (let tries = 1; ; tries += 1) {
    const notes: string[] = [];
    const known = await knownOf(options.store, stream);
    const events = missingEvents(room, known, notes);
    const outcome = await appendAll(options, run, stream, known.expected, events);
    if (outcome === 'done') {
      left.push(...notes);
      const members = events.filter(({ event }) => event.type !== 'RoleChanged').length;
      return { created: events[0]?.event.type === 'RoomCreated', members };
    }
    if (tries === 5) throw new ImportFailed(`${room.uri} is being changed all the time; repeat the import.`);
  }
};

interface FromRow {
  readonly event: RoomEvent;
  readonly origin: string;
}

/** Events for the rows that are not in the log. */
const missingEvents = (room: FoundRoom, { state, origins }: Known, notes: string[]): FromRow[] => {
  if (state !== undefined) {
    if (state.private !== room.private) notes.push(`room ${room.uri}: private or public stays as the log has it`);
    return room.members.flatMap((member) => intoLiving(state, member, origins.has(member.origin), notes));
  }
  if (origins.has(room.origin)) {
    notes.push(`room ${room.uri}: it was imported before, and destroyed since`);
    return [];
  }
  const [owner, ...others] = room.members;
  if (owner === undefined) return [];
  const created: RoomEvent = {
    type: 'RoomCreated',
    data: { room: room.uri, owner: owner.uri, private: room.private, cause: 'import' },
  };
  return [
    { event: created, origin: room.origin },
    ...others.flatMap((member) => entering(room.uri, member, member.role)),
  ];
};

const intoLiving = (room: Room, member: FoundMember, before: boolean, notes: string[]): FromRow[] => {
  const at = `member ${member.uri} of ${room.uri}`;
  const there = room.members.get(memberKey(member.uri));
  if (there !== undefined) {
    if (there.role !== member.role)
      notes.push(`${at}: ${member.role} in the table, stays ${there.role} as the log has it`);
    return [];
  }
  if (before) {
    notes.push(`${at}: it was imported before, and has left since`);
    return [];
  }
  if (member.role === 'owner') notes.push(`${at}: owner in the table, becomes admin: the room has another owner`);
  return entering(room.uri, member, member.role === 'owner' ? 'admin' : member.role);
};

const entering = (room: RoomUri, { uri: member, origin }: FoundMember, role: FoundMember['role']): FromRow[] => {
  const data = { room, member, by: importer };
  if (role === 'invited') return [{ event: { type: 'MemberInvited', data }, origin }];
  const added: FromRow = { event: { type: 'MemberAdded', data }, origin };
  return role === 'admin' ? [added, { event: { type: 'RoleChanged', data: { ...data, role } }, origin }] : [added];
};

const appendAll = async (
  { store, ids, clock, node }: ImportOptions,
  run: string,
  stream: string,
  expected: ExpectedRevision,
  events: readonly FromRow[],
): Promise<'done' | 'changed'> => {
  const time = new Date(clock.now()).toISOString();
  let revision = expected;
  for (let n = 0; n < events.length; n += eventsAtOnce) {
    const some = events.slice(n, n + eventsAtOnce).map(({ event, origin }): NewEvent => {
      const metadata: EventMetadata = {
        $correlationId: run,
        $causationId: run,
        version: roomEvents[event.type].version,
        actor: importer,
        source: 'import',
        node,
        time,
        origin,
      };
      return { id: ids.uuid(), type: event.type, data: event.data, metadata };
    });
    const appended = await store.append(stream, revision, some)();
    if (E.isLeft(appended)) {
      if (appended.left.kind === 'WrongExpectedRevision') return 'changed';
      throw new ImportFailed(`${stream}: ${appended.left.message}`, { cause: appended.left });
    }
    revision = appended.right.revision;
  }
  return 'done';
};
