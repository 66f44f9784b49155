import type { Answerable, SipRequest } from '../message/message.ts';
import { branchCookie } from './branch.ts';

/** What server transactions are found by. */

/**
 * The transaction that a request belongs to (RFC 3261 17.2.3): branch, sent-by and method; without the magic cookie, what
 * RFC 2543 goes by.
 *
 * @param method the request's own, or for a CANCEL the one that it may mean (9.2)
 */
export const transactionKey = (request: Answerable, method: string): string => {
  const { topVia: via } = request;
  if (via.branch?.startsWith(branchCookie)) return `${via.branch}\n${via.host}\n${via.port ?? ''}\n${method}`;
  const cseq = request.cseqText.replace(/\S+$/, '');
  const uri = 'uri' in request ? String(request.uri) : '';
  return [uri, request.toText, request.fromText, request.callId, cseq, method, request.vias[0] ?? ''].join('\n');
};

/** What requests have in common that reached us by several ways (RFC 3261 8.2.2.2). */
export const mergeKey = (request: SipRequest): string => `${request.fromTag}\n${request.callId}\n${request.cseqText}`;
