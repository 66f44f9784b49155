import { parseRequest } from '../../sip/message/grammar.ts';
import { methodNotAllowed } from '../../sip/server/answers.ts';
import { ok } from '../../sip/transaction/answer.ts';
import type { ServerTransactions } from '../../sip/transaction/server.ts';
import type { Received } from '../../sip/transport/transport.ts';

/** What others send to the user of `imcd chat`: messages are taken and shown, all else is answered. */

/** A MESSAGE that came: the URI of its From, its content type (`text/plain` where it names none), its body. */
export type OnMessage = (from: string, contentType: string, body: Buffer) => void;

/** Answers what others send: takes every MESSAGE, says yes to OPTIONS, and 405 to every other method (RFC 3261 8.2.1). */
export const answerRequests =
  (transactions: ServerTransactions, onMessage: OnMessage) =>
  ({ bytes, from, cut }: Received): void => {
    const parsed = parseRequest(bytes);
    if (parsed.kind !== 'request' || cut !== undefined || parsed.request.method === 'ACK') return;
    const { request } = parsed;
    const transaction = transactions.begin(request, from);
    if (typeof transaction === 'string') return;
    if (request.method !== 'MESSAGE') {
      transaction.answer(request.method === 'OPTIONS' ? ok : methodNotAllowed);
      return;
    }
    transaction.answer(ok);
    onMessage(request.from.uri, request.contentType ?? 'text/plain', request.body);
  };
