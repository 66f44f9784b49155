import type { Actor, Role } from './actor.ts';
import { type MemberKey, type MemberUri, memberKey, type RoomUri } from './address.ts';
import type { RoomEvent } from './events.ts';

/** A member proper. */
export interface Enrolled {
  readonly uri: MemberUri;
  readonly role: Role;
  /** When membership began: RFC 3339 of the event's metadata. */
  readonly since: string;
  readonly scheme?: 'sips';
}

/** A user whose place is pending. */
export interface Invited {
  readonly uri: MemberUri;
  readonly role: 'invited';
  /** When the invitation was made: RFC 3339 of the event's metadata. */
  readonly since: string;
  /** Who is told how it ends. */
  readonly inviter: Actor;
  readonly scheme?: 'sips';
}

/** One of a room. */
export type Member = Enrolled | Invited;

/** A living room. `members` stand in the order of joining (accepting is joining); invitations stand where they were made. */
export interface Room {
  readonly uri: RoomUri;
  readonly private: boolean;
  readonly owner: MemberKey;
  readonly members: ReadonlyMap<MemberKey, Member>;
}

/** A room, or nothing: never made, or destroyed. */
export type RoomState = Room | undefined;

/** A room whose member table belongs to whoever folds it. */
interface OwnedRoom {
  readonly uri: RoomUri;
  readonly private: boolean;
  owner: MemberKey;
  readonly members: Map<MemberKey, Member>;
}

/** Ready arrays of recipients; an entry lives until its room's recipients change. */
const ready = new WeakMap<Room, readonly MemberUri[]>();

const isOwned = (room: Room): room is OwnedRoom => room.members instanceof Map;

/**
 * Applies an event to a room that the caller owns: its member table is changed in place, and the same room comes back; a new
 * one after `RoomCreated`, undefined after `RoomDestroyed`. An event of a room that is not there changes nothing.
 *
 * @param time of the event's metadata, RFC 3339
 */
export const applyInPlace = (room: RoomState, event: RoomEvent, time: string): RoomState => {
  if (event.type === 'RoomCreated') return created(event.data, time);
  if (room === undefined || !isOwned(room)) return room;
  switch (event.type) {
    case 'RoomDestroyed':
      return undefined;
    case 'MemberInvited':
      invite(room, event.data, time);
      return room;
    case 'MemberJoined':
    case 'MemberAdded':
    case 'InvitationAccepted':
      enter(room, event.data.member, time, event.data.scheme);
      return room;
    case 'InvitationDenied':
    case 'InvitationWithdrawn':
      room.members.delete(memberKey(event.data.member));
      return room;
    case 'MemberRemoved':
    case 'MemberExited':
      room.members.delete(memberKey(event.data.member));
      ready.delete(room);
      return room;
    case 'RoleChanged':
      changeRole(room, memberKey(event.data.member), event.data.role);
      return room;
  }
};

type DataOf<T extends RoomEvent['type']> = Extract<RoomEvent, { type: T }>['data'];

const created = (
  { room: uri, owner: first, private: isPrivate, scheme }: DataOf<'RoomCreated'>,
  time: string,
): Room => {
  const owner = memberKey(first);
  const members = new Map<MemberKey, Member>([[owner, enrolled(first, 'owner', time, scheme)]]);
  return { uri, private: isPrivate, owner, members };
};

// Written out: a spread of `scheme` or nothing costs more than all the rest of an event's application.
const enrolled = (uri: MemberUri, role: Role, since: string, scheme: 'sips' | undefined): Enrolled =>
  scheme === undefined ? { uri, role, since } : { uri, role, since, scheme };

const invite = ({ members }: OwnedRoom, { member, by, scheme }: DataOf<'MemberInvited'>, since: string): void => {
  const invited: Invited = { uri: member, role: 'invited', since, inviter: by };
  members.set(memberKey(member), scheme === undefined ? invited : { ...invited, scheme });
};

/** Becomes a member; one who was invited keeps the case first seen, and takes the place of one who joins now. */
const enter = (room: OwnedRoom, uri: MemberUri, time: string, scheme: 'sips' | undefined): void => {
  const { members } = room;
  const key = memberKey(uri);
  const invited = members.get(key);
  if (invited !== undefined) members.delete(key);
  members.set(key, enrolled(invited?.uri ?? uri, 'member', time, scheme ?? invited?.scheme));
  ready.delete(room);
};

/** There is exactly one owner: who hands the room over becomes admin. */
const changeRole = (room: OwnedRoom, key: MemberKey, role: Role): void => {
  const member = memberOf(room, key);
  if (member === undefined) return;
  if (role === 'owner') {
    const old = memberOf(room, room.owner);
    if (old !== undefined) room.members.set(room.owner, { ...old, role: 'admin' });
    room.owner = key;
    ready.delete(room); // The owner stands first.
  }
  room.members.set(key, { ...member, role });
};

/** The room after many events: the member table is copied once, and `room` stays as it is. */
export const fold = (
  room: RoomState,
  events: Iterable<{ readonly event: RoomEvent; readonly time: string }>,
): RoomState => {
  let state: RoomState = room === undefined ? undefined : { ...room, members: new Map(room.members) };
  for (const { event, time } of events) state = applyInPlace(state, event, time);
  return state;
};

/** The room after one event; `room` stays as it is. */
export const evolve = (room: RoomState, event: RoomEvent, time: string): RoomState => fold(room, [{ event, time }]);

/** A member proper; undefined for a stranger, and for one who is invited only. */
export const memberOf = (room: Room, key: MemberKey): Enrolled | undefined => {
  const member = room.members.get(key);
  return member?.role === 'invited' ? undefined : member;
};

/** How many members a room has, without the invited. */
export const memberCount = (room: Room): number => {
  let count = 0;
  for (const { role } of room.members.values()) if (role !== 'invited') count += 1;
  return count;
};

/**
 * Who gets what is sent to the room: all but the invited, the owner first, then in the order of joining. The same array for
 * as long as those are the same: the fan-out keeps what it has prepared by it.
 */
export const recipientsOf = (room: Room): readonly MemberUri[] => {
  const known = ready.get(room);
  if (known !== undefined) return known;
  const list: MemberUri[] = [];
  for (const [key, { uri, role }] of room.members) {
    if (role === 'invited') continue;
    if (key === room.owner) list.unshift(uri);
    else list.push(uri);
  }
  ready.set(room, list);
  return list;
};
