import { setImmediate } from 'node:timers/promises';
import type { StoredEvent, StoreFailure, Subscriber, Subscription } from '../ports/event-store.ts';
import { StoreError } from '../ports/event-store.ts';
import { numberOf } from './sqlite/event.ts';

/** Where followers read. */
export interface Source {
  /** Rooms' events after a position, in order, at most 1,000; empty at the end of the log. Throws `StoreError`. */
  readonly after: (position: number) => {
    readonly events: readonly StoredEvent[];
    /** Read from the file: the event loop gets its turn before the next page. */
    readonly page: boolean;
  };
}

export interface Followers {
  readonly subscribe: (after: number, subscriber: Subscriber) => Subscription;
  /** There may be new events. */
  readonly wake: () => void;
  /** Ends all subscriptions. */
  readonly end: (failure: StoreFailure) => void;
  readonly size: () => number;
}

/** Catch-up subscriptions: each has its own place in the log, and asks the source for what comes after it. */
export const createFollowers = (source: Source): Followers => {
  const all = new Set<{ readonly wake: () => void; readonly end: (failure: StoreFailure) => void }>();

  const subscribe = (after: number, subscriber: Subscriber): Subscription => {
    let cursor = after;
    let stopped = false;
    let running = false;
    let again = false;
    const stop = (): void => {
      stopped = true;
      all.delete(follower);
    };
    const end = (failure: StoreFailure): void => {
      if (stopped) return;
      stop();
      subscriber.onStopped(failure);
    };
    /** The next events; undefined where reading failed, and the subscription has ended. */
    const read = (): ReturnType<Source['after']> | undefined => {
      try {
        return source.after(cursor);
      } catch (cause) {
        const message = `could not follow the log: ${cause instanceof Error ? cause.message : String(cause)}`;
        end(cause instanceof StoreError ? cause.failure : { kind: 'StoreUnavailable', message, cause });
        return undefined;
      }
    };
    const run = async (): Promise<void> => {
      try {
        let caughtUp = false;
        while (!stopped) {
          again = false;
          const found = read();
          if (found === undefined) return;
          const last = found.events.at(-1);
          if (last === undefined) {
            if (!caughtUp) subscriber.onCaughtUp?.();
            caughtUp = true;
            if (again) continue;
            return;
          }
          caughtUp = false;
          cursor = numberOf(last.position);
          const working = subscriber.onEvents(found.events);
          if (working !== undefined) await working;
          if (found.page) await setImmediate();
        }
      } catch (cause) {
        const message = `a consumer of the log broke: ${cause instanceof Error ? cause.message : String(cause)}`;
        end({ kind: 'StoreUnavailable', message, cause });
      } finally {
        running = false;
      }
    };
    const wake = (): void => {
      again = true;
      if (running || stopped) return;
      running = true;
      queueMicrotask(() => void run());
    };
    const follower = { wake, end };
    all.add(follower);
    wake();
    return { stop };
  };

  return {
    subscribe,
    wake: () => {
      for (const { wake } of all) wake();
    },
    end: (failure) => {
      for (const { end } of [...all]) end(failure);
    },
    size: () => all.size,
  };
};
