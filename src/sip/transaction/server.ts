import { hash } from 'node:crypto';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Ids } from '../../ports/ids.ts';
import type { Answerable, SipRequest } from '../message/message.ts';
import type { Source } from '../transport/transport.ts';
import { transports } from '../transport/transports.ts';
import { answerBytes, type SipAnswer, trying } from './answer.ts';
import { mergeKey, transactionKey } from './request-key.ts';
import { type SendBytes, sendAnswer } from './send-answer.ts';

/**
 * Server transactions (RFC 3261 17.2.2, all methods alike: imcd takes no INVITE; RFC 4320). A request that comes again is
 * answered as before and not executed again.
 *
 *     Trying ---100, after 3.5 s---> Proceeding
 *        |                               |
 *        +------------200-699------------+--> Completed --Timer J--> Terminated
 *
 * Trying and Proceeding are a `ServerTransaction`. Of a completed one is kept its key and its answer without what it repeats
 * of the request, mostly a constant: 8,000 commands a second for 32 s are 256,000 transactions at some 200 bytes.
 */

/** Timer J over UDP, milliseconds; 0 over a reliable transport. */
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

export interface ServerOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly send: SendBytes;
  /** Value of Server in every answer. */
  readonly product: string;
  /** Most transactions at a time. */
  readonly limit?: number;
}

/** A request that is worked on. */
export interface ServerTransaction {
  /** Another request with this From tag, Call-ID and CSeq, and another branch, is under way or kept (RFC 3261 8.2.2.2). */
  readonly merged: boolean;
  /** Gives the final answer. Only the first call counts. */
  readonly answer: (answer: SipAnswer) => void;
}

/** In Trying or Proceeding. */
interface Open extends ServerTransaction {
  readonly key: string;
  readonly mergeKey: string;
  /** Monotonic. */
  readonly begun: number;
  readonly request: SipRequest;
  readonly source: Source;
}

/** In Completed: what its retransmissions get. */
type Completed = SipAnswer;
const isOpen = (entry: Open | Completed): entry is Open => 'begun' in entry;

export class ServerTransactions {
  readonly counters: ServerCounters = {
    requests: 0,
    retransmissions: 0,
    absorbed: 0,
    merged: 0,
    overflows: 0,
    unsent: 0,
    tooLate: 0,
    answers: {},
  };

  readonly #clock: Clock;
  readonly #send: SendBytes;
  readonly #product: string;
  readonly #limit: number;
  /**
   * Keys are hashed with a secret: they are short, hold no piece of the request's text alive, and a part of them is a tag
   * that nobody can guess (RFC 3261 19.3) and that comes out the same each time.
   */
  readonly #secret: string;
  readonly #entries = new Map<string, Open | Completed>();
  readonly #merging = new Map<string, string>();
  /** In Trying, the oldest first. */
  readonly #trying = new Map<string, Open>();
  #open = 0;
  /** Keys of `#entries` and `#merging` in turn, by the second in which Timer J fires for them. */
  readonly #wheel: string[][] = Array.from({ length: timerJ / tick + 2 }, () => []);
  #now = 0;
  #timer: Timer | undefined;

  constructor({ clock, ids, send, product, limit = 400_000 }: ServerOptions) {
    this.#clock = clock;
    this.#send = send;
    this.#product = product;
    this.#limit = limit;
    this.#secret = ids.token();
  }

  /**
   * A new request's transaction: Trying (RFC 3261 17.2.2). `again` where it has come before and is dealt with; `full` where no
   * more can be kept.
   */
  begin(request: SipRequest, source: Source): ServerTransaction | 'again' | 'full' {
    const key = this.#keyOf(request, request.method);
    if (this.#absorb(key, request, source)) return 'again';
    if (this.#entries.size >= this.#limit) {
      this.counters.overflows += 1;
      return 'full';
    }
    const merge = this.#hash(mergeKey(request));
    const other = this.#merging.get(merge);
    const merged = request.toTag === undefined && other !== undefined;
    if (merged) this.counters.merged += 1;
    if (other === undefined) this.#merging.set(merge, key);
    const begun = this.#clock.monotonic();
    const open: Open = {
      key,
      mergeKey: merge,
      begun,
      request,
      source,
      merged,
      answer: (answer) => {
        if (this.#entries.get(key) === open) this.#complete(open, answer);
      },
    };
    this.#entries.set(key, open);
    this.#trying.set(key, open);
    this.#open += 1;
    this.counters.requests += 1;
    this.#wake();
    return open;
  }

  /** Deals with a request that has come before, as `begin` does; false for a new one. */
  again(request: SipRequest, source: Source): boolean {
    return this.#absorb(this.#keyOf(request, request.method), request, source);
  }

  /** Is there a transaction, of whatever method, that this CANCEL means (RFC 3261 9.2)? */
  cancels(request: SipRequest): boolean {
    return cancellable.some((method) => this.#entries.has(this.#keyOf(request, method)));
  }

  /** Answers without a transaction (RFC 3261 8.2.7): each copy of the request gets the same bytes. */
  answerStateless(request: Answerable, source: Source, answer: SipAnswer): void {
    this.#count(request.method, answer.status);
    this.#transmit(request, source, tagOf(this.#keyOf(request, request.method)), answer);
  }

  /** Transactions under way. */
  pending(): number {
    return this.#open;
  }

  /** Those kept for retransmissions. */
  kept(): number {
    return this.#entries.size - this.#open;
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#entries.clear();
    this.#merging.clear();
    this.#trying.clear();
    this.#open = 0;
  }

  #hash(text: string): string {
    return hash('sha1', this.#secret + text, 'base64url');
  }

  #keyOf(request: Answerable, method: string): string {
    return this.#hash(transactionKey(request, method));
  }

  /** A request come again: nothing happens while it is worked on; in Completed it gets its answer again (RFC 3261 17.2.2). */
  #absorb(key: string, request: SipRequest, source: Source): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    if (isOpen(entry)) this.counters.absorbed += 1;
    else {
      this.counters.retransmissions += 1;
      this.#transmit(request, source, tagOf(key), entry);
    }
    return true;
  }

  /** Trying -> Proceeding, by a 100, for all whose client has reached T2 by now (RFC 3261 17.2.2, RFC 4320 4.1). */
  #proceed(): void {
    const before = this.#clock.monotonic() - tryingAfter;
    for (const [key, open] of this.#trying) {
      if (open.begun > before) return;
      this.#trying.delete(key);
      this.#transmit(open.request, open.source, '', trying);
    }
  }

  /** Trying or Proceeding -> Completed, by a final answer (RFC 3261 17.2.2); where Timer J is 0, -> Terminated. */
  #complete(open: Open, answer: SipAnswer): void {
    const { key, request, source } = open;
    this.#open -= 1;
    this.#trying.delete(key);
    this.#count(request.method, answer.status);
    if (transports[source.transport].reliable) this.#terminate(key, open.mergeKey);
    else {
      this.#entries.set(key, answer);
      // One tick more: the present one has begun already.
      this.#wheel[(this.#now + timerJ / tick + 1) % this.#wheel.length]?.push(key, open.mergeKey);
    }
    if (this.#clock.monotonic() - open.begun < lifetime) this.#transmit(request, source, tagOf(key), answer);
    else this.counters.tooLate += 1;
  }

  /** Timer J: Completed -> Terminated (RFC 3261 17.2.2). */
  #terminate(key: string, merge: string): void {
    this.#entries.delete(key);
    if (this.#merging.get(merge) === key) this.#merging.delete(merge);
  }

  #transmit(request: Answerable, source: Source, tag: string, answer: SipAnswer): void {
    const bytes = answerBytes(request, source, tag, answer, this.#product);
    sendAnswer(this.#send, request.topVia, source, bytes, this.#unsent);
  }

  readonly #unsent = (): void => {
    this.counters.unsent += 1;
  };

  #count(method: string, status: number): void {
    const known = method === 'MESSAGE' || method === 'REGISTER' || method === 'OPTIONS';
    const name = `${known ? method : 'other'} ${status}`;
    this.counters.answers[name] = (this.counters.answers[name] ?? 0) + 1;
  }

  readonly #run = (): void => {
    this.#timer = undefined;
    this.#now = (this.#now + 1) % this.#wheel.length;
    const due = this.#wheel[this.#now] ?? [];
    this.#wheel[this.#now] = [];
    for (let i = 0; i + 1 < due.length; i += 2) this.#terminate(due[i] ?? '', due[i + 1] ?? '');
    this.#proceed();
    this.#wake();
  };

  #wake(): void {
    if (this.#timer === undefined && this.#entries.size > 0) this.#timer = this.#clock.after(tick, this.#run);
  }
}

/** A CANCEL itself, and the ACK, cannot be cancelled. */
const cancellable = ['INVITE', 'MESSAGE', 'REGISTER', 'OPTIONS'];

const tagOf = (key: string): string => key.slice(0, 16);
