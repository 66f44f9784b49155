import { setImmediate } from 'node:timers/promises';
import {
  type StoredEvent,
  StoreError,
  type StoreFailure,
  type Subscriber,
  type Subscription,
} from '../ports/event-store.ts';
import { countFailure, type StoreCounters } from './counters.ts';

/**
 * Catch-up subscriptions to a log that counts its events: each follower has its own place, and asks for what comes after it.
 * Serves the embedded log and the one in memory, and knows neither.
 */

/** What the log holds after a place. */
export interface Batch {
  /** Rooms' events, in order, at most 1,000; empty at the end of the log. */
  readonly events: readonly StoredEvent[];
  /** Place of the last of them; of no meaning where there is none. */
  readonly last: number;
  /** Read from a file: the event loop gets its turn before the next one. */
  readonly page: boolean;
}

/** Gives what comes after a place. Throws `StoreError`. */
export type ReadAfter = (place: number) => Batch;

export interface Followers {
  readonly subscribe: (after: number, subscriber: Subscriber) => Subscription;
  /** There may be new events. */
  readonly wake: () => void;
  /** Ends all subscriptions. */
  readonly end: (failure: StoreFailure) => void;
  readonly size: () => number;
}

/** @param counters where subscriptions that fail are counted */
export const createFollowers = (readAfter: ReadAfter, counters: StoreCounters): Followers => {
  const all = new Set<Follower>();
  return {
    subscribe: (after, subscriber) => {
      const follower = new Follower(readAfter, after, subscriber, counters, () => all.delete(follower));
      all.add(follower);
      follower.wake();
      return { stop: () => follower.stop() };
    },
    wake: () => {
      for (const follower of all) follower.wake();
    },
    end: (failure) => {
      for (const follower of [...all]) follower.end(failure);
    },
    size: () => all.size,
  };
};

/** One subscription: reads while there is something to read, and sleeps until it is woken. */
class Follower {
  readonly #readAfter: ReadAfter;
  readonly #subscriber: Subscriber;
  readonly #counters: StoreCounters;
  readonly #onStopped: () => void;
  #place: number;
  #stopped = false;
  #running = false;
  /** Woken while it ran: what it has found to be the end may be none. */
  #again = false;

  constructor(
    readAfter: ReadAfter,
    after: number,
    subscriber: Subscriber,
    counters: StoreCounters,
    onStopped: () => void,
  ) {
    this.#readAfter = readAfter;
    this.#place = after;
    this.#subscriber = subscriber;
    this.#counters = counters;
    this.#onStopped = onStopped;
  }

  wake(): void {
    this.#again = true;
    if (this.#running || this.#stopped) return;
    this.#running = true;
    queueMicrotask(() => void this.#run());
  }

  stop(): void {
    this.#stopped = true;
    this.#onStopped();
  }

  end(failure: StoreFailure): void {
    if (this.#stopped) return;
    this.stop();
    this.#subscriber.onStopped(countFailure(this.#counters, failure));
  }

  /** Hands over all there is. No await stands between finding the log's end and falling asleep, so that no call to wake is lost. */
  async #run(): Promise<void> {
    try {
      let caughtUp = false;
      while (!this.#stopped) {
        this.#again = false;
        const batch = this.#read();
        if (batch === undefined) return;
        if (batch.events.length === 0) {
          if (!caughtUp) this.#subscriber.onCaughtUp?.();
          caughtUp = true;
          if (this.#again) continue;
          return;
        }
        caughtUp = false;
        this.#place = batch.last;
        const working = this.#subscriber.onEvents(batch.events);
        if (working !== undefined) await working;
        if (batch.page) await setImmediate();
      }
    } catch (cause) {
      const message = `a consumer of the log broke: ${cause instanceof Error ? cause.message : String(cause)}`;
      this.end({ kind: 'StoreUnavailable', message, cause });
    } finally {
      this.#running = false;
    }
  }

  /** The next events; undefined where reading failed, and the subscription has ended. */
  #read(): Batch | undefined {
    try {
      return this.#readAfter(this.#place);
    } catch (cause) {
      const message = `could not follow the log: ${cause instanceof Error ? cause.message : String(cause)}`;
      this.end(cause instanceof StoreError ? cause.failure : { kind: 'StoreUnavailable', message, cause });
      return undefined;
    }
  }
}
