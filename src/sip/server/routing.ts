import * as E from 'fp-ts/lib/Either.js';
import { domainOf, type MemberUri, type RoomUri, userOf } from '../../room/address.ts';
import { parseRoom } from '../../room/parse-address.ts';
import { reasonOf } from '../../room/texts.ts';
import type { SipRequest } from '../message/message.ts';
import { parseUri } from '../message/uri.ts';
import { namedUser } from '../message/user.ts';
import { badRequest, notFound, type SipAnswer } from '../transaction/answer.ts';
import { uriTooLong } from './answers.ts';

/**
 * Which addresses are rooms, and which is the manager (behaviour sections 1 and 6). A request names one in To, or in its
 * Request-URI where a proxy has retargeted it.
 */

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
export const placeOf = (rule: RoutingRule, { uri, to }: SipRequest): Place | SipAnswer => {
  if (parseUri(uri) === undefined) return badRequest('Request-URI cannot be read');
  const named = [namedUser('To', to.uri), ...(uri === to.uri ? [] : [namedUser('Request-URI', uri)])];
  for (const user of named) if ('status' in user && user.status === 414) return uriTooLong(user.reason);
  for (const user of named) {
    if ('status' in user) continue;
    const addressed = addressedAs(rule, user.uri);
    if (addressed === undefined) continue;
    const room = parseRoom(user.uri, '');
    if (E.isLeft(room)) return uriTooLong(reasonOf(room.left, ''));
    return { address: room.right, addressed };
  }
  return notFound('No room and no conference manager has this address');
};

const addressedAs = ({ domains, manager, rooms }: RoutingRule, uri: MemberUri): Place['addressed'] | undefined => {
  if (!domains.has(domainOf(uri).toLowerCase())) return undefined;
  const user = userOf(uri);
  if (manager.test(user)) return 'manager';
  return rooms.test(user) ? 'room' : undefined;
};
