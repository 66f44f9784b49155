import * as E from 'fp-ts/lib/Either.js';
import { domainOf, type RoomUri, userOf } from '../../room/address.ts';
import { parseRoom } from '../../room/parse-address.ts';
import { type Addressed, addressedBy, type RoutingRule, serves } from '../../room/routing-rule.ts';
import { reasonOf } from '../../room/texts.ts';
import type { SipRequest } from '../message/message.ts';
import { parseUri } from '../message/uri.ts';
import { namedUser } from '../message/user.ts';
import { badRequest, notFound, type SipAnswer } from '../transaction/answer.ts';
import { uriTooLong } from './answers.ts';

/** Where a request goes: it names a conference address in To, or in its Request-URI where a proxy has retargeted it. */

/** The conference address of a request. */
export interface Place {
  readonly address: RoomUri;
  readonly addressed: Addressed;
}

/**
 * The conference address: To's URI where it matches the routing rule, else the Request-URI (a proxy has retargeted the
 * request); an answer where neither does.
 */
export const placeOf = (rule: RoutingRule, { uri, to }: SipRequest): Place | SipAnswer => {
  if (parseUri(uri) === undefined) return badRequest('Request-URI cannot be read');
  const named = [namedUser('To', to.uri), ...(uri === to.uri ? [] : [namedUser('Request-URI', uri)])];
  for (const user of named) if ('status' in user && user.status === 414) return uriTooLong(user.reason);
  for (const user of named) {
    if ('status' in user) continue;
    const addressed = serves(rule, domainOf(user.uri)) ? addressedBy(rule, userOf(user.uri)) : undefined;
    if (addressed === undefined) continue;
    const room = parseRoom(user.uri, '');
    if (E.isLeft(room)) return uriTooLong(reasonOf(room.left, ''));
    return { address: room.right, addressed };
  }
  return notFound('No room and no conference manager has this address');
};
