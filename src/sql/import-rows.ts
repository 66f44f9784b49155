import * as E from 'fp-ts/lib/Either.js';
import { type MemberUri, memberKey, type RoomUri, roomKey } from '../room/address.ts';
import { parseMember, parseRoom } from '../room/parse-address.ts';
import type { Malformed } from '../room/refusals.ts';
import type { Member } from '../room/room.ts';
import { type MemberRow, memberFlags, type RoomRow, roomFlags } from './mirror/rows.ts';

/** What OpenSIPS or Kamailio left in its tables, as rooms; and what of it is no room or member of ours. */

export interface FoundMember {
  readonly uri: MemberUri;
  readonly role: Member['role'];
  /** The row, as it goes into the event's metadata. */
  readonly origin: string;
}

export interface FoundRoom {
  readonly uri: RoomUri;
  readonly private: boolean;
  readonly origin: string;
  /** The owner first, once; then in the order of their rows. */
  readonly members: readonly FoundMember[];
}

export interface FoundTables {
  readonly rooms: readonly FoundRoom[];
  /** Rows that cannot be taken over, with the reason: a sentence each. */
  readonly left: readonly string[];
}

/**
 * Reads rows, in the order of their ids. `unfit` says why an address cannot be a room here (the routing rule), undefined where it
 * can. `source` stands in the origins: where the tables are.
 */
export const readRows = (
  roomRows: readonly RoomRow[],
  rowsOfMembers: readonly MemberRow[],
  source: string,
  unfit: (room: RoomUri) => string | undefined,
): FoundTables => {
  const left: string[] = [];
  const byRoom = Map.groupBy(rowsOfMembers, ({ room }) => room);
  const taken = new Map<string, RoomRow>();
  const refused = new Map<string, string>();
  const rooms: FoundRoom[] = [];
  const orphans = new Map(byRoom);

  for (const row of roomRows) {
    const spelling = spelledRoom(row);
    const read = readRoom(row, taken, unfit);
    if ('reason' in read) {
      left.push(`room ${spelling}: ${read.reason}`);
      refused.set(spelling, 'its room is left out');
      continue;
    }
    taken.set(roomKey(read.uri), row);
    // OpenSIPS finds a room's members by exactly this text; other cases of it are the same room to us.
    const spellings = [...byRoom.keys()].filter((other) => other === spelling || sameRoom(other, read.uri));
    const exactly = spellings.filter(
      (other) => other === spelling || !roomRows.some((one) => spelledRoom(one) === other),
    );
    const members = readMembers(
      exactly.flatMap((other) => byRoom.get(other) ?? []),
      source,
      left,
    );
    for (const other of exactly) orphans.delete(other);
    const owner = members.find(({ role }) => role === 'owner');
    if (owner === undefined) {
      left.push(`room ${spelling}: it has ${members.length === 0 ? 'no members' : 'members and no owner'}`);
      continue;
    }
    rooms.push({
      uri: read.uri,
      private: (row.flag & roomFlags.private) !== 0,
      origin: `${source} room ${spelling} flag=${row.flag}`,
      members: [owner, ...members.filter((member) => member !== owner)],
    });
  }
  for (const [room, rows] of orphans) {
    for (const row of rows)
      left.push(`member ${spelledMember(row)}: ${refused.get(room) ?? `there is no room ${room}`}`);
  }
  return { rooms, left };
};

const spelledRoom = (row: RoomRow): string => `sip:${row.name}@${row.domain}`;
const spelledMember = (row: MemberRow): string => `sip:${row.username}@${row.domain} of ${row.room}`;

const sameRoom = (text: string, uri: RoomUri): boolean => {
  const parsed = parseRoom(text, '');
  return E.isRight(parsed) && roomKey(parsed.right) === roomKey(uri);
};

/** What `@`, `:`, `<` or `>` in a name would be read as is not what the row says. */
const isPart = (text: string): boolean => !/[@:<>]/.test(text);

const readRoom = (
  row: RoomRow,
  taken: ReadonlyMap<string, RoomRow>,
  unfit: (room: RoomUri) => string | undefined,
): { readonly uri: RoomUri } | { readonly reason: string } => {
  if ((row.flag & roomFlags.deleted) !== 0) return { reason: 'it is marked as deleted' };
  if ((row.flag & ~(roomFlags.private | roomFlags.deleted)) !== 0)
    return { reason: `its flag ${row.flag} is not known` };
  if (!isPart(row.name)) return { reason: 'its name cannot stand in a SIP URI' };
  const parsed = parseRoom(spelledRoom(row), '');
  if (E.isLeft(parsed)) return { reason: inWords(parsed.left) };
  const other = taken.get(roomKey(parsed.right));
  if (other !== undefined) return { reason: `it is the same room as ${spelledRoom(other)}, which stands before it` };
  const reason = unfit(parsed.right);
  return reason === undefined ? { uri: parsed.right } : { reason };
};

const readMembers = (rows: readonly MemberRow[], source: string, left: string[]): FoundMember[] => {
  const members = new Map<string, FoundMember>();
  let owned = false;
  for (const row of rows) {
    const at = `member ${spelledMember(row)}`;
    const read = readMember(row);
    if ('reason' in read) {
      left.push(`${at}: ${read.reason}`);
      continue;
    }
    const key = memberKey(read.uri);
    if (members.has(key)) {
      left.push(`${at}: the same user stands in the room already`);
      continue;
    }
    // Kamailio's `modify` makes second owners; a room has one, and OpenSIPS takes the first.
    const role: Member['role'] = read.role === 'owner' && owned ? 'admin' : read.role;
    if (role !== read.role) left.push(`${at}: a second owner; becomes admin`);
    owned ||= role === 'owner';
    members.set(key, { uri: read.uri, role, origin: `${source} member ${spelledMember(row)} flag=${row.flag}` });
  }
  return [...members.values()];
};

const readMember = (
  row: MemberRow,
): { readonly uri: MemberUri; readonly role: Member['role'] } | { readonly reason: string } => {
  const { owner, admin, invited, deleted, skip } = memberFlags;
  if ((row.flag & deleted) !== 0) return { reason: 'it is marked as deleted' };
  if ((row.flag & ~(owner | admin | invited | deleted | skip)) !== 0)
    return { reason: `its flag ${row.flag} is not known` };
  if (!isPart(row.username)) return { reason: 'its name cannot stand in a SIP URI' };
  const parsed = parseMember(`sip:${row.username}@${row.domain}`, '');
  if (E.isLeft(parsed)) return { reason: inWords(parsed.left) };
  const { uri } = parsed.right;
  if ((row.flag & owner) !== 0) return { uri, role: 'owner' };
  if ((row.flag & invited) !== 0) return { uri, role: 'invited' };
  return { uri, role: (row.flag & admin) !== 0 ? 'admin' : 'member' };
};

const inWords = (malformed: Malformed): string =>
  malformed.reason === 'TooLong'
    ? `${malformed.what} is ${malformed.found} characters long, and ${malformed.most} are possible`
    : 'it is no SIP URI';
