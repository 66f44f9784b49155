import {
  type Position,
  type StoredEvent,
  StoreError,
  type StoreFailure,
  type Subscriber,
  type Subscription,
} from '../../ports/event-store.ts';
import type { Connection } from './connection.ts';
import { readFailure, troubleOf } from './failures.ts';
import { comparePositions } from './wire.ts';

/** One subscription a node is the rule; readers of the whole log (verify, rebuild, export) come on top. */
const mostOpen = 16;
const closed: StoreFailure = { kind: 'StoreClosed', message: 'the store is closed' };
const hourMs = 3_600_000;

/** Subscriptions, and reads of the whole log, which are subscriptions too: `readAll` of the client does not filter. */
export const createFollows = (connection: Connection, endOfLog: () => Promise<Position | undefined>) => {
  const open = new Set<(failure: StoreFailure) => void>();

  const subscribe = (after: Position | undefined, subscriber: Subscriber): Subscription => {
    let stopped = false;
    let running: { readonly stop: () => void } | undefined;
    const end = (failure: StoreFailure): void => {
      if (stopped) return;
      stop();
      subscriber.onStopped(failure);
    };
    const stop = (): void => {
      stopped = true;
      open.delete(end);
      running?.stop();
    };

    const begin = async (): Promise<void> => {
      // While the store is away a new subscription waits for its return rather than for somebody's next try.
      while (!stopped && connection.wire() === undefined) {
        if (connection.status().kind === 'closed') return end(closed);
        await connection.whenBack(hourMs);
      }
      const wire = connection.wire();
      if (stopped || wire === undefined) return;
      const generation = connection.generation();
      try {
        running = wire.follow(after, {
          onEvents: subscriber.onEvents,
          onCaughtUp: () => subscriber.onCaughtUp?.(),
          onEnd: (why, cause) => {
            if (why === 'broke') return end(consumerBroke(cause));
            const { kind } = troubleOf(cause);
            if (kind !== 'refused') connection.lost(generation, cause);
            end(connection.status().kind === 'closed' ? closed : readFailure(cause));
          },
        });
      } catch (cause) {
        end(readFailure(cause));
      }
    };

    if (open.size >= mostOpen) {
      const message = `more than ${mostOpen} subscriptions to EventStoreDB at once`;
      queueMicrotask(() => end({ kind: 'StoreUnavailable', message }));
    } else {
      open.add(end);
      queueMicrotask(() => void begin());
    }
    return { stop };
  };

  const readAll = async function* (after?: Position): AsyncIterable<StoredEvent> {
    const end = await endOfLog();
    if (end === undefined || (after !== undefined && comparePositions(after, end) >= 0)) return;
    const inbox: Inbox = { batch: [], atEnd: false };
    const subscription = subscribe(after, {
      // Holds the subscription until the reader has taken the batch.
      onEvents: (events) =>
        new Promise((resolve) => {
          inbox.batch = events;
          inbox.taken = resolve;
          inbox.wake?.();
        }),
      onCaughtUp: () => {
        inbox.atEnd = true;
        inbox.wake?.();
      },
      onStopped: (failure) => {
        inbox.failure = failure;
        inbox.wake?.();
      },
    });
    try {
      for (;;) {
        if (inbox.taken !== undefined) {
          for (const event of inbox.batch) {
            const place = comparePositions(event.position, end);
            if (place > 0) return;
            yield event;
            if (place === 0) return;
          }
          const { taken } = inbox;
          delete inbox.taken;
          taken();
        } else if (inbox.failure !== undefined) throw new StoreError(inbox.failure);
        else if (inbox.atEnd) return;
        else await new Promise<void>((resolve) => (inbox.wake = resolve));
      }
    } finally {
      subscription.stop();
    }
  };

  return {
    subscribe,
    readAll,
    close: () => {
      for (const end of [...open]) end(closed);
    },
  };
};

interface Inbox {
  batch: readonly StoredEvent[];
  taken?: () => void;
  atEnd: boolean;
  failure?: StoreFailure;
  wake?: () => void;
}

const consumerBroke = (cause: unknown): StoreFailure => ({
  kind: 'StoreUnavailable',
  message: `a consumer of the log broke: ${cause instanceof Error ? cause.message : String(cause)}`,
  cause,
});
