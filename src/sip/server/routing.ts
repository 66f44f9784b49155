import * as E from 'fp-ts/lib/Either.js';
import { domainOf, type MemberUri, type RoomUri, userOf } from '../../room/address.ts';
import { parseRoom } from '../../room/parse-address.ts';
import { reasonOf } from '../../room/texts.ts';
import { parseUri } from '../message/grammar.ts';
import type { SipRequest } from '../message/message.ts';
import { namedUser } from '../message/user.ts';
import { badRequest, notFound, type SipAnswer } from '../transaction/answer.ts';
import { uriTooLong } from './answers.ts';

/** Which addresses are rooms, and which is the manager (behaviour sections 1 and 6). */
export interface RoutingRule {
  /** The domains served, in lower case. */
  readonly domains: ReadonlySet<string>;
  /** User parts, full match, without regard to case. */
  readonly manager: Pick<RegExp, 'test'>;
  readonly rooms: Pick<RegExp, 'test'>;
}

/** The conference address of a request. */
export interface Place {
  readonly address: RoomUri;
  readonly addressed: 'room' | 'manager';
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
    const found = namedUser(name, text);
    if ('uri' in found) candidates.push(found.uri);
    else if (found.status === 414) return uriTooLong(found.reason);
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
