import type { Clock } from '../../ports/clock.ts';
import type { EventStore, Position, StoredEvent } from '../../ports/event-store.ts';
import type { MirrorProgress } from './status.ts';

/**
 * Events between the log and the rows: taken as they come, given in batches, with a bound on what waits.
 * Tells the progress what waits, and since when.
 */

/** Most events in one transaction: 5,000 cost SQLite a quarter more an event, since each transaction touches most of an index's pages. */
const batch = 10_000;
/** Events that may wait: reading goes on while a transaction is written, and then waits for it. */
const mostPending = 20_000;

/** Events between the log and the rows. */
export const createQueue = (
  progress: MirrorProgress,
  store: Pick<EventStore, 'comparePositions'>,
  from: Position | undefined,
) => {
  /** Of the last event that was taken. */
  let last = from;
  let pending: StoredEvent[] = [];
  /** Times of the batches that are being planned and written, the oldest first. */
  const writing: { readonly count: number; readonly oldest: number }[] = [];
  let caughtUp = false;
  let room: (() => void) | undefined;
  let wake = (): void => {};
  const tell = (): void => {
    const inWork = writing.reduce((sum, { count }) => sum + count, 0);
    const oldest = writing[0]?.oldest ?? (pending[0] === undefined ? undefined : Date.parse(pending[0].time));
    progress.pending(inWork + pending.length, oldest);
  };
  return {
    take: (events: readonly StoredEvent[]): void | Promise<void> => {
      for (const event of events) {
        // A subscription that ended while a batch waited here is resumed from before that batch.
        if (last !== undefined && store.comparePositions(event.position, last) <= 0) continue;
        last = event.position;
        pending.push(event);
      }
      tell();
      wake();
      if (pending.length < mostPending) return;
      return new Promise((resolve) => {
        room = resolve;
      });
    },
    next: (): readonly StoredEvent[] => {
      const taken = pending.length <= batch ? pending : pending.slice(0, batch);
      pending = pending.length <= batch ? [] : pending.slice(batch);
      if (pending.length < mostPending) room?.();
      const [first] = taken;
      if (first !== undefined) writing.push({ count: taken.length, oldest: Date.parse(first.time) });
      return taken;
    },
    done: (): void => {
      writing.shift();
      tell();
    },
    /** True where something came, false after `ms`. */
    wait: async (clock: Clock, ms: number): Promise<boolean> => {
      if (pending.length > 0) return true;
      return new Promise((resolve) => {
        const timer = clock.after(ms, () => resolve(false));
        wake = () => {
          timer.cancel();
          resolve(true);
        };
      });
    },
    wake: () => wake(),
    caughtUp: (yes: boolean) => {
      caughtUp = yes;
      wake();
    },
    isCaughtUp: () => caughtUp && pending.length === 0 && writing.length === 0,
  };
};
