import { domainOf, type MemberUri, type RoomUri, userOf } from '../../room/address.ts';
import type { Member, Room } from '../../room/room.ts';

/** The module's tables (behaviour section 7): what a living room looks like in them. */

export interface RoomRow {
  readonly name: string;
  readonly domain: string;
  readonly flag: number;
}

export interface MemberRow {
  readonly username: string;
  readonly domain: string;
  /** The room's canonical URI, exactly as its row spells it. */
  readonly room: string;
  readonly flag: number;
}

/** Bits of the column `flag` of a room. A live row is never `deleted`. */
export const roomFlags = { private: 1, deleted: 2 } as const;
/** Bits of the column `flag` of a member. A live row has none of the last two. */
export const memberFlags = { owner: 1, admin: 2, invited: 4, deleted: 8, skip: 16 } as const;

/** The flag of a role: 0 for a plain member. */
export const flagOf = (role: Member['role']): number => (role === 'member' ? 0 : memberFlags[role]);

export const roomRow = (room: RoomUri, isPrivate: boolean): RoomRow => ({
  name: userOf(room),
  domain: domainOf(room),
  flag: isPrivate ? roomFlags.private : 0,
});

export const memberRow = (room: RoomUri, member: MemberUri, flag: number): MemberRow => ({
  username: userOf(member),
  domain: domainOf(member),
  room,
  flag,
});

/** A room's members as they are inserted: the owner first (OpenSIPS takes the first row for the owner), then in the order of joining. */
export const memberRows = (room: Room): MemberRow[] => {
  const rows = [...room.members.values()].map(({ uri, role }) => memberRow(room.uri, uri, flagOf(role)));
  return [...rows.filter(isOwner), ...rows.filter((row) => !isOwner(row))];
};

export const isOwner = (row: Pick<MemberRow, 'flag'>): boolean => (row.flag & memberFlags.owner) !== 0;
