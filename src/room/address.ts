import * as t from 'io-ts';

/**
 * Addresses of rooms and members (behaviour section 1).
 *
 * Identity is (user, domain) without regard to ASCII case, escapes undone. The canonical URI is `sip:user@domain` in the
 * case first seen, with exactly those bytes of the user part escaped that RFC 3261 25.1 does not let stand there. So two
 * canonical URIs mean the same one exactly where they are equal in lower case. `parse-address.ts` makes them.
 */

interface RoomUriBrand {
  readonly RoomUri: unique symbol;
}
interface MemberUriBrand {
  readonly MemberUri: unique symbol;
}
interface RoomKeyBrand {
  readonly RoomKey: unique symbol;
}
interface MemberKeyBrand {
  readonly MemberKey: unique symbol;
}

/** Longest user, and longest domain, that the SQL tables can hold. */
export const mostPart = 64;
/** Longest canonical URI of a room, `sip:` and `@` included: it stands whole in a column of 64. */
export const mostRoomUri = 64;
/** Longest canonical URI of a member: `sip:`, user, `@`, domain. */
export const mostMemberUri = 4 + mostPart + 1 + mostPart;

/**
 * The canonical form: `sip:` user `@` host, no port, parameters, password or headers. The user part is `unreserved` and
 * `user-unreserved` of RFC 3261 25.1, and escapes, in upper case, of what is neither.
 */
export const canonicalUri =
  /^sip:(?:[A-Za-z0-9_.!~*'()&=+$,;?/-]|%(?:[0189A-F][0-9A-F]|2[0235]|3[ACE]|40|5[B-E]|60|7[BCDF]))+@(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])$/;

/** A room's canonical URI, e.g. `sip:chat-000@opensips.org`. */
export const RoomUri = t.brand(
  t.string,
  (s): s is t.Branded<string, RoomUriBrand> => s.length <= mostRoomUri && canonicalUri.test(s),
  'RoomUri',
);
export type RoomUri = t.TypeOf<typeof RoomUri>;

/** A user's canonical URI, e.g. `sip:alice@example.org`. */
export const MemberUri = t.brand(
  t.string,
  (s): s is t.Branded<string, MemberUriBrand> => s.length <= mostMemberUri && canonicalUri.test(s),
  'MemberUri',
);
export type MemberUri = t.TypeOf<typeof MemberUri>;

/** Identity of a room: `user@domain` of its URI in lower case. */
export type RoomKey = t.Branded<string, RoomKeyBrand>;
/** Identity of a user: `user@domain` of its URI in lower case. */
export type MemberKey = t.Branded<string, MemberKeyBrand>;

/** Identity of a canonical room URI. */
export const roomKey = (uri: RoomUri): RoomKey => uri.slice(4).toLowerCase() as RoomKey;

/** Identity of a canonical member URI. */
export const memberKey = (uri: MemberUri): MemberKey => uri.slice(4).toLowerCase() as MemberKey;

/** `sip:user@domain` of two texts, whatever they are: canonical where both are. */
export const uriOf = (user: string, domain: string): string => `sip:${user}@${domain}`;

/** The canonical URI of a user of whom the identity alone is known, in lower case. */
export const memberOfKey = (key: MemberKey): MemberUri => `sip:${key}` as MemberUri;

/** `user@domain` as it stands in texts and announcements, in the case first seen. */
export const withoutScheme = (uri: RoomUri | MemberUri): string => uri.slice(4);

/** The user part, as it stands in the URI. */
export const userOf = (uri: RoomUri | MemberUri): string => uri.slice(4, uri.lastIndexOf('@'));

/** The host part, as it stands in the URI. */
export const domainOf = (uri: RoomUri | MemberUri): string => uri.slice(uri.lastIndexOf('@') + 1);
