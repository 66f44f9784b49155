import type { StoredEvent } from '../../ports/event-store.ts';
import type { WireFollower } from './wire.ts';

/** Most events of one batch. */
const batchSize = 1_000;

/** The stream that events come from: held while its consumer works. */
export interface Upstream {
  readonly pause: () => void;
  readonly resume: () => void;
  /** Events that have arrived and were not given out yet. */
  readonly waiting: () => number;
}

export interface Feeder {
  readonly event: (event: StoredEvent) => void;
  readonly caughtUp: () => void;
  readonly lost: (cause: unknown) => void;
  readonly stop: () => void;
}

/**
 * Between a subscription's single events and a follower: gathers what arrives in one turn of the event loop into batches,
 * holds the upstream while the follower works, keeps the order of events and `caughtUp`, and is silent after its end. Up to 50
 * events were seen to arrive after `unsubscribe()`.
 */
export const createFeeder = (upstream: Upstream, follower: WireFollower): Feeder => {
  let batch: StoredEvent[] = [];
  let atEnd = false;
  let working = false;
  let scheduled = false;
  let ended = false;

  const end = (why: 'lost' | 'broke', cause: unknown): void => {
    if (ended) return;
    ended = true;
    batch = [];
    follower.onEnd(why, cause);
  };

  const schedule = (): void => {
    if (scheduled || ended) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      flush();
    });
  };

  const finished = (): void => {
    working = false;
    if (ended) return;
    upstream.resume();
    if (batch.length > 0 || atEnd) schedule();
  };

  const flush = (): void => {
    if (working || ended) return;
    try {
      if (batch.length > 0) {
        const events = batch.length <= batchSize ? batch : batch.slice(0, batchSize);
        batch = batch.length <= batchSize ? [] : batch.slice(batchSize);
        const result = follower.onEvents(events);
        if (result instanceof Promise) {
          working = true;
          upstream.pause();
          result.then(finished, (cause: unknown) => end('broke', cause));
          return;
        }
        if (batch.length > 0) {
          schedule();
          return;
        }
      }
      // What the upstream still holds came before `caughtUp`.
      if (!atEnd || ended || upstream.waiting() > 0) return;
      atEnd = false;
      follower.onCaughtUp();
    } catch (cause) {
      end('broke', cause);
    }
  };

  return {
    event: (event) => {
      if (ended) return;
      batch.push(event);
      if (batch.length >= batchSize && !working) flush();
      else schedule();
    },
    caughtUp: () => {
      atEnd = true;
      schedule();
    },
    lost: (cause) => end('lost', cause),
    stop: () => {
      ended = true;
      batch = [];
    },
  };
};
