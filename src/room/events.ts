import * as t from 'io-ts';
import { Actor, Role, scheme } from './actor.ts';
import { MemberUri, RoomUri } from './address.ts';
import { define } from './event-definition.ts';

/**
 * The facts of a room's stream: the stored contract, a row a type. A shape that has been written is never edited. What an older
 * node may ignore can be added as an optional field; whatever changes what the event means is a new version: the row's codec
 * becomes the new shape, and its `upcasts` get the step to it from the one before. `room` and `member` stand in the case first
 * seen, so an event names its rows in the mirror exactly. `npm run schemas` writes `schemas/events/<Type>.v<version>.json`.
 *
 * How to add a type, a field or a version: docs/contributing/how-to-add-an-event-field.md.
 */
export const roomEvents = {
  /** `owner` is the first member. `cause`: the command that made the room (`#create`, or `#join` of a missing one). */
  RoomCreated: define({
    meaning: 'A room was made; its owner is its first member.',
    data: t.intersection([
      t.type({
        room: RoomUri,
        owner: MemberUri,
        private: t.boolean,
        cause: t.union([t.literal('create'), t.literal('join'), t.literal('import')]),
      }),
      scheme,
    ]),
  }),
  /** By a `#join` of one who was not invited. */
  MemberJoined: define({
    meaning: 'A user who was not invited became a member by joining.',
    data: t.intersection([t.type({ room: RoomUri, member: MemberUri }), scheme]),
  }),
  MemberInvited: define({
    meaning: 'A user was invited.',
    data: t.intersection([t.type({ room: RoomUri, member: MemberUri, by: Actor }), scheme]),
  }),
  /** By `#accept`, or by `#join` of an invited one. */
  InvitationAccepted: define({
    meaning: 'An invited user became a member.',
    data: t.intersection([t.type({ room: RoomUri, member: MemberUri }), scheme]),
  }),
  /** By `#deny`, or by `#exit` of an invited one. `inviter` is told. */
  InvitationDenied: define({
    meaning: 'An invited user declined.',
    data: t.type({ room: RoomUri, member: MemberUri, inviter: Actor }),
  }),
  /** `removed`: by `#remove`. `undeliverable`: the invitation's MESSAGE failed at every device. */
  InvitationWithdrawn: define({
    meaning: 'An invitation ended without the invited user: removed, or not deliverable at any device.',
    data: t.type({
      room: RoomUri,
      member: MemberUri,
      inviter: Actor,
      by: Actor,
      cause: t.union([t.literal('removed'), t.literal('undeliverable')]),
    }),
  }),
  MemberRemoved: define({
    meaning: 'A member was removed.',
    data: t.type({ room: RoomUri, member: MemberUri, by: Actor }),
  }),
  MemberExited: define({
    meaning: 'A member left.',
    data: t.type({ room: RoomUri, member: MemberUri }),
  }),
  /** By `#add`: a member at once; one who was invited ceases to be a pending one. */
  MemberAdded: define({
    meaning: 'A user was made a member at once; an invitation, if there was one, ended so.',
    data: t.intersection([t.type({ room: RoomUri, member: MemberUri, by: Actor }), scheme]),
  }),
  /** `role: owner` hands the room over: the owner until then becomes admin, in this same event. */
  RoleChanged: define({
    meaning: 'A member has another role; with the role owner the owner until then became admin.',
    data: t.type({ room: RoomUri, member: MemberUri, role: Role, by: Actor }),
  }),
  /** By `#topic TEXT`. An empty `topic`: there is none any more. */
  TopicChanged: define({
    meaning: 'The room has another topic, or, where it is empty, none any more.',
    data: t.type({ room: RoomUri, topic: t.string, by: Actor }),
  }),
  RoomDestroyed: define({
    meaning: 'The room, its members and its invitations are gone; the name is free, and its stream goes on.',
    data: t.type({ room: RoomUri, by: Actor, cause: t.union([t.literal('exit'), t.literal('destroy')]) }),
  }),
};

export type RoomEvents = typeof roomEvents;
export type EventType = keyof RoomEvents;
/** Types of what happens to a room that is there. */
export type LaterType = Exclude<EventType, 'RoomCreated'>;
/** By type, the data of today's version. */
export type EventData = { readonly [T in EventType]: t.TypeOf<RoomEvents[T]['data']> };
/** A fact of a room's stream, in today's version; with `T`, one of some types. */
export type RoomEvent<T extends EventType = EventType> = {
  [K in T]: { readonly type: K; readonly data: EventData[K] };
}[T];
