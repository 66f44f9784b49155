import * as t from 'io-ts';
import { Actor, Role, scheme } from './actor.ts';
import { type MemberKey, MemberUri, RoomUri } from './address.ts';

/**
 * A room as it is: what `decide` looks at, and what a snapshot keeps. Its codecs say what there is to keep; `fold.ts` makes it of
 * events.
 */

/** A member proper. `since`: when membership began, RFC 3339 of the event's metadata. */
export const Enrolled = t.readonly(t.intersection([t.type({ uri: MemberUri, role: Role, since: t.string }), scheme]));
export type Enrolled = t.TypeOf<typeof Enrolled>;

/** A user whose place is pending. `since`: when the invitation was made. `inviter` is told how it ends. */
export const Invited = t.readonly(
  t.intersection([t.type({ uri: MemberUri, role: t.literal('invited'), since: t.string, inviter: Actor }), scheme]),
);
export type Invited = t.TypeOf<typeof Invited>;

/** One of a room. */
export const Member = t.union([Enrolled, Invited]);
export type Member = t.TypeOf<typeof Member>;

/** All of a room but who is in it. `topic`: empty where none is set. */
export const RoomProperties = t.readonly(t.type({ uri: RoomUri, private: t.boolean, topic: t.string }));
export type RoomProperties = t.TypeOf<typeof RoomProperties>;

/** A living room. `members` stand in the order of joining (accepting is joining); invitations stand where they were made. */
export interface Room extends RoomProperties {
  /** The one member whose role is owner. */
  readonly owner: MemberKey;
  readonly members: ReadonlyMap<MemberKey, Member>;
}

/** A room, or nothing: never made, or destroyed. */
export type RoomState = Room | undefined;

// Written out, all arguments asked for: a spread of `scheme` or nothing costs more than all the rest of an event's application,
// and whoever makes a member must say all of it.

export const enrolled = (uri: MemberUri, role: Role, since: string, sips: 'sips' | undefined): Enrolled =>
  sips === undefined ? { uri, role, since } : { uri, role, since, scheme: sips };

export const invited = (uri: MemberUri, since: string, inviter: Actor, sips: 'sips' | undefined): Invited =>
  sips === undefined
    ? { uri, role: 'invited', since, inviter }
    : { uri, role: 'invited', since, inviter, scheme: sips };

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

/** Who gets what is sent to the room: all but the invited, the owner first, then in the order of joining. */
export const recipientsOf = (room: Room): readonly MemberUri[] => {
  const list: MemberUri[] = [];
  for (const [key, { uri, role }] of room.members) {
    if (role === 'invited') continue;
    if (key === room.owner) list.unshift(uri);
    else list.push(uri);
  }
  return list;
};
