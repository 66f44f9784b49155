import type { SipRequest } from '../message/message.ts';
import { schemeOf } from '../message/uri.ts';
import type { SipAnswer } from '../transaction/answer.ts';
import {
  badExtension,
  loopDetected,
  merged,
  methodNotAllowed,
  noSuchTransaction,
  tooLarge,
  tooManyHops,
  unsupportedEncoding,
  unsupportedScheme,
} from './answers.ts';

/**
 * What every request is held against before anybody acts on it (RFC 3261 8.2). The first thing that is wrong is the answer.
 */

/** What a request is held against before anybody acts on it. */
export interface InspectionRule {
  /** How branches of our own client transactions begin. */
  readonly branchPrefix: string;
  /** Most bytes of a body. */
  readonly maxMessageSize: number;
}

/**
 * Inspects a request in the order of RFC 3261 8.2. Returns the answer to the first thing that is wrong; undefined where
 * nothing is.
 *
 * @param isMerged the request has come by another way already (8.2.2.2)
 */
export const inspect = (
  request: SipRequest,
  isMerged: boolean,
  { branchPrefix, maxMessageSize }: InspectionRule,
): SipAnswer | undefined => {
  const { method, body } = request;
  if (method !== 'MESSAGE' && method !== 'OPTIONS' && method !== 'REGISTER') return methodNotAllowed; // 8.2.1
  const scheme = schemeOf(request.uri);
  if (scheme !== 'sip' && scheme !== 'sips') return unsupportedScheme; // 8.2.2.1
  // A copy of ours has come back: a member's address is a room's, or a proxy sent it here. It would go round for ever.
  if (request.vias.some((via) => via.includes(branchPrefix))) return loopDetected;
  if (isMerged) return merged; // 8.2.2.2
  if (request.toTag !== undefined && method === 'MESSAGE') return noSuchTransaction; // 12.2.2: imcd has no dialogs
  // 16.3: a conference passes on what it gets, as a proxy does. OPTIONS (11) and REGISTER (10.3) end here.
  if (request.maxForwards === 0 && method === 'MESSAGE') return tooManyHops;
  if (request.require.length > 0) return badExtension(request.require); // 8.2.2.3: imcd knows none
  if (request.contentEncoding.length > 0 && body.length > 0) return unsupportedEncoding; // 8.2.3
  if (body.length > maxMessageSize) return tooLarge(maxMessageSize);
  return undefined;
};
