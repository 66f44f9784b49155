import { type MemberKey, memberKey } from './address.ts';
import type { EventData, LaterType, RoomEvent } from './events.ts';
import { enrolled, invited, type Member, memberOf, type Room, type RoomState } from './room.ts';

/** What events make of a room. */

type Mutable<A> = { -readonly [K in keyof A]: A[K] };

/** A room that belongs to whoever folds it: changed in place, since a join must not copy the table of all who joined before. */
type OwnedRoom = Mutable<Omit<Room, 'members'>> & { readonly members: Map<MemberKey, Member> };

/** What an event makes of a room: the one that lives on, or none. `time`: RFC 3339, of the event's metadata. */
type Apply<Data> = (room: OwnedRoom, data: Data, time: string) => Room | 'gone';

/** Becomes a member; one who was invited keeps the case first seen, and takes the place of one who joins now. */
const enter: Apply<EventData['MemberJoined']> = (room, { member, scheme }, time) => {
  const key = memberKey(member);
  const before = room.members.get(key);
  if (before !== undefined) room.members.delete(key);
  room.members.set(key, enrolled(before?.uri ?? member, 'member', time, scheme ?? before?.scheme));
  return room;
};

const leave: Apply<EventData['MemberExited']> = (room, { member }) => {
  room.members.delete(memberKey(member));
  return room;
};

const invite: Apply<EventData['MemberInvited']> = (room, { member, by, scheme }, time) => {
  room.members.set(memberKey(member), invited(member, time, by, scheme));
  return room;
};

/** One who is invited is no recipient. */
const endInvitation: Apply<EventData['InvitationDenied']> = (room, { member }) => {
  room.members.delete(memberKey(member));
  return room;
};

/** There is exactly one owner: who hands the room over becomes admin. */
const changeRole: Apply<EventData['RoleChanged']> = (room, { member: uri, role }) => {
  const key = memberKey(uri);
  const member = memberOf(room, key);
  if (member === undefined) return room;
  if (role === 'owner') {
    const old = memberOf(room, room.owner);
    if (old !== undefined) room.members.set(room.owner, { ...old, role: 'admin' });
    room.owner = key;
  }
  room.members.set(key, { ...member, role });
  return room;
};

/** A type of event that has no row here does not compile. */
const applies: { readonly [T in LaterType]: Apply<EventData[T]> } = {
  MemberJoined: enter,
  MemberAdded: enter,
  InvitationAccepted: enter,
  MemberInvited: invite,
  InvitationDenied: endInvitation,
  InvitationWithdrawn: endInvitation,
  MemberRemoved: leave,
  MemberExited: leave,
  RoleChanged: changeRole,
  TopicChanged: (room, { topic }) => {
    room.topic = topic;
    return room;
  },
  RoomDestroyed: () => 'gone',
};

const create = (
  { room: uri, owner: first, private: isPrivate, scheme }: EventData['RoomCreated'],
  time: string,
): Room => {
  const owner = memberKey(first);
  const members = new Map<MemberKey, Member>([[owner, enrolled(first, 'owner', time, scheme)]]);
  return { uri, private: isPrivate, topic: '', owner, members };
};

const isOwned = (room: Room): room is OwnedRoom => room.members instanceof Map;

const applyLater = <T extends LaterType>(room: OwnedRoom, event: RoomEvent<T>, time: string): Room | 'gone' =>
  applies[event.type](room, event.data, time);

/**
 * Applies an event to a room that the caller owns: its member table is changed in place, and the same room comes back; a new
 * one after `RoomCreated`, undefined after `RoomDestroyed`. An event of a room that is not there changes nothing.
 *
 * @param time of the event's metadata, RFC 3339
 */
export const applyInPlace = (room: RoomState, event: RoomEvent, time: string): RoomState => {
  if (event.type === 'RoomCreated') return create(event.data, time);
  if (room === undefined || !isOwned(room)) return room;
  const next = applyLater(room, event, time);
  return next === 'gone' ? undefined : next;
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
