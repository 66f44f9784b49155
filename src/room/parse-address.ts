import * as E from 'fp-ts/lib/Either.js';
import { MemberUri, RoomUri } from './address.ts';
import type { Malformed } from './refusals.ts';

/** Addresses as people and requests write them, into canonical ones (behaviour section 1). Every expression here is linear. */

/** What an address is made of, escapes undone. */
interface Parts {
  readonly scheme: 'sip' | 'sips';
  readonly user: string;
  readonly domain: string;
}

/** Longest user and domain that the SQL tables can hold. */
export const MOST_PART = 64;
/** Longest canonical URI of a room, `sip:` and `@` included. */
export const MOST_ROOM_URI = 64;

const encoder = new TextEncoder();
/** Bytes that stand in a user part as they are: unreserved and user-unreserved of RFC 3261 25.1. */
const plain = new Set(
  encoder.encode("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()&=+$,;?/"),
);
const PERCENT = 0x25;

const hexDigit = (byte: number | undefined): number => {
  const digit = byte === undefined ? Number.NaN : Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(digit) ? -1 : digit;
};

/** A user part with exactly those bytes escaped that must be; `raw` may hold escapes of its own. Undefined where an escape is broken. */
const canonicalUser = (raw: string): string | undefined => {
  const bytes = encoder.encode(raw);
  let user = '';
  for (let i = 0; i < bytes.length; i += 1) {
    let byte = bytes[i] ?? 0;
    if (byte === PERCENT) {
      const high = hexDigit(bytes[i + 1]);
      const low = hexDigit(bytes[i + 2]);
      if (high < 0 || low < 0) return undefined;
      byte = high * 16 + low;
      i += 2;
    }
    user += plain.has(byte) ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return user;
};

const host = /^(?:[A-Za-z0-9](?:[A-Za-z0-9\-.]*[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]{2,45}\])$/;

/** Longest text that is looked at as an address. */
const MOST_TEXT = 1024;

/** The parts of `john`, `john@opensips.org`, `sip:john@opensips.org` or `sips:...`; port, parameters, password and headers are left off. */
const partsOf = (text: string, domain: string): E.Either<Malformed, Parts> => {
  const bad: E.Either<Malformed, Parts> = E.left({ reason: 'BadAddress', found: text });
  if (text.length > MOST_TEXT) return bad;
  const bracketed = text.startsWith('<') && text.endsWith('>') ? text.slice(1, -1) : text;
  const scheme = /^(sips?):/i.exec(bracketed);
  const rest = scheme === null ? bracketed : bracketed.slice(scheme[0].length);
  const at = rest.indexOf('@');
  // Without `@` a full URI is a host alone, which names no user.
  if (scheme !== null && at < 0) return bad;
  const password = at < 0 ? -1 : rest.slice(0, at).indexOf(':');
  const user = canonicalUser(rest.slice(0, password >= 0 ? password : at < 0 ? undefined : at));
  const found = at < 0 ? domain : hostOf(rest.slice(at + 1));
  if (user === undefined || user === '' || !host.test(found)) return bad;
  if (at < 0 && /[:<>]/.test(rest)) return bad;
  return E.right({ scheme: scheme?.[1]?.toLowerCase() === 'sips' ? 'sips' : 'sip', user, domain: found });
};

/** The host of `host[:port][;parameters][?headers]`. */
const hostOf = (text: string): string => {
  const end = text.search(/[;?]/);
  const hostPort = end < 0 ? text : text.slice(0, end);
  return hostPort.replace(/:\d{1,5}$/, '');
};

const tooLong = (what: string, found: number, most: number): E.Either<Malformed, never> =>
  E.left({ reason: 'TooLong', what, found, most });

/** A user as written in a request or an argument; `domain` where it names none. Limits of behaviour section 1. */
export const parseMember = (
  text: string,
  domain: string,
): E.Either<Malformed, { readonly uri: MemberUri; readonly scheme: 'sip' | 'sips' }> => {
  const parts = partsOf(text, domain);
  if (E.isLeft(parts)) return parts;
  const { user, domain: at, scheme } = parts.right;
  if (user.length > MOST_PART) return tooLong('The user', user.length, MOST_PART);
  if (at.length > MOST_PART) return tooLong('The domain', at.length, MOST_PART);
  const uri = `sip:${user}@${at}`;
  return MemberUri.is(uri) ? E.right({ uri, scheme }) : E.left({ reason: 'BadAddress', found: text });
};

/** A room as written in a request or an argument; `domain` where it names none. Limits of behaviour section 1. */
export const parseRoom = (text: string, domain: string): E.Either<Malformed, RoomUri> => {
  const parts = partsOf(text, domain);
  if (E.isLeft(parts)) return parts;
  const { user, domain: at } = parts.right;
  const uri = `sip:${user}@${at}`;
  if (user.length > MOST_PART) return tooLong("The room's name", user.length, MOST_PART);
  if (at.length > MOST_PART) return tooLong('The domain', at.length, MOST_PART);
  if (uri.length > MOST_ROOM_URI) return tooLong("The room's whole URI", uri.length, MOST_ROOM_URI);
  return RoomUri.is(uri) ? E.right(uri) : E.left({ reason: 'BadAddress', found: text });
};
