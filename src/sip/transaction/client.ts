import type { Clock, Timer } from '../../ports/clock.ts';
import type { Ids } from '../../ports/ids.ts';
import { type Branches, createBranches } from './branch.ts';
import { createTimerWheel } from './timers.ts';

/**
 * Non-INVITE client transactions (RFC 3261 17.1.2), as many as a fan-out has copies under way. A transaction is a slot in a
 * few typed arrays and the object that stands for its user; it is forgotten the moment its final answer is there (Timer K is
 * 0: a repeated answer finds nobody and is counted). Answers are matched by the branch in their raw bytes.
 */

/** RFC 3261 17.1.1.1, milliseconds. */
const t1 = 500;
const t2 = 4_000;
/** A tick of the wheel. RFC times are kept to within one tick, never less than the time itself. */
const tickMs = 25;
const ticks = (ms: number): number => Math.ceil(ms / tickMs);
/** Ticks: the longest timer, F = 64*T1 = 32 s, is 1,280. */
const wheelSize = 2_048;
const countMask = 0x3fffffff;

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

export interface ClientTransactions {
  readonly counters: ClientCounters;
  /** How each branch of this process begins: a request with one in a Via has come back to us. */
  readonly branchPrefix: string;
  /**
   * Begins a transaction and lets the user transmit. False, and nothing is begun, where too many are under way.
   *
   * @param reliable over a stream: no repetitions
   * @param lifetimeMs Timer F where it shall be less than 64*T1
   */
  readonly start: (user: TransactionUser, reliable: boolean, lifetimeMs?: number) => boolean;
  /** Writes the slot's unique part (`branchLength` characters) into `bytes`: behind the cookie it is the branch. */
  readonly writeUnique: (slot: number, bytes: Uint8Array, offset: number) => void;
  /** Is the slot still this user's? */
  readonly isUser: (slot: number, user: TransactionUser) => boolean;
  /** The user's request did not leave. Ignored where the slot is another's by now. */
  readonly fail: (slot: number, user: TransactionUser, reason: string) => void;
  /** Takes a response as it came from the network. True where a transaction was waiting for it. */
  readonly response: (bytes: Buffer) => boolean;
  /** Transactions under way. */
  readonly pending: () => number;
  /** Ends all that are under way with `failed('closed')`. */
  readonly close: () => void;
}

export interface ClientOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  /** Most transactions at a time, at most 2^20. A slot costs 25 bytes while it is free. */
  readonly limit?: number;
}

const nobody: TransactionUser = { transmit: () => false, answered: () => {}, failed: () => {} };

export const createClientTransactions = ({ clock, ids, limit = 131_072 }: ClientOptions): ClientTransactions => {
  const branches: Branches = createBranches(ids);
  const wheel = createTimerWheel(limit, wheelSize);
  const users: TransactionUser[] = new Array(limit).fill(nobody);
  const counts = new Int32Array(limit);
  const deadlines = new Int32Array(limit);
  /** Timer E's present value in ticks; 0: over a stream, none. */
  const intervals = new Int32Array(limit);
  const free = new Int32Array(limit);
  for (let i = 0; i < limit; i += 1) free[i] = limit - 1 - i;
  let freeCount = limit;
  let count = 0;
  let now = 0;
  let nextTick = 0;
  let timer: Timer | undefined;
  const counters: ClientCounters = {
    started: 0,
    answered: 0,
    timeouts: 0,
    failures: 0,
    retransmissions: 0,
    overflows: 0,
    strayResponses: 0,
  };

  const userOf = (slot: number): TransactionUser => users[slot] ?? nobody;

  const release = (slot: number): void => {
    users[slot] = nobody;
    wheel.cancel(slot);
    free[freeCount] = slot;
    freeCount += 1;
  };

  const due = (slot: number): void => {
    const user = userOf(slot);
    const left = (deadlines[slot] ?? 0) - now;
    if (left <= 0) {
      release(slot);
      counters.timeouts += 1;
      user.failed('timeout');
      return;
    }
    const interval = Math.min((intervals[slot] ?? 0) * 2, ticks(t2));
    intervals[slot] = interval;
    wheel.set(slot, Math.min(interval, left));
    if (user.transmit(slot, true)) counters.retransmissions += 1;
  };

  // At most 2 ticks a run: after a stall of the process the answers that came meanwhile are read before Timer E repeats
  // what they answer; the wheel is late then, which no timer of RFC 3261 minds.
  const run = (): void => {
    timer = undefined;
    const time = clock.monotonic();
    for (let i = 0; i < 2 && nextTick <= time; i += 1) {
      nextTick += tickMs;
      now += 1;
      wheel.tick(due);
    }
    if (nextTick <= time) nextTick = time + tickMs;
    wake();
  };

  const wake = (): void => {
    if (timer !== undefined || wheel.pending() === 0) return;
    const time = clock.monotonic();
    if (nextTick <= time) nextTick = time + tickMs;
    timer = clock.after(nextTick - time, run);
  };

  return {
    counters,
    branchPrefix: branches.prefix,
    start: (user, reliable, lifetimeMs = 64 * t1) => {
      if (freeCount === 0) {
        counters.overflows += 1;
        return false;
      }
      freeCount -= 1;
      const slot = free[freeCount] ?? 0;
      count = (count + 1) & countMask;
      users[slot] = user;
      counts[slot] = count;
      // One tick more: the present one has begun already, and a timer never fires early.
      const lifetime = ticks(lifetimeMs) + 1;
      deadlines[slot] = now + lifetime;
      intervals[slot] = reliable ? 0 : ticks(t1);
      wheel.set(slot, reliable ? lifetime : Math.min(ticks(t1) + 1, lifetime));
      counters.started += 1;
      if (timer === undefined) wake();
      user.transmit(slot, false);
      return true;
    },
    isUser: (slot, user) => users[slot] === user,
    writeUnique: (slot, bytes, offset) => branches.write(bytes, offset, slot, counts[slot] ?? 0),
    fail: (slot, user, reason) => {
      if (users[slot] !== user) return;
      release(slot);
      counters.failures += 1;
      user.failed(reason);
    },
    response: (bytes) => {
      const at = branches.find(bytes);
      const slot = at === -1 ? -1 : branches.slotAt(bytes, at);
      const user = slot === -1 ? nobody : userOf(slot);
      if (user === nobody || !branches.isOf(bytes, at, counts[slot] ?? 0)) {
        counters.strayResponses += 1;
        return false;
      }
      const status = statusOf(bytes);
      if (status < 200) {
        // Proceeding: Timer E goes on with T2. Less than 100 is not SIP, and no answer.
        if (status >= 100 && intervals[slot] !== 0) intervals[slot] = ticks(t2);
        return true;
      }
      release(slot);
      counters.answered += 1;
      user.answered(status, bytes);
      return true;
    },
    pending: () => limit - freeCount,
    close: () => {
      timer?.cancel();
      for (let slot = 0; slot < limit; slot += 1) {
        const user = userOf(slot);
        if (user === nobody) continue;
        release(slot);
        user.failed('closed');
      }
      timer?.cancel();
      timer = undefined;
    },
  };
};

/** The three digits behind `SIP/2.0 `; 0 where they are none. */
const statusOf = (bytes: Buffer): number => {
  let status = 0;
  for (let i = 8; i < 11; i += 1) {
    const digit = (bytes[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return 0;
    status = status * 10 + digit;
  }
  return status <= 699 ? status : 0;
};

/** Does a message from the network begin as a response does (`SIP/2.0 `)? */
export const isResponse = (bytes: Buffer): boolean =>
  bytes.length > 11 &&
  bytes[0] === 0x53 &&
  bytes[1] === 0x49 &&
  bytes[2] === 0x50 &&
  bytes[3] === 0x2f &&
  bytes[7] === 0x20;
