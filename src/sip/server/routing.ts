import * as E from 'fp-ts/lib/Either.js';
import { domainOf, type MemberUri, type RoomUri, userOf } from '../../room/address.ts';
import { parseMember, parseRoom } from '../../room/parse-address.ts';
import { reasonOf } from '../../room/texts.ts';
import { parseUri, schemeOf } from '../message/grammar.ts';
import type { SipRequest } from '../message/message.ts';
import { badRequest, notFound, type SipAnswer, uriTooLong } from './answers.ts';

/** Which addresses are rooms, and which is the manager (behaviour sections 1 and 6). */
export interface RoutingRule {
  /** The domains served, in lower case. */
  readonly domains: ReadonlySet<string>;
  /** User parts, full match, without regard to case. */
  readonly manager: RegExp;
  readonly rooms: RegExp;
}

/** The conference address of a request. */
export interface Place {
  readonly address: RoomUri;
  readonly addressed: 'room' | 'manager';
}

/** A user, as a header names one. */
export interface Sender {
  readonly uri: MemberUri;
  readonly scheme?: 'sips';
}

/**
 * The conference address: To's URI where it matches the routing rule, else the Request-URI (a proxy has retargeted the
 * request); an answer where neither does.
 */
export const placeOf = (rule: RoutingRule, request: SipRequest): Place | SipAnswer => {
  if (parseUri(request.uri) === undefined) return badRequest('Request-URI cannot be read');
  const candidates: MemberUri[] = [];
  for (const [name, text] of [
    ['To', request.to.uri],
    ['Request-URI', request.uri],
  ] as const) {
    if (name === 'Request-URI' && text === request.to.uri) continue;
    const found = read(text);
    if (E.isRight(found)) candidates.push(found.right.uri);
    else if (found.left.reason === 'TooLong') return uriTooLong(`${name}: ${reasonOf(found.left, '')}`);
  }
  for (const candidate of candidates) {
    if (!rule.domains.has(domainOf(candidate).toLowerCase())) continue;
    const user = userOf(candidate);
    const addressed = rule.manager.test(user) ? 'manager' : rule.rooms.test(user) ? 'room' : undefined;
    if (addressed === undefined) continue;
    const room = parseRoom(candidate, '');
    if (E.isLeft(room)) return uriTooLong(reasonOf(room.left, ''));
    return { address: room.right, addressed };
  }
  return notFound('No room and no conference manager has this address');
};

/** The user that From names; an answer where it names none. */
export const senderOf = (request: SipRequest): Sender | SipAnswer => memberOf('From', request.from.uri);

/**
 * The user that a URI names; an answer where it names none.
 *
 * @param header where it stands, for the reason
 */
export const memberOf = (header: string, text: string): Sender | SipAnswer => {
  const found = read(text);
  if (E.isLeft(found)) return badRequest(`${header}: ${reasonOf(found.left, '')}`);
  const { uri, scheme } = found.right;
  return scheme === 'sips' ? { uri, scheme } : { uri };
};

/** Headers are Latin-1 here, one character a byte; what they hold is UTF-8. */
const read = (text: string): ReturnType<typeof parseMember> => {
  const scheme = schemeOf(text);
  if (scheme !== 'sip' && scheme !== 'sips') return E.left({ reason: 'BadAddress', found: text });
  return parseMember(/^[ -~]*$/.test(text) ? text : Buffer.from(text, 'latin1').toString('utf8'), '');
};
