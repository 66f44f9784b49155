import type { Clock, Timer } from '../../ports/clock.ts';
import type { Ids } from '../../ports/ids.ts';
import { statusOf } from '../message/status-line.ts';
import { type Branches, createBranches } from './branch.ts';
import { createTimerWheel, type TimerWheel } from './timers.ts';

/**
 * Non-INVITE client transactions (RFC 3261 17.1.2), as many as a fan-out has copies under way. A transaction is a slot in a
 * few typed arrays and the object that stands for its user. Answers are matched by the branch in their raw bytes.
 *
 *     Trying ---1xx---> Proceeding
 *        |                  |
 *        +-----200-699------+--> Completed --Timer K--> Terminated
 *        +-- Timer F, or the transport's failure -----> Terminated
 *
 * Proceeding differs from Trying in Timer E alone. Timer K is 0 over whatever transport: a transaction is forgotten the moment
 * its final answer is there, and the same answer again finds nobody and is counted.
 */

/** RFC 3261 17.1.1.1, milliseconds. */
const t1 = 500;
const t2 = 4_000;
/** A tick of the wheel. RFC times are kept to within one tick, never less than the time itself. */
const tickMs = 25;
const ticks = (ms: number): number => Math.ceil(ms / tickMs);
const t1Ticks = ticks(t1);
const t2Ticks = ticks(t2);
/** Ticks: the longest timer, F = 64*T1 = 32 s, is 1,280. */
const wheelSize = 2_048;
const numberMask = 0x3fffffff;

/** Who a transaction works for. Methods are called by the transaction, never after `answered` or `failed`. */
export interface TransactionUser {
  /**
   * Hand the request to its transport, with `writeUnique(slot)` in its branch: at first, and `again` at each Timer E. False
   * where the user lets this repetition be.
   */
  transmit(slot: number, again: boolean): boolean;
  /** A final answer. The bytes are the whole response. */
  answered(status: number, response: Buffer): void;
  /** `timeout` (Timer F), or what `fail` was called with. */
  failed(reason: string): void;
}

export interface ClientCounters {
  started: number;
  answered: number;
  timeouts: number;
  failures: number;
  retransmissions: number;
  /** Transactions not begun because the table was full. */
  overflows: number;
  /** Responses that belong to no transaction: repeated or late ones, and foreign ones. */
  strayResponses: number;
}

export interface ClientOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  /** Most transactions at a time, at most 2^20. A slot costs 25 bytes while it is free. */
  readonly limit?: number;
}

const nobody: TransactionUser = { transmit: () => false, answered: () => {}, failed: () => {} };

export class ClientTransactions {
  readonly counters: ClientCounters = {
    started: 0,
    answered: 0,
    timeouts: 0,
    failures: 0,
    retransmissions: 0,
    overflows: 0,
    strayResponses: 0,
  };
  /** How each branch of this process begins: a request with one in a Via has come back to us. */
  readonly branchPrefix: string;
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #branches: Branches;
  /** Whose a slot is; `nobody`'s where it is free. */
  readonly #users: TransactionUser[];
  /** Which of all transactions is in a slot. */
  readonly #numbers: Int32Array;
  /** Timer F, and Timer E's present interval; 0 where it is not set, over a reliable transport. In ticks. */
  readonly #timerF: Int32Array;
  readonly #timerE: Int32Array;
  /** The free slots are the first `#freeCount`. */
  readonly #free: Int32Array;
  #freeCount: number;
  #lastNumber = 0;
  readonly #wheel: TimerWheel;
  /** Ticks that the wheel has turned, and when it has to turn next. */
  #now = 0;
  #nextTick = 0;
  #timer: Timer | undefined;

  constructor({ clock, ids, limit = 131_072 }: ClientOptions) {
    this.#clock = clock;
    this.#limit = limit;
    this.#branches = createBranches(ids);
    this.branchPrefix = this.#branches.prefix;
    this.#users = new Array(limit).fill(nobody);
    this.#numbers = new Int32Array(limit);
    this.#timerF = new Int32Array(limit);
    this.#timerE = new Int32Array(limit);
    this.#free = new Int32Array(limit);
    for (let i = 0; i < limit; i += 1) this.#free[i] = limit - 1 - i;
    this.#freeCount = limit;
    this.#wheel = createTimerWheel(limit, wheelSize);
  }

  /**
   * Begins a transaction and lets the user transmit: Trying (RFC 3261 17.1.2.2). False, and nothing is begun, where too many
   * are under way.
   *
   * @param reliable no repetitions: Timer E is not set
   * @param lifetimeMs Timer F where it shall be less than 64*T1
   */
  start(user: TransactionUser, reliable: boolean, lifetimeMs = 64 * t1): boolean {
    if (this.#freeCount === 0) {
      this.counters.overflows += 1;
      return false;
    }
    this.#freeCount -= 1;
    const slot = this.#free[this.#freeCount] ?? 0;
    this.#lastNumber = (this.#lastNumber + 1) & numberMask;
    this.#users[slot] = user;
    this.#numbers[slot] = this.#lastNumber;
    // One tick more: the present one has begun already, and a timer never fires early.
    const lifetime = ticks(lifetimeMs) + 1;
    this.#timerF[slot] = this.#now + lifetime;
    this.#timerE[slot] = reliable ? 0 : t1Ticks;
    this.#wheel.set(slot, reliable ? lifetime : Math.min(t1Ticks + 1, lifetime));
    this.counters.started += 1;
    if (this.#timer === undefined) this.#wake();
    user.transmit(slot, false);
    return true;
  }

  /** Writes the slot's unique part (`branchLength` characters) into `bytes`: behind the cookie it is the branch. */
  writeUnique(slot: number, bytes: Uint8Array, offset: number): void {
    this.#branches.write(bytes, offset, slot, this.#numbers[slot] ?? 0);
  }

  /** Is the slot still this user's? */
  isUser(slot: number, user: TransactionUser): boolean {
    return this.#users[slot] === user;
  }

  /** Takes a response as it came from the network (RFC 3261 17.1.3). True where a transaction was waiting for it. */
  response(bytes: Buffer): boolean {
    const at = this.#branches.find(bytes);
    const slot = at === -1 ? -1 : this.#branches.slotAt(bytes, at);
    const user = slot === -1 ? nobody : this.#userOf(slot);
    if (user === nobody || !this.#branches.isOf(bytes, at, this.#numbers[slot] ?? 0)) {
      this.counters.strayResponses += 1;
      return false;
    }
    const status = statusOf(bytes);
    if (status >= 200) this.#complete(slot, user, status, bytes);
    else if (status >= 100) this.#proceed(slot); // less is not SIP, and no answer
    return true;
  }

  /** The user's request did not leave: Terminated (RFC 3261 17.1.4). Ignored where the slot is another's by now. */
  fail(slot: number, user: TransactionUser, reason: string): void {
    if (this.#users[slot] !== user) return;
    this.#terminate(slot);
    this.counters.failures += 1;
    user.failed(reason);
  }

  /** Transactions under way. */
  pending(): number {
    return this.#limit - this.#freeCount;
  }

  /** Ends all that are under way with `failed('closed')`. */
  close(): void {
    for (let slot = 0; slot < this.#limit; slot += 1) {
      const user = this.#userOf(slot);
      if (user === nobody) continue;
      this.#terminate(slot);
      user.failed('closed');
    }
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #userOf(slot: number): TransactionUser {
    return this.#users[slot] ?? nobody;
  }

  /** Trying or Proceeding -> Proceeding, by a 1xx (RFC 3261 17.1.2.2): Timer E goes on with T2. */
  #proceed(slot: number): void {
    if (this.#timerE[slot] !== 0) this.#timerE[slot] = t2Ticks;
  }

  /** Trying or Proceeding -> Completed, by a final answer (RFC 3261 17.1.2.2); Timer K is 0, so -> Terminated. */
  #complete(slot: number, user: TransactionUser, status: number, bytes: Buffer): void {
    this.#terminate(slot);
    this.counters.answered += 1;
    user.answered(status, bytes);
  }

  /** The slot's timer has fired: F where its time has come, else E. */
  readonly #due = (slot: number): void => {
    const left = (this.#timerF[slot] ?? 0) - this.#now;
    if (left <= 0) this.#timeOut(slot);
    else this.#repeat(slot, left);
  };

  /** Timer F: Trying or Proceeding -> Terminated (RFC 3261 17.1.2.2). */
  #timeOut(slot: number): void {
    const user = this.#userOf(slot);
    this.#terminate(slot);
    this.counters.timeouts += 1;
    user.failed('timeout');
  }

  /** Timer E: the request again; the next time after twice as long, T2 at most (RFC 3261 17.1.2.2). */
  #repeat(slot: number, left: number): void {
    const interval = Math.min((this.#timerE[slot] ?? 0) * 2, t2Ticks);
    this.#timerE[slot] = interval;
    this.#wheel.set(slot, Math.min(interval, left));
    if (this.#userOf(slot).transmit(slot, true)) this.counters.retransmissions += 1;
  }

  /** -> Terminated: the slot is free. */
  #terminate(slot: number): void {
    this.#users[slot] = nobody;
    this.#wheel.cancel(slot);
    this.#free[this.#freeCount] = slot;
    this.#freeCount += 1;
  }

  // At most 2 ticks a run: after a stall of the process the answers that came meanwhile are read before Timer E repeats
  // what they answer; the wheel is late then, which no timer of RFC 3261 minds.
  readonly #run = (): void => {
    this.#timer = undefined;
    const time = this.#clock.monotonic();
    for (let i = 0; i < 2 && this.#nextTick <= time; i += 1) {
      this.#nextTick += tickMs;
      this.#now += 1;
      this.#wheel.tick(this.#due);
    }
    if (this.#nextTick <= time) this.#nextTick = time + tickMs;
    this.#wake();
  };

  #wake(): void {
    if (this.#timer !== undefined || this.#wheel.pending() === 0) return;
    const time = this.#clock.monotonic();
    if (this.#nextTick <= time) this.#nextTick = time + tickMs;
    this.#timer = this.#clock.after(this.#nextTick - time, this.#run);
  }
}
