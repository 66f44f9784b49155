import type { Clock } from '../../ports/clock.ts';
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

export interface Destination {
  readonly target: Target;
  /** Its transport is: no repetitions, and requests of any size. */
  readonly reliable: boolean;
  /** Transactions under way. */
  inFlight: number;
  readonly queue: Waiting[];
  /** First entry of `queue` that still waits; the ones before are gone. */
  queueStart: number;
  /** Transactions that ended in Timer F since the last answer. */
  timeouts: number;
  /** It has answered since the last failure: a failed send is noticed by the missing answer, so nobody needs to listen for it. */
  proven: boolean;
  /** When the last answer came, on the monotonic clock. */
  answeredAt: number;
  /** Repetitions that may still be sent within the second that began at `budgetFrom`, while it is silent or dead. */
  budget: number;
  budgetFrom: number;
  /** Requests too large for UDP go by UDP all the same until then: its TCP does not connect. */
  noTcpUntil: number;
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
export const deadLifetimeMs = 8_000;
const deadBudget = 2;
/** A destination that has not answered for so long is silent: its repetitions are rationed. */
const silentMs = 2_000;
const silentBudget = 64;
const noTcpMs = 600_000;

export interface Destinations {
  readonly of: (target: Target) => Destination;
  readonly size: () => number;
  readonly all: () => Iterable<Destination>;
}

/** @param limit most destinations remembered; beyond, the oldest idle one is forgotten */
export const createDestinations = (limit = 16_384): Destinations => {
  const table = new Map<string, Destination>();

  const forgetIdle = (): void => {
    for (const [key, destination] of table) {
      if (destination.inFlight > 0 || waiting(destination) > 0) continue;
      table.delete(key);
      return;
    }
  };

  return {
    of: (target) => {
      const key =
        target.flow === undefined
          ? `${target.transport}:${target.host}:${target.port}`
          : `${target.flow.id}:${target.host}:${target.port}`;
      const known = table.get(key);
      if (known !== undefined) return known;
      if (table.size >= limit) forgetIdle();
      const made: Destination = {
        target,
        reliable: transports[target.transport].reliable,
        inFlight: 0,
        queue: [],
        queueStart: 0,
        timeouts: 0,
        proven: false,
        answeredAt: 0,
        budget: 0,
        budgetFrom: 0,
        noTcpUntil: 0,
      };
      table.set(key, made);
      return made;
    },
    size: () => table.size,
    all: () => table.values(),
  };
};

export const isDead = (destination: Destination): boolean => destination.timeouts >= deadAfter;

/** Copies that wait for the window. */
export const waiting = (destination: Destination): number => destination.queue.length - destination.queueStart;

/** Begins a copy's transaction, lets it wait, or gives it up. */
export const admit = (destination: Destination, copy: Waiting): void => {
  if (isDead(destination) && destination.inFlight >= deadWindow) copy.giveUp('unreachable');
  else if (destination.inFlight < windowSize && waiting(destination) === 0) copy.begin();
  else if (waiting(destination) < queueLimit) destination.queue.push(copy);
  else copy.giveUp('overflow');
};

/** The next copy whose turn has come; undefined where none waits or the window is full. */
export const nextWaiting = (destination: Destination): Waiting | undefined => {
  if (waiting(destination) === 0 || destination.inFlight >= windowSize) return undefined;
  const copy = destination.queue[destination.queueStart];
  destination.queueStart += 1;
  if (destination.queueStart > 1_024 || destination.queueStart === destination.queue.length) {
    destination.queue.splice(0, destination.queueStart);
    destination.queueStart = 0;
  }
  return copy;
};

/** A transaction there ended in an answer, whatever its status: somebody lives there. */
export const answered = (destination: Destination, now: number): void => {
  destination.inFlight -= 1;
  destination.timeouts = 0;
  destination.proven = true;
  destination.answeredAt = now;
};

/** A transaction there ended without an answer. One that has become dead drops what waits. */
export const unanswered = (destination: Destination, reason: string): void => {
  destination.inFlight -= 1;
  destination.proven = false;
  if (reason !== 'timeout') return;
  destination.timeouts += 1;
  if (destination.timeouts === deadAfter) dropWaiting(destination, 'unreachable');
};

export const dropWaiting = (destination: Destination, reason: string): void => {
  const copies = destination.queue.splice(0).slice(destination.queueStart);
  destination.queueStart = 0;
  for (const copy of copies) copy.giveUp(reason);
};

/** May Timer E's repetition be sent? Always, but to silent and dead destinations only so many a second. */
export const mayRepeat = (destination: Destination, now: number): boolean => {
  const dead = isDead(destination);
  if (!dead && now - destination.answeredAt < silentMs) return true;
  if (now - destination.budgetFrom >= 1_000) {
    destination.budgetFrom = now;
    destination.budget = dead ? deadBudget : silentBudget;
  }
  destination.budget -= 1;
  return destination.budget >= 0;
};

/** Is a request over 1,300 bytes to be tried over TCP (RFC 3261 18.1.1)? */
export const tcpMayWork = (destination: Destination, clock: Clock): boolean =>
  destination.noTcpUntil <= clock.monotonic();

export const tcpFailed = (destination: Destination, clock: Clock): void => {
  destination.noTcpUntil = clock.monotonic() + noTcpMs;
};
