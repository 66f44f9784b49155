import { type Backoff, backoff } from '../bounds/backoff.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventStore, Position, StoredEvent, StoreFailure, Subscription } from '../ports/event-store.ts';
import type { Ids } from '../ports/ids.ts';
import type { Log } from '../ports/log.ts';

/** A consumer that follows the log for ever: the rooms in memory, the mirror. */
export interface FollowedLog {
  /** The last position that `onEvents` has taken. */
  readonly position: () => Position | undefined;
  /** True once all that was in the log has been given, and while the subscription lives. */
  readonly live: () => boolean;
  /** Why and since when (milliseconds since 1970) the log is not followed; undefined while it is. */
  readonly lost: () => { readonly failure: StoreFailure; readonly since: number } | undefined;
  readonly stop: () => void;
}

export interface FollowOptions {
  readonly store: Pick<EventStore, 'subscribe'>;
  readonly clock: Clock;
  readonly ids: Pick<Ids, 'chance'>;
  readonly log: Log;
  /** Stands in the log's lines: `rooms`, `mirror`. */
  readonly name: string;
  readonly from: Position | undefined;
  /** As `Subscriber.onEvents`; a throw ends the subscription, which is then resumed from the last position taken. */
  readonly onEvents: (events: readonly StoredEvent[]) => void | Promise<void>;
  readonly onCaughtUp?: () => void;
  readonly onLost?: (failure: StoreFailure) => void;
}

/** Below 1 s, so that all resumes within a second of the store's return. */
export const followAgain: Backoff = { firstMs: 25, mostMs: 800 };

/** Feeds a consumer from a position; resubscribes with back-off after every kind of end, from its own position. */
export const followLog = (options: FollowOptions): FollowedLog => {
  const { store, clock, ids, log, name } = options;
  let position = options.from;
  let live = false;
  let stopped = false;
  let lost: { failure: StoreFailure; since: number } | undefined;
  let attempt = 0;
  let subscription: Subscription | undefined;
  let retry: { readonly cancel: () => void } | undefined;

  const found = (): void => {
    if (lost === undefined) return;
    log.info({ consumer: name, lostForMs: clock.now() - lost.since }, 'the log is followed again');
    lost = undefined;
    attempt = 0;
  };

  const begin = (): void => {
    subscription = store.subscribe(position, {
      onEvents: (events) => {
        const taken = (): void => {
          position = events.at(-1)?.position ?? position;
          found();
        };
        const working = options.onEvents(events);
        if (working !== undefined) return working.then(taken);
        taken();
      },
      onCaughtUp: () => {
        live = true;
        found();
        options.onCaughtUp?.();
      },
      onStopped: (failure) => {
        live = false;
        if (stopped) return;
        if (lost === undefined) {
          lost = { failure, since: clock.now() };
          log.warn(
            { consumer: name, failure: failure.kind, cause: failure.cause },
            `the log is not followed: ${failure.message}`,
          );
        }
        lost = { failure, since: lost.since };
        options.onLost?.(failure);
        retry = clock.after(backoff(followAgain, attempt, ids.chance), begin);
        attempt += 1;
      },
    });
  };
  begin();

  return {
    position: () => position,
    live: () => live,
    lost: () => lost,
    stop: () => {
      stopped = true;
      live = false;
      retry?.cancel();
      subscription?.stop();
    },
  };
};
