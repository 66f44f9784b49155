import { hash } from 'node:crypto';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Ids } from '../../ports/ids.ts';
import type { Answerable, SipRequest } from '../message/message.ts';
import type { Source, Target } from '../transport/transport.ts';
import { transports } from '../transport/transports.ts';
import { answerBytes, type SipAnswer, trying } from './answer.ts';
import { answerTarget, sentByTarget } from './response-target.ts';

/**
 * Server transactions (RFC 3261 17.2.2, all methods alike: imcd takes no INVITE; RFC 4320). A request that comes again is
 * answered as before and not executed again. Of an answered one is kept its key and its answer without what it repeats of
 * the request, mostly a constant: 8,000 commands a second for 32 s are 256,000 transactions at some 200 bytes.
 */

/** Timer J over UDP, milliseconds; 0 over a stream. */
const timerJ = 32_000;
/** Answers later than this find no client transaction any more and are not sent (RFC 4320 4.2). */
const lifetime = 32_000;
/** When Timer E has reached T2: not before it, but then, a request is told to wait (RFC 4320 4.1). */
const tryingAfter = 3_500;
const tick = 1_000;

export interface ServerCounters {
  /** Requests that began a transaction. */
  requests: number;
  /** Requests that came again after their answer and got it again. */
  retransmissions: number;
  /** Requests that came again while the first was under way. */
  absorbed: number;
  merged: number;
  /** Requests refused because the table was full. */
  overflows: number;
  /** Answers that did not leave. */
  unsent: number;
  /** Answers that came too late to be sent. */
  tooLate: number;
  /** Final answers by method and status: `MESSAGE 200`; methods that imcd does not take together as `other`. */
  readonly answers: Record<string, number>;
}

/** Hands an answer to its transport. Never throws; `onFailure` at most once. */
export type Send = (target: Target, bytes: Buffer, onFailure: (reason: string) => void) => void;

export interface ServerTransaction {
  /** Another request with this From tag, Call-ID and CSeq, and another branch, is under way or kept (RFC 3261 8.2.2.2). */
  readonly merged: boolean;
  /** Gives the final answer. Only the first call counts. */
  readonly answer: (answer: SipAnswer) => void;
}

export interface ServerTransactions {
  readonly counters: ServerCounters;
  /** A new request's transaction; `again` where it has come before and is dealt with; `full` where no more can be kept. */
  readonly begin: (request: SipRequest, source: Source) => ServerTransaction | 'again' | 'full';
  /** Deals with a request that has come before, as `begin` does; false for a new one. */
  readonly again: (request: SipRequest, source: Source) => boolean;
  /** Is there a transaction, of whatever method, that this CANCEL means (RFC 3261 9.2)? */
  readonly cancels: (request: SipRequest) => boolean;
  /** Answers without a transaction (RFC 3261 8.2.7): each copy of the request gets the same bytes. */
  readonly answerStateless: (request: Answerable, source: Source, answer: SipAnswer) => void;
  /** Transactions under way, and those kept for retransmissions. */
  readonly pending: () => number;
  readonly kept: () => number;
  readonly close: () => void;
}

export interface ServerOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly send: Send;
  /** Value of Server in every answer. */
  readonly product: string;
  /** Most transactions at a time. */
  readonly limit?: number;
}

interface Pending {
  readonly begun: number;
  readonly request: SipRequest;
  readonly source: Source;
  readonly mergeKey: string;
}

/** Of a transaction that is answered: what its retransmissions get. */
type Kept = SipAnswer;
const isPending = (entry: Pending | Kept): entry is Pending => 'begun' in entry;

const cookie = 'z9hG4bK';

export const createServerTransactions = (options: ServerOptions): ServerTransactions => {
  const { clock, ids, send, product, limit = 400_000 } = options;
  // Keys are hashed with a secret: they are short, hold no piece of the request's text alive, and a part of them is a tag
  // that nobody can guess (RFC 3261 19.3) and that comes out the same each time.
  const secret = ids.token();
  const digest = (text: string): string => hash('sha1', secret + text, 'base64url');

  const entries = new Map<string, Pending | Kept>();
  const merging = new Map<string, string>();
  /** Under way and not yet told to wait, the oldest first. */
  const waiting = new Map<string, Pending>();
  /** Keys of `entries` and `merging` in turn, by the second in which Timer J fires for them. */
  const wheel: string[][] = Array.from({ length: timerJ / tick + 2 }, () => []);
  let now = 0;
  let underWay = 0;
  let timer: Timer | undefined;
  const counters: ServerCounters = {
    requests: 0,
    retransmissions: 0,
    absorbed: 0,
    merged: 0,
    overflows: 0,
    unsent: 0,
    tooLate: 0,
    answers: {},
  };

  const transmit = (request: Answerable, source: Source, tag: string, answer: SipAnswer): void => {
    const bytes = answerBytes(request, source, tag, answer, product);
    const target = answerTarget(request.topVia, source);
    send(target, bytes, () => {
      counters.unsent += 1;
      if (!transports[target.transport].connected || target.flow === undefined) return;
      send(sentByTarget(request.topVia, source), bytes, () => {
        counters.unsent += 1;
      });
    });
  };

  const forget = (key: string, mergeKey: string): void => {
    entries.delete(key);
    if (merging.get(mergeKey) === key) merging.delete(mergeKey);
  };

  const sayTrying = (): void => {
    const before = clock.monotonic() - tryingAfter;
    for (const [key, entry] of waiting) {
      if (entry.begun > before) return;
      waiting.delete(key);
      transmit(entry.request, entry.source, '', trying);
    }
  };
  const run = (): void => {
    timer = undefined;
    now = (now + 1) % wheel.length;
    const due = wheel[now] ?? [];
    wheel[now] = [];
    for (let i = 0; i + 1 < due.length; i += 2) forget(due[i] ?? '', due[i + 1] ?? '');
    sayTrying();
    wake();
  };
  const wake = (): void => {
    if (timer === undefined && entries.size > 0) timer = clock.after(tick, run);
  };

  const countAnswer = (method: string, status: number): void => {
    const known = method === 'MESSAGE' || method === 'REGISTER' || method === 'OPTIONS';
    const name = `${known ? method : 'other'} ${status}`;
    counters.answers[name] = (counters.answers[name] ?? 0) + 1;
  };

  const settle = (key: string, pending: Pending, answer: SipAnswer): void => {
    underWay -= 1;
    waiting.delete(key);
    countAnswer(pending.request.method, answer.status);
    if (!transports[pending.source.transport].reliable) {
      entries.set(key, answer);
      // One tick more: the present one has begun already.
      wheel[(now + timerJ / tick + 1) % wheel.length]?.push(key, pending.mergeKey);
    } else forget(key, pending.mergeKey);
    if (clock.monotonic() - pending.begun >= lifetime) {
      counters.tooLate += 1;
      return;
    }
    transmit(pending.request, pending.source, tagOf(key), answer);
  };

  const again = (key: string, request: SipRequest, source: Source): boolean => {
    const entry = entries.get(key);
    if (entry === undefined) return false;
    if (isPending(entry)) counters.absorbed += 1;
    else {
      counters.retransmissions += 1;
      transmit(request, source, tagOf(key), entry);
    }
    return true;
  };

  return {
    counters,
    again: (request, source) => again(digest(transactionKey(request, request.method)), request, source),
    begin: (request, source) => {
      const key = digest(transactionKey(request, request.method));
      if (again(key, request, source)) return 'again';
      if (entries.size >= limit) {
        counters.overflows += 1;
        return 'full';
      }
      const mergeKey = digest(`${request.fromTag}\n${request.callId}\n${request.cseqText}`);
      const other = merging.get(mergeKey);
      const merged = request.toTag === undefined && other !== undefined;
      if (merged) counters.merged += 1;
      if (other === undefined) merging.set(mergeKey, key);
      const pending: Pending = { begun: clock.monotonic(), request, source, mergeKey };
      entries.set(key, pending);
      waiting.set(key, pending);
      underWay += 1;
      counters.requests += 1;
      wake();
      return {
        merged,
        answer: (answer) => {
          if (entries.get(key) === pending) settle(key, pending, answer);
        },
      };
    },
    cancels: (request) => cancellable.some((method) => entries.has(digest(transactionKey(request, method)))),
    answerStateless: (request, source, answer) => {
      countAnswer(request.method, answer.status);
      transmit(request, source, tagOf(digest(transactionKey(request, request.method))), answer);
    },
    pending: () => underWay,
    kept: () => entries.size - underWay,
    close: () => {
      timer?.cancel();
      timer = undefined;
      entries.clear();
      merging.clear();
      waiting.clear();
      underWay = 0;
    },
  };
};

/** A CANCEL itself, and the ACK, cannot be cancelled. */
const cancellable = ['INVITE', 'MESSAGE', 'REGISTER', 'OPTIONS'];

const tagOf = (key: string): string => key.slice(0, 16);

/** RFC 3261 17.2.3: branch, sent-by and method; without the magic cookie, what RFC 2543 goes by. */
const transactionKey = (request: Answerable, method: string): string => {
  const { topVia: via } = request;
  if (via.branch?.startsWith(cookie)) return `${via.branch}\n${via.host}\n${via.port ?? ''}\n${method}`;
  const cseq = request.cseqText.replace(/\S+$/, '');
  const uri = 'uri' in request ? String(request.uri) : '';
  return [uri, request.toText, request.fromText, request.callId, cseq, method, request.vias[0] ?? ''].join('\n');
};
