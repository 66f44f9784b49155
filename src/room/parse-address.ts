import * as E from 'fp-ts/lib/Either.js';
import { MemberUri, mostPart, mostRoomUri, RoomUri, uriOf } from './address.ts';
import type { Malformed } from './refusals.ts';

/**
 * Addresses as people and requests write them, into canonical ones (behaviour section 1). Every expression here is linear.
 *
 * SIP URIs are read in three places, each for what it needs of them: here for who is meant, without npm `sip`, since the domain
 * is pure; by `sip/message/uri.ts` for what messages say, port and parameters too; by `config/network.ts` for the one form
 * that an option takes, with sentences for people. All others stand on these. `test/properties/sip-uris.test.ts` holds them equal.
 */

/** What an address is made of; `user` in canonical form. */
interface Parts {
  readonly scheme: 'sip' | 'sips';
  readonly user: string;
  readonly domain: string;
}

/** Longest text that is looked at as an address: a full URI with parameters and headers, and room to spare. */
const mostText = 1024;
/** What a refusal keeps of a text that is no address. */
const mostFound = 80;

const encoder = new TextEncoder();
/** Bytes that stand in a user part as they are: unreserved and user-unreserved of RFC 3261 25.1. */
const plain = new Set(
  encoder.encode("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()&=+$,;?/"),
);
const percent = 0x25;
/** Nearly every user part: not worth its bytes one by one. */
const nothingToEscape = /^[A-Za-z0-9\-_.!~*'()&=+$,;?/]*$/;
/** What no part of an address holds unless escaped: control characters, spaces, and what encloses URIs in text. */
const never = /[\x00-\x20\x7f"<>]/;

const hexDigit = (byte: number | undefined): number => {
  const digit = byte === undefined ? Number.NaN : Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(digit) ? -1 : digit;
};

const escaped = (byte: number): string => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;

/** A user part with exactly those bytes of its UTF-8 escaped that must be; `raw` may hold escapes of its own. Undefined where one is broken. */
const canonicalUser = (raw: string): string | undefined => {
  if (nothingToEscape.test(raw)) return raw;
  const bytes = encoder.encode(raw);
  let user = '';
  for (let i = 0; i < bytes.length; i += 1) {
    let byte = bytes[i] ?? 0;
    if (byte === percent) {
      const high = hexDigit(bytes[i + 1]);
      const low = hexDigit(bytes[i + 2]);
      if (high < 0 || low < 0) return undefined;
      byte = high * 16 + low;
      i += 2;
    }
    user += plain.has(byte) ? String.fromCharCode(byte) : escaped(byte);
  }
  return user;
};

/** `hostname` of RFC 3261 25.1, which covers an IPv4 address; a dot at the end stays, it names another domain to us. */
const hostname = /^(?:[A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*\.)*[A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*\.?$/;
const ipv4 = /^(?:\d{1,3}\.){3}\d{1,3}$/;

const isGroup = (text: string): boolean => /^[0-9A-Fa-f]{1,4}$/.test(text);

/** How many 16-bit groups a run such as `2001:db8` holds, an IPv4 address at the very end counting two; NaN where it is none. */
const groupsIn = (run: string, last: boolean): number => {
  if (run === '') return 0;
  const groups = run.split(':');
  const tail = groups.at(-1) ?? '';
  if (last && ipv4.test(tail)) return groups.slice(0, -1).every(isGroup) ? groups.length + 1 : Number.NaN;
  return groups.every(isGroup) ? groups.length : Number.NaN;
};

/** `IPv6address` of RFC 3261 25.1: eight groups, of which one run may be left out as `::`. */
const isIpv6 = (text: string): boolean => {
  const [head = '', tail, ...more] = text.split('::');
  if (more.length > 0) return false;
  if (tail === undefined) return groupsIn(head, true) === 8;
  return groupsIn(head, false) + groupsIn(tail, true) <= 7;
};

const isHost = (text: string): boolean =>
  text.startsWith('[') ? text.endsWith(']') && isIpv6(text.slice(1, -1)) : hostname.test(text);

/** The host of `host[:port][;parameters][?headers]`. */
const hostOf = (text: string): string => {
  const end = text.search(/[;?]/);
  const hostPort = end < 0 ? text : text.slice(0, end);
  return hostPort.replace(/:\d{1,5}$/, '');
};

/** The parts of `john`, `john@opensips.org`, `sip:john@opensips.org` or `sips:...`, in angle brackets or not; port, parameters, password and headers are left off. */
const partsOf = (text: string, domain: string): E.Either<Malformed, Parts> => {
  if (text.length > mostText) return tooLong('The address', text.length, mostText);
  const bad: E.Either<Malformed, Parts> = E.left({ reason: 'BadAddress', found: text.slice(0, mostFound) });
  const uri = text.startsWith('<') && text.endsWith('>') ? text.slice(1, -1) : text;
  // An unpaired surrogate would become U+FFFD, and so would any other: two names that are one.
  if (never.test(uri) || !uri.isWellFormed()) return bad;
  const scheme = /^(sips?):/i.exec(uri);
  const rest = scheme === null ? uri : uri.slice(scheme[0].length);
  const at = rest.indexOf('@');
  // A full URI without `@` is a host alone, which names no user.
  if (scheme !== null && at < 0) return bad;
  const userinfo = at < 0 ? rest : rest.slice(0, at);
  const colon = userinfo.indexOf(':');
  // Without our scheme what stands before a colon is another one (`mailto:`, `tel:`), and no user with a password.
  if (scheme === null && colon >= 0) return bad;
  const user = canonicalUser(colon < 0 ? userinfo : userinfo.slice(0, colon));
  const host = at < 0 ? domain : hostOf(rest.slice(at + 1));
  if (user === undefined || user === '' || !isHost(host)) return bad;
  return E.right({ scheme: scheme?.[1]?.toLowerCase() === 'sips' ? 'sips' : 'sip', user, domain: host });
};

const tooLong = (what: string, found: number, most: number): E.Either<Malformed, never> =>
  E.left({ reason: 'TooLong', what, found, most });

/** A user as somebody wrote one. */
export interface WrittenUser {
  readonly uri: MemberUri;
  readonly scheme: 'sip' | 'sips';
}

/**
 * A user as written in a request or an argument, limits of behaviour section 1 held.
 *
 * @param domain where the text names none; `''` refuses a text without a domain
 * @returns the canonical URI, and whether it was written with `sips:`
 */
export const parseMember = (text: string, domain: string): E.Either<Malformed, WrittenUser> => {
  const parts = partsOf(text, domain);
  if (E.isLeft(parts)) return parts;
  const { user, domain: at, scheme } = parts.right;
  if (user.length > mostPart) return tooLong('The user', user.length, mostPart);
  if (at.length > mostPart) return tooLong('The domain', at.length, mostPart);
  const uri = uriOf(user, at);
  return MemberUri.is(uri)
    ? E.right({ uri, scheme })
    : E.left({ reason: 'BadAddress', found: text.slice(0, mostFound) });
};

/**
 * A room as written in a request or an argument, limits of behaviour section 1 held. Whether it matches the routing rule is
 * for the caller to see.
 *
 * @param domain where the text names none; `''` refuses a text without a domain
 */
export const parseRoom = (text: string, domain: string): E.Either<Malformed, RoomUri> => {
  const parts = partsOf(text, domain);
  if (E.isLeft(parts)) return parts;
  const { user, domain: at } = parts.right;
  const uri = uriOf(user, at);
  if (user.length > mostPart) return tooLong("The room's name", user.length, mostPart);
  if (at.length > mostPart) return tooLong('The domain', at.length, mostPart);
  if (uri.length > mostRoomUri) return tooLong("The room's whole URI", uri.length, mostRoomUri);
  return RoomUri.is(uri) ? E.right(uri) : E.left({ reason: 'BadAddress', found: text.slice(0, mostFound) });
};
