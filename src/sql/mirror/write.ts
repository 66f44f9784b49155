import { setImmediate } from 'node:timers/promises';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { domainOf, type MemberUri, memberKey, type RoomUri, uriOf, userOf } from '../../room/address.ts';
import type { Cell, ColumnType, Session, Tables } from '../database/session.ts';
import type { RoomPlan } from './plan.ts';
import { isOwner, type MemberRow, memberFlags, memberRow, type RoomRow, roomRow } from './rows.ts';

/**
 * Writes plans as rows, within a transaction that somebody else has begun.
 * Counts the changes whose row was not there, which nobody but the mirror should have touched.
 */

/** Most rows in one statement: 1 ms of this process' time, measured with mysql2, the slowest. */
const chunk = 500;
/** Plans looked at between two looks at the sockets. */
const slice = 250;

/** Changes whose row was not there: somebody else has been at the tables. */
export interface Missing {
  readonly rooms: number;
  readonly members: number;
}

type Key = readonly string[];

/** Writes plans within the transaction `db`: first what goes, then what comes, a room's owner before its other members. */
export const writePlans = async (
  session: Session,
  db: Kysely<unknown>,
  tables: Tables,
  plans: readonly RoomPlan[],
): Promise<Missing> => {
  const write = new RowWriter(session, db, tables);
  const droppedRooms: RoomUri[] = [];
  const gone: Key[] = [];
  const perhapsGone: Key[] = [];
  const newRooms: RoomRow[] = [];
  const newMembers: MemberRow[] = [];
  const flagged = new Map<number, Key[]>();
  const handedOver: NonNullable<RoomPlan['handedOver']>[] = [];

  const { there, absent } = await write.standing(plans);
  for (const [n, plan] of there.entries()) {
    if (n % slice === slice - 1) await setImmediate();
    if (plan.drop !== undefined) droppedRooms.push(plan.drop);
    const owners: MemberRow[] = [];
    const others: MemberRow[] = [];
    for (const { before, was, now } of plan.members.values()) {
      const key = [userOf(was), domainOf(was), plan.room];
      if (now !== undefined && before === 'present' && !now.moved) {
        const keys = flagged.get(now.flag);
        if (keys === undefined) flagged.set(now.flag, [key]);
        else keys.push(key);
        continue;
      }
      if (before === 'present') gone.push(key);
      if (before === 'maybe') perhapsGone.push(key);
      if (now === undefined) continue;
      const row = memberRow(plan.room, now.member, now.flag);
      (isOwner(row) ? owners : others).push(row);
    }
    if (plan.create !== undefined) newRooms.push(roomRow(plan.create.room, plan.create.flag !== 0));
    for (const row of owners) newMembers.push(row);
    for (const row of others) newMembers.push(row);
    if (plan.handedOver !== undefined) handedOver.push(plan.handedOver);
  }

  const rooms = absent + (await write.deleteRooms(droppedRooms));
  let members = await write.deleteMembers(gone);
  await write.deleteMembers(perhapsGone);
  await write.insertRooms(newRooms);
  await write.insertMembers(newMembers);
  for (const [flag, keys] of flagged) members += await write.setFlags(flag, keys);
  for (const { room, owner } of handedOver) members += await rewrite(write, room, owner);
  return { rooms, members };
};

/** After a change of owner the room's rows are written anew, owner first: OpenSIPS takes the first for the owner. */
const rewrite = async (write: RowWriter, room: RoomUri, owner: string): Promise<number> => {
  const rows = await write.membersOf(room);
  const after = rows.map((row) => {
    const is = memberKey(uriOf(row.username, row.domain) as MemberUri) === owner;
    return { ...row, flag: is ? memberFlags.owner : isOwner(row) ? memberFlags.admin : row.flag };
  });
  const first = after.filter(isOwner);
  await write.deleteMembersOf([room]);
  await write.insertMembers([...first, ...after.filter((row) => !isOwner(row))]);
  return first.length === 0 ? 1 : 0;
};

const roomTypes: readonly ColumnType[] = ['text', 'text', 'integer'];
const memberTypes: readonly ColumnType[] = ['text', 'text', 'text', 'integer'];

/**
 * The statements of one transaction `db`, each over any number of rows; those that change rows give how many of them were not
 * there.
 */
export class RowWriter {
  readonly #session: Session;
  readonly #db: Kysely<unknown>;
  readonly #rooms: RawBuilder<unknown>;
  readonly #members: RawBuilder<unknown>;

  constructor(session: Session, db: Kysely<unknown>, tables: Tables) {
    this.#session = session;
    this.#db = db;
    this.#rooms = sql.id(tables.rooms);
    this.#members = sql.id(tables.members);
  }

  /**
   * The plans whose room has its row, and how many have none though they should: their members are left out, since a room is
   * never without its owner's row, nor a member without a room's.
   */
  async standing(plans: readonly RoomPlan[]): Promise<{ there: readonly RoomPlan[]; absent: number }> {
    // A plan without members changes nothing: who came went within the batch, and the whole room perhaps with them.
    const asked = plans.filter(({ drop, create, members }) => !drop && !create && members.size > 0);
    const found = new Set<string>();
    await inChunks(asked, async (some) => {
      const keys = some.map(({ room }) => [userOf(room), domainOf(room)]);
      const { rows } = await sql<{ name: string; domain: string }>`
        SELECT name, domain FROM ${this.#rooms} WHERE (name, domain) IN ${this.#session.among(keys)}`.execute(this.#db);
      for (const { name, domain } of rows) found.add(uriOf(name, domain));
      return rows.length;
    });
    const missing = new Set(asked.filter(({ room }) => !found.has(room)));
    return { there: plans.filter((plan) => !missing.has(plan)), absent: missing.size };
  }

  insertRooms(rows: readonly RoomRow[]): Promise<number> {
    const cells = rows.map(({ name, domain, flag }) => [name, domain, flag]);
    return this.#insert(sql`${this.#rooms} (name, domain, flag)`, cells, roomTypes);
  }

  insertMembers(rows: readonly MemberRow[]): Promise<number> {
    const cells = rows.map(({ username, domain, room, flag }) => [username, domain, room, flag]);
    return this.#insert(sql`${this.#members} (username, domain, room, flag)`, cells, memberTypes);
  }

  /** Rooms with all their members. */
  async deleteRooms(uris: readonly RoomUri[]): Promise<number> {
    if (uris.length === 0) return 0;
    await this.deleteMembersOf(uris);
    const keys = uris.map((uri) => [userOf(uri), domainOf(uri)]);
    const found = await inChunks(keys, (some) =>
      this.#affected(sql`DELETE FROM ${this.#rooms} WHERE (name, domain) IN ${this.#session.among(some)}`),
    );
    return uris.length - found;
  }

  deleteMembersOf(uris: readonly RoomUri[]): Promise<number> {
    return inChunks(uris, (some) =>
      this.#affected(sql`DELETE FROM ${this.#members} WHERE room IN (${sql.join([...some])})`),
    );
  }

  async deleteMembers(keys: readonly Key[]): Promise<number> {
    const found = await inChunks(keys, (some) =>
      this.#affected(sql`DELETE FROM ${this.#members} ${this.#where(some)}`),
    );
    return keys.length - found;
  }

  async setFlags(flag: number, keys: readonly Key[]): Promise<number> {
    const found = await inChunks(keys, (some) =>
      this.#affected(sql`UPDATE ${this.#members} SET flag = ${flag} ${this.#where(some)}`),
    );
    return keys.length - found;
  }

  async membersOf(room: RoomUri): Promise<readonly MemberRow[]> {
    const found = await sql<MemberRow>`
      SELECT username, domain, room, flag FROM ${this.#members} WHERE room = ${room} ORDER BY id`.execute(this.#db);
    return found.rows;
  }

  #where(keys: readonly Key[]): RawBuilder<unknown> {
    return sql`WHERE (username, domain, room) IN ${this.#session.among(keys)}`;
  }

  #insert(
    into: RawBuilder<unknown>,
    rows: readonly (readonly Cell[])[],
    types: readonly ColumnType[],
  ): Promise<number> {
    return inChunks(rows, (some) => this.#affected(sql`INSERT INTO ${into} ${this.#session.rows(some, types)}`));
  }

  async #affected(statement: RawBuilder<unknown>): Promise<number> {
    return Number((await statement.execute(this.#db)).numAffectedRows ?? 0n);
  }
}

/** Runs a statement over so many rows at a time; gives the sum of what it gives. */
const inChunks = async <T>(all: readonly T[], run: (some: readonly T[]) => Promise<number>): Promise<number> => {
  let sum = 0;
  for (let n = 0; n < all.length; n += chunk) sum += await run(all.slice(n, n + chunk));
  return sum;
};
