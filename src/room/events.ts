import * as t from 'io-ts';
import { Actor, Role, scheme } from './actor.ts';
import { MemberUri, RoomUri } from './address.ts';

/**
 * The facts of a room's stream: the stored contract. A shape that has been written is never edited. What an older node may
 * ignore can be added as an optional field; whatever changes what the event means is a new version, and `upcast.ts` brings the
 * old one up. `room` and `member` stand in the case first seen, so an event names its rows in the mirror exactly.
 * `npm run schemas` writes `schemas/events/<Type>.v1.json` from these codecs.
 */

const event = <T extends string, D extends t.Mixed>(type: T, data: D) =>
  t.strict({ type: t.literal(type), data }, type);

/** `owner` is the first member. `cause`: the command that made the room (`#create`, or `#join` of a missing one). */
export const RoomCreated = event(
  'RoomCreated',
  t.intersection([
    t.type({
      room: RoomUri,
      owner: MemberUri,
      private: t.boolean,
      cause: t.union([t.literal('create'), t.literal('join'), t.literal('import')]),
    }),
    scheme,
  ]),
);
/** By a `#join` of one who was not invited. */
export const MemberJoined = event(
  'MemberJoined',
  t.intersection([t.type({ room: RoomUri, member: MemberUri }), scheme]),
);
export const MemberInvited = event(
  'MemberInvited',
  t.intersection([t.type({ room: RoomUri, member: MemberUri, by: Actor }), scheme]),
);
/** By `#accept`, or by `#join` of an invited one. */
export const InvitationAccepted = event(
  'InvitationAccepted',
  t.intersection([t.type({ room: RoomUri, member: MemberUri }), scheme]),
);
/** By `#deny`, or by `#exit` of an invited one. `inviter` is told. */
export const InvitationDenied = event('InvitationDenied', t.type({ room: RoomUri, member: MemberUri, inviter: Actor }));
/** `removed`: by `#remove`. `undeliverable`: the invitation's MESSAGE failed at every device. */
export const InvitationWithdrawn = event(
  'InvitationWithdrawn',
  t.type({
    room: RoomUri,
    member: MemberUri,
    inviter: Actor,
    by: Actor,
    cause: t.union([t.literal('removed'), t.literal('undeliverable')]),
  }),
);
export const MemberRemoved = event('MemberRemoved', t.type({ room: RoomUri, member: MemberUri, by: Actor }));
export const MemberExited = event('MemberExited', t.type({ room: RoomUri, member: MemberUri }));
/** By `#add`: a member at once; one who was invited ceases to be a pending one. */
export const MemberAdded = event(
  'MemberAdded',
  t.intersection([t.type({ room: RoomUri, member: MemberUri, by: Actor }), scheme]),
);
/** `role: owner` hands the room over: the owner until then becomes admin, in this same event. */
export const RoleChanged = event('RoleChanged', t.type({ room: RoomUri, member: MemberUri, role: Role, by: Actor }));
export const RoomDestroyed = event(
  'RoomDestroyed',
  t.type({ room: RoomUri, by: Actor, cause: t.union([t.literal('exit'), t.literal('destroy')]) }),
);

export const eventCodecs = {
  RoomCreated,
  MemberJoined,
  MemberInvited,
  InvitationAccepted,
  InvitationDenied,
  InvitationWithdrawn,
  MemberRemoved,
  MemberExited,
  MemberAdded,
  RoleChanged,
  RoomDestroyed,
} as const;

export type EventType = keyof typeof eventCodecs;
export type RoomEvent = { [K in EventType]: t.TypeOf<(typeof eventCodecs)[K]> }[EventType];

/**
 * What stands beside an event: who asked, from where, and what it belongs to. `$correlationId` and `$causationId` are the
 * names that EventStoreDB's own tools look for: the first is the request's Call-ID (an MI call's or an import's id), shared by
 * all that follows from it; the second the id of the request, or of the event, that led directly to this one.
 */
export const EventMetadata = t.intersection(
  [
    t.type({
      $correlationId: t.string,
      $causationId: t.string,
      /** Version of the event's data; `schemas/events/<Type>.v<version>.json`. */
      version: t.number,
      /** Who asked: a member's URI, or `operator:NAME`. */
      actor: Actor,
      /** `udp:192.0.2.1:5060`, `tcp:...`, `mi:http:127.0.0.1:40000`, `mi:fifo`, `import`, or `imcd` for a consequence. */
      source: t.string,
      /** The node that took the command (`node` option). */
      node: t.string,
      /** RFC 3339, UTC, milliseconds, by the node's clock. */
      time: t.string,
    }),
    t.partial({
      callId: t.string,
      /** Number and method, e.g. `1 MESSAGE`. */
      cseq: t.string,
      fromTag: t.string,
      /** Imported events: where the row stood. */
      origin: t.string,
    }),
  ],
  'EventMetadata',
);
export type EventMetadata = t.TypeOf<typeof EventMetadata>;
