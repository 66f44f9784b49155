import type { Target } from '../transport/transport.ts';
import { transports } from '../transport/transports.ts';

/**
 * One place that copies go to: a flow, or a transport with host and port. Each has a window of transactions under way and a
 * bounded queue of its own, so that a slow or dead one delays no other, and costs little itself.
 */

/** What waits in a destination's queue. */
export interface Waiting {
  /** Its turn has come: begin the transaction. */
  begin(): void;
  /** It will never come. */
  giveUp(reason: string): void;
}

/** Answers to as many copies fit the receive buffer asked for (4 MB, some 1.3 KB a datagram in the kernel). */
const windowSize = 4_096;
const queueLimit = 16_384;
/** Timeouts in a row that make a destination a dead one. */
const deadAfter = 3;
/**
 * A dead one has at most so many transactions under way, given up after 8 s. It may be a live proxy in front of dead users
 * (RFC 4320: a proxy answers no 408), so a few repetitions stay.
 */
const deadWindow = 32;
const deadLifetimeMs = 8_000;
const deadBudget = 2;
/** A destination that has not answered for so long is silent: its repetitions are rationed. */
const silentMs = 2_000;
const silentBudget = 64;
const noTcpMs = 600_000;

/** Times are the monotonic clock's, in milliseconds. */
export class Destination {
  readonly target: Target;
  /** Its transport is: no repetitions, and requests of any size. */
  readonly reliable: boolean;
  /** Transactions under way. */
  #inFlight = 0;
  readonly #queue: Waiting[] = [];
  /** First entry of the queue that still waits; the ones before are gone. */
  #queueStart = 0;
  /** Timeouts since the last answer. */
  #timeouts = 0;
  #proven = false;
  #answeredAt = 0;
  /** Repetitions that may still be sent within the second that began at `#budgetFrom`, while it is silent or dead. */
  #budget = 0;
  #budgetFrom = 0;
  #noTcpUntil = 0;

  constructor(target: Target) {
    this.target = target;
    this.reliable = transports[target.transport].reliable;
  }

  /** It has answered since the last failure: a failed send is noticed by the missing answer, so nobody needs to listen for it. */
  get proven(): boolean {
    return this.#proven;
  }

  /** Copies that wait for the window. */
  get waiting(): number {
    return this.#queue.length - this.#queueStart;
  }

  /** Nothing is under way to it, and nothing waits. */
  get idle(): boolean {
    return this.#inFlight === 0 && this.waiting === 0;
  }

  /** Timer F of a transaction to it, in milliseconds; undefined: the usual. */
  get lifetimeMs(): number | undefined {
    return this.#dead ? deadLifetimeMs : undefined;
  }

  get #dead(): boolean {
    return this.#timeouts >= deadAfter;
  }

  /** Begins a copy's transaction, lets it wait, or gives it up. */
  admit(copy: Waiting): void {
    if (this.#dead && this.#inFlight >= deadWindow) copy.giveUp('unreachable');
    else if (this.#inFlight < windowSize && this.waiting === 0) copy.begin();
    else if (this.waiting < queueLimit) this.#queue.push(copy);
    else copy.giveUp('overflow');
  }

  /** Takes out the next copy whose turn has come; undefined where none waits or the window is full. */
  next(): Waiting | undefined {
    if (this.waiting === 0 || this.#inFlight >= windowSize) return undefined;
    const copy = this.#queue[this.#queueStart];
    this.#queueStart += 1;
    if (this.#queueStart > 1_024 || this.waiting === 0) {
      this.#queue.splice(0, this.#queueStart);
      this.#queueStart = 0;
    }
    return copy;
  }

  /** Gives up all copies that wait. */
  drop(reason: string): void {
    const copies = this.#queue.splice(0).slice(this.#queueStart);
    this.#queueStart = 0;
    for (const copy of copies) copy.giveUp(reason);
  }

  /** A transaction to it begins. */
  begun(): void {
    this.#inFlight += 1;
  }

  /** That transaction was not to be had. */
  notBegun(): void {
    this.#inFlight -= 1;
  }

  /** A transaction has ended in an answer, whatever its status: somebody lives there. */
  answered(now: number): void {
    this.#inFlight -= 1;
    this.#timeouts = 0;
    this.#proven = true;
    this.#answeredAt = now;
  }

  /** A transaction has ended without an answer. A destination that becomes dead by it drops what waits. */
  failed(reason: string): void {
    this.#inFlight -= 1;
    this.#proven = false;
    if (reason !== 'timeout') return;
    this.#timeouts += 1;
    if (this.#timeouts === deadAfter) this.drop('unreachable');
  }

  /** May Timer E's repetition be sent? Always, but to silent and dead destinations only so many a second. */
  mayRepeat(now: number): boolean {
    const dead = this.#dead;
    if (!dead && now - this.#answeredAt < silentMs) return true;
    if (now - this.#budgetFrom >= 1_000) {
      this.#budgetFrom = now;
      this.#budget = dead ? deadBudget : silentBudget;
    }
    this.#budget -= 1;
    return this.#budget >= 0;
  }

  /** Is a request over 1,300 bytes to be tried over TCP (RFC 3261 18.1.1)? */
  tcpMayWork(now: number): boolean {
    return this.#noTcpUntil <= now;
  }

  /** Its TCP does not connect: requests too large for UDP go by UDP all the same for a while. */
  tcpFailed(now: number): void {
    this.#noTcpUntil = now + noTcpMs;
  }
}
