import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { type MemberUri, memberKey, type RoomKey, type RoomUri, roomKey, uriOf } from './address.ts';
import { parseMember, parseRoom } from './parse-address.ts';
import type { Malformed } from './refusals.ts';
import type { Member } from './room.ts';

/** What another server left in its tables, as rooms; and what of it is no room or member of ours. */

/** A row of another's table of rooms. */
export interface RoomToImport {
  readonly name: string;
  readonly domain: string;
  /** What its flags say; Left: why they make it no room, as a sentence's end. */
  readonly private: E.Either<string, boolean>;
  /** Where the row stands, as it goes into the event's metadata. */
  readonly origin: string;
}

/** A row of another's table of members. */
export interface MemberToImport {
  readonly user: string;
  readonly domain: string;
  /** The room's URI, as this row spells it. */
  readonly room: string;
  /** What its flags say; Left: why they make it no member. */
  readonly role: E.Either<string, Member['role']>;
  readonly origin: string;
}

/** Another's tables, in the order of their rows. */
export interface TablesToImport {
  readonly rooms: readonly RoomToImport[];
  readonly members: readonly MemberToImport[];
  /** Rows that could not even be read, with the reason: a sentence each. */
  readonly left: readonly string[];
}

export interface FoundMember {
  readonly uri: MemberUri;
  readonly role: Member['role'];
  readonly origin: string;
}

export interface FoundRoom {
  readonly uri: RoomUri;
  readonly private: boolean;
  readonly origin: string;
  /** The owner first, once; then in the order of their rows. */
  readonly members: readonly FoundMember[];
}

export interface FoundRooms {
  readonly rooms: readonly FoundRoom[];
  /** Rows that cannot be taken over, with the reason: a sentence each. */
  readonly left: readonly string[];
}

/** Why an address cannot be a room here (the routing rule), as a sentence's end; undefined where it can. */
export type Unfit = (room: RoomUri) => string | undefined;

/** The rooms that the rows make, with their members. */
export const foundRooms = (tables: TablesToImport, unfit: Unfit): FoundRooms => {
  const left = [...tables.left];
  const bySpelling = Map.groupBy(tables.members, ({ room }) => room);
  const spellingsOf = spellingsIn(tables, bySpelling.keys());
  const taken = new Map<RoomKey, string>();
  const refused = new Set<string>();
  const rooms: FoundRoom[] = [];

  for (const row of tables.rooms) {
    const spelling = spelledRoom(row);
    const read = readRoom(row, taken, unfit);
    if (E.isLeft(read)) {
      left.push(`room ${spelling}: ${read.left}`);
      refused.add(spelling);
      continue;
    }
    const { uri } = read.right;
    taken.set(roomKey(uri), spelling);
    const own = spellingsOf(spelling, uri).flatMap((text) => {
      const rows = bySpelling.get(text) ?? [];
      bySpelling.delete(text);
      return rows;
    });
    const members = readMembers(own, left);
    const owner = members.find(({ role }) => role === 'owner');
    if (owner === undefined) {
      left.push(`room ${spelling}: it has ${members.length === 0 ? 'no members' : 'members and no owner'}`);
      continue;
    }
    rooms.push({
      ...read.right,
      origin: row.origin,
      members: [owner, ...members.filter((member) => member !== owner)],
    });
  }
  for (const [room, rows] of bySpelling) {
    const why = refused.has(room) ? 'its room is left out' : `there is no room ${room}`;
    for (const row of rows) left.push(`member ${spelledMember(row)}: ${why}`);
  }
  return { rooms, left };
};

const spelledRoom = ({ name, domain }: RoomToImport): string => uriOf(name, domain);
const spelledUser = ({ user, domain }: MemberToImport): string => uriOf(user, domain);
const spelledMember = (row: MemberToImport): string => `${spelledUser(row)} of ${row.room}`;

/**
 * How rows of members spell a room, in the order in which they first do. OpenSIPS finds a room's members by exactly the text of
 * its row; other cases of it are the same room to us, unless they are another row's.
 */
const spellingsIn = (tables: TablesToImport, all: Iterable<string>) => {
  const exact = new Set(tables.rooms.map(spelledRoom));
  const place = new Map([...all].map((text, at) => [text, at]));
  const loose = Map.groupBy(
    [...place.keys()].filter((text) => !exact.has(text)),
    (text) => E.toUnion(E.map(roomKey)(parseRoom(text, ''))),
  );
  return (spelling: string, uri: RoomUri): readonly string[] =>
    [spelling, ...(loose.get(roomKey(uri)) ?? [])].sort((a, b) => (place.get(a) ?? 0) - (place.get(b) ?? 0));
};

/** What `@`, `:`, `<` or `>` in a name would be read as is not what the row says. */
const isPart = (text: string): boolean => !/[@:<>]/.test(text);
const noPart = (): string => 'its name cannot stand in a SIP URI';

/** Left: why the row is no room here. */
const readRoom = (
  row: RoomToImport,
  taken: ReadonlyMap<RoomKey, string>,
  unfit: Unfit,
): E.Either<string, Pick<FoundRoom, 'uri' | 'private'>> =>
  pipe(
    row.private,
    E.filterOrElse(() => isPart(row.name), noPart),
    E.bindTo('private'),
    E.bind('uri', () => E.mapLeft(inWords)(parseRoom(spelledRoom(row), ''))),
    E.chainFirst(({ uri }) => isFree(uri, taken)),
    E.chainFirst(({ uri }) => isFit(uri, unfit)),
  );

const isFree = (uri: RoomUri, taken: ReadonlyMap<RoomKey, string>): E.Either<string, undefined> => {
  const other = taken.get(roomKey(uri));
  return other === undefined ? E.right(undefined) : E.left(`it is the same room as ${other}, which stands before it`);
};

const isFit = (uri: RoomUri, unfit: Unfit): E.Either<string, undefined> => {
  const why = unfit(uri);
  return why === undefined ? E.right(undefined) : E.left(why);
};

const readMembers = (rows: readonly MemberToImport[], left: string[]): FoundMember[] => {
  const members = new Map<string, FoundMember>();
  let owned = false;
  for (const row of rows) {
    const at = `member ${spelledMember(row)}`;
    const read = readMember(row);
    if (E.isLeft(read)) {
      left.push(`${at}: ${read.left}`);
      continue;
    }
    const { uri, role: written } = read.right;
    const key = memberKey(uri);
    if (members.has(key)) {
      left.push(`${at}: the same user stands in the room already`);
      continue;
    }
    // Kamailio's `modify` makes second owners; a room has one, and OpenSIPS takes the first.
    const role: Member['role'] = written === 'owner' && owned ? 'admin' : written;
    if (role !== written) left.push(`${at}: a second owner; becomes admin`);
    owned ||= role === 'owner';
    members.set(key, { uri, role, origin: row.origin });
  }
  return [...members.values()];
};

/** Left: why the row is no member. */
const readMember = (row: MemberToImport): E.Either<string, Pick<FoundMember, 'uri' | 'role'>> =>
  pipe(
    row.role,
    E.filterOrElse(() => isPart(row.user), noPart),
    E.bindTo('role'),
    E.bind('parsed', () => E.mapLeft(inWords)(parseMember(spelledUser(row), ''))),
    E.map(({ role, parsed: { uri } }) => ({ uri, role })),
  );

const inWords = (malformed: Malformed): string =>
  malformed.reason === 'TooLong'
    ? `${malformed.what} is ${malformed.found} characters long, and ${malformed.most} are possible`
    : 'it is no SIP URI';
