import { showTransportAddress } from '../../net/address.ts';
import { parseRequest } from '../message/grammar.ts';
import type { Answerable, SipRequest } from '../message/message.ts';
import { isResponse } from '../message/status-line.ts';
import { answer, badRequest, overloaded, type SipAnswer } from '../transaction/answer.ts';
import type { ClientTransactions } from '../transaction/client.ts';
import type { ServerTransactions } from '../transaction/server.ts';
import type { Cut, Received, Source } from '../transport/transport.ts';
import { tooLarge } from './answers.ts';
import type { RefusedLog } from './refused-log.ts';
import type { Uas } from './uas.ts';

/** What comes from the network goes its way: responses to client transactions, requests through a server transaction to the UAS. */

export interface SipCounters {
  /** Requests that could not be understood and were answered. */
  malformed: number;
  /** Messages that could not even be answered. */
  garbage: number;
  keepAlives: number;
  /** Requests refused because the server stops. */
  stopping: number;
  defects: number;
}

export interface DispatchOptions {
  readonly refusedLog: RefusedLog;
  readonly client: ClientTransactions;
  readonly server: ServerTransactions;
  /** Undefined while nobody is there to take requests. */
  readonly uas: () => Uas | undefined;
  readonly closing: () => boolean;
  /** Is a sender at this IP address believed? */
  readonly believed: (address: string) => boolean;
  readonly maxMessageSize: number;
  readonly counters: SipCounters;
}

/** Statuses of requests that are wrong in themselves: each is logged once. */
const wrongInItself: ReadonlySet<number> = new Set([400, 405, 414, 415, 416, 420, 481, 482, 483, 505, 513]);

/** Takes one message; never throws. */
export const createDispatch = (options: DispatchOptions): ((message: Received) => void) => {
  const { refusedLog, client, server, believed, maxMessageSize, counters } = options;

  const logRefused = (request: Answerable, source: Source, { status, reason }: SipAnswer): void => {
    if (!wrongInItself.has(status) && believed(source.host)) return;
    if (status < 300) return;
    const { method, callId } = request;
    refusedLog.refused({ source: showTransportAddress(source), method, status, reason, callId }, 'request refused');
  };

  const stateless = (request: Answerable, source: Source, reply: SipAnswer): void => {
    logRefused(request, source, reply);
    server.answerStateless(request, source, reply);
  };

  /** Senders that are not believed change nothing and may be lying about where they are: nothing is kept of their requests. */
  const turnAway = (request: SipRequest, source: Source, handler: Uas): void =>
    handler.handle(request, source, false, (reply) => stateless(request, source, reply));

  const defect = (source: Source, callId: string | undefined, error: unknown): void => {
    counters.defects += 1;
    refusedLog.defect(
      { source: showTransportAddress(source), callId, error: error instanceof Error ? error.stack : String(error) },
      'a message met a defect of imcd; please report it',
    );
  };

  const serve = (request: SipRequest, source: Source, handler: Uas): void => {
    if (!believed(source.host)) {
      turnAway(request, source, handler);
      return;
    }
    const transaction = server.begin(request, source);
    if (transaction === 'again') return;
    if (transaction === 'full') {
      server.answerStateless(request, source, overloaded(5, 'Too many requests are kept'));
      return;
    }
    try {
      handler.handle(request, source, transaction.merged, (reply, byEngine) => {
        if (!byEngine) logRefused(request, source, reply);
        transaction.answer(reply);
      });
    } catch (error) {
      defect(source, request.callId, error);
      transaction.answer(answer(500, 'Server Internal Error'));
    }
  };

  const take = ({ bytes, from, cut }: Received): void => {
    const uas = options.uas();
    if (isResponse(bytes)) {
      client.response(bytes);
      return;
    }
    if (uas === undefined) return; // nothing listens yet
    const parsed = parseRequest(bytes);
    if (parsed.kind === 'keep-alive') {
      counters.keepAlives += 1;
      return;
    }
    const known = parsed.kind === 'request' ? parsed.request : parsed.malformation.answerable;
    if (known === undefined) {
      counters.garbage += 1;
      const reason = parsed.kind === 'malformed' ? parsed.malformation.reason : '';
      refusedLog.refused(
        { source: showTransportAddress(from), bytes: bytes.length, reason },
        'message cannot be answered',
      );
      return;
    }
    if (known.method === 'ACK') return; // RFC 3261 17.2: never answered; imcd has no INVITE
    if (cut !== undefined || parsed.kind === 'malformed') {
      counters.malformed += 1;
      const { status, reason } = parsed.kind === 'malformed' ? parsed.malformation : badRequest('');
      stateless(known, from, cut === undefined ? answer(status, reason) : cutAnswer(cut, maxMessageSize));
      return;
    }
    if (options.closing()) {
      if (server.again(parsed.request, from)) return;
      counters.stopping += 1;
      server.answerStateless(known, from, overloaded(10, 'The server is stopping'));
      return;
    }
    serve(parsed.request, from, uas);
  };

  return (message) => {
    try {
      take(message);
    } catch (error) {
      defect(message.from, undefined, error);
    }
  };
};

/** What is said to a message of which only the head was taken. */
const cutAnswer = (cut: Cut, maxMessageSize: number): SipAnswer => {
  switch (cut) {
    case 'head-too-large':
      return badRequest('Header of more than 64 KiB');
    case 'body-too-large':
      return tooLarge(maxMessageSize);
    case 'no-content-length':
      return badRequest('No Content-Length, which a stream needs');
    case 'bad-content-length':
      return badRequest('Content-Length is no number');
  }
};
