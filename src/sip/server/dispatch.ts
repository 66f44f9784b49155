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

/**
 * What comes from the network goes its way: responses to client transactions, requests through a server transaction to the
 * user agent server. What cannot be understood is answered here, counted and logged.
 */

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

export interface RequestDispatchOptions {
  readonly refusedLog: RefusedLog;
  readonly client: ClientTransactions;
  readonly server: ServerTransactions;
  /** Is a sender at this IP address believed to be who From says? */
  readonly believed: (address: string) => boolean;
  readonly maxMessageSize: number;
}

/** Statuses of requests that are wrong in themselves: each is logged once. */
const wrongInItself: ReadonlySet<number> = new Set([400, 405, 414, 415, 416, 420, 481, 482, 483, 505, 513]);

/** Requests are not looked at before `serve`; new ones are turned away after `refuse`. */
export class RequestDispatch {
  readonly counters: SipCounters = { malformed: 0, garbage: 0, keepAlives: 0, stopping: 0, defects: 0 };
  readonly #options: RequestDispatchOptions;
  #uas: Uas | undefined;
  #refusing = false;

  constructor(options: RequestDispatchOptions) {
    this.#options = options;
  }

  /** Requests go to this user agent server from now on. */
  serve(uas: Uas): void {
    this.#uas = uas;
  }

  /** New requests get 503 from now on; those that are begun are answered still. */
  refuse(): void {
    this.#refusing = true;
  }

  /** Takes one message. Never throws. */
  take(message: Received): void {
    try {
      if (isResponse(message.bytes)) this.#options.client.response(message.bytes);
      else if (this.#uas !== undefined) this.#takeRequest(message, this.#uas);
    } catch (error) {
      this.#defect(message.from, undefined, error);
    }
  }

  #takeRequest({ bytes, from, cut }: Received, uas: Uas): void {
    const parsed = parseRequest(bytes);
    if (parsed.kind === 'keep-alive') {
      this.counters.keepAlives += 1;
      return;
    }
    const known = parsed.kind === 'request' ? parsed.request : parsed.malformation.answerable;
    if (known === undefined) {
      this.counters.garbage += 1;
      const reason = parsed.kind === 'malformed' ? parsed.malformation.reason : '';
      const fields = { source: showTransportAddress(from), bytes: bytes.length, reason };
      this.#options.refusedLog.refused(fields, 'message cannot be answered');
      return;
    }
    if (known.method === 'ACK') return; // RFC 3261 17.2: never answered; imcd has no INVITE
    if (cut !== undefined) this.#malformed(known, from, cutAnswer(cut, this.#options.maxMessageSize));
    else if (parsed.kind === 'malformed')
      this.#malformed(known, from, answer(parsed.malformation.status, parsed.malformation.reason));
    else if (this.#refusing) this.#turnAway(parsed.request, from);
    else this.#serve(parsed.request, from, uas);
  }

  #malformed(request: Answerable, source: Source, reply: SipAnswer): void {
    this.counters.malformed += 1;
    this.#answerStateless(request, source, reply);
  }

  #turnAway(request: SipRequest, source: Source): void {
    const { server } = this.#options;
    if (server.again(request, source)) return;
    this.counters.stopping += 1;
    server.answerStateless(request, source, overloaded(10, 'The server is stopping'));
  }

  #serve(request: SipRequest, source: Source, uas: Uas): void {
    const { server, believed } = this.#options;
    if (!believed(source.host)) {
      // Such senders change nothing and may be lying about where they are: nothing is kept of their requests.
      uas.handle(request, source, false, (reply) => this.#answerStateless(request, source, reply));
      return;
    }
    const transaction = server.begin(request, source);
    if (transaction === 'again') return;
    if (transaction === 'full') {
      server.answerStateless(request, source, overloaded(5, 'Too many requests are kept'));
      return;
    }
    try {
      uas.handle(request, source, transaction.merged, (reply, byEngine) => {
        if (!byEngine) this.#logRefused(request, source, reply);
        transaction.answer(reply);
      });
    } catch (error) {
      this.#defect(source, request.callId, error);
      transaction.answer(answer(500, 'Server Internal Error'));
    }
  }

  #answerStateless(request: Answerable, source: Source, reply: SipAnswer): void {
    this.#logRefused(request, source, reply);
    this.#options.server.answerStateless(request, source, reply);
  }

  #logRefused({ method, callId }: Answerable, source: Source, { status, reason }: SipAnswer): void {
    const { refusedLog, believed } = this.#options;
    if (!wrongInItself.has(status) && believed(source.host)) return;
    if (status < 300) return;
    refusedLog.refused({ source: showTransportAddress(source), method, status, reason, callId }, 'request refused');
  }

  #defect(source: Source, callId: string | undefined, error: unknown): void {
    this.counters.defects += 1;
    this.#options.refusedLog.defect(
      { source: showTransportAddress(source), callId, error: error instanceof Error ? error.stack : String(error) },
      'a message met a defect of imcd; please report it',
    );
  }
}

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
