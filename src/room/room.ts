import { type MemberKey, type MemberUri, memberKey, type RoomUri } from './address.ts';
import type { Actor } from './commands.ts';
import type { Role, RoomEvent } from './events.ts';

/** One of a room: a member, or an invited user whose place is pending. */
export interface Member {
  readonly uri: MemberUri;
  readonly role: Role | 'invited';
  /** When the role `invited`, or membership, began: RFC 3339 of the event's metadata. */
  readonly since: string;
  /** Who invited; only while `invited`. */
  readonly inviter?: Actor;
  readonly scheme?: 'sips';
}

/** A living room. `members` stand in the order of joining (accepting is joining). */
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

/** Ready arrays of recipients; an entry lives until its room changes. */
const ready = new WeakMap<Room, readonly MemberUri[]>();

const isOwned = (room: Room): room is OwnedRoom => room.members instanceof Map;

/**
 * Applies an event to a room that the caller owns: its member table is changed in place, and the same room comes back; a new
 * one after `RoomCreated`, undefined after `RoomDestroyed`. An event of a room that is not there changes nothing.
 */
export const applyInPlace = (room: RoomState, event: RoomEvent, time: string): RoomState => {
  if (event.type === 'RoomCreated') return created(event.data, time);
  if (room === undefined || !isOwned(room)) return room;
  ready.delete(room);
  const { members } = room;
  switch (event.type) {
    case 'RoomDestroyed':
      return undefined;
    case 'MemberInvited': {
      const { member, by, scheme } = event.data;
      members.set(memberKey(member), { uri: member, role: 'invited', since: time, inviter: by, ...withScheme(scheme) });
      return room;
    }
    case 'MemberJoined':
    case 'MemberAdded':
      enter(room, event.data.member, time, event.data.scheme);
      return room;
    case 'InvitationAccepted':
      enter(room, event.data.member, time, undefined);
      return room;
    case 'InvitationDenied':
    case 'InvitationWithdrawn':
    case 'MemberRemoved':
    case 'MemberExited':
      members.delete(memberKey(event.data.member));
      return room;
    case 'RoleChanged':
      changeRole(room, memberKey(event.data.member), event.data.role);
      return room;
  }
};

const withScheme = (scheme: 'sips' | undefined): { readonly scheme?: 'sips' } =>
  scheme === undefined ? {} : { scheme };

const created = (data: Extract<RoomEvent, { type: 'RoomCreated' }>['data'], time: string): Room => {
  const owner = memberKey(data.owner);
  const member: Member = { uri: data.owner, role: 'owner', since: time, ...withScheme(data.scheme) };
  return { uri: data.room, private: data.private, owner, members: new Map([[owner, member]]) };
};

/** Becomes a member; one who was invited keeps the case first seen, and takes the place of one who joins now. */
const enter = ({ members }: OwnedRoom, uri: MemberUri, time: string, scheme: 'sips' | undefined): void => {
  const key = memberKey(uri);
  const invited = members.get(key);
  members.delete(key);
  members.set(key, { uri: invited?.uri ?? uri, role: 'member', since: time, ...withScheme(scheme ?? invited?.scheme) });
};

/** There is exactly one owner: who hands the room over becomes admin. */
const changeRole = (room: OwnedRoom, key: MemberKey, role: Role): void => {
  const member = room.members.get(key);
  if (member === undefined) return;
  if (role === 'owner') {
    const old = room.members.get(room.owner);
    if (old !== undefined) room.members.set(room.owner, { ...old, role: 'admin' });
    room.owner = key;
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

/** Who gets what is sent to the room: all but the invited, the owner first, then in the order of joining. The same array for as long as the room is the same. */
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
