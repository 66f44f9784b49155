import {
  type EventStore,
  type Position,
  type StoredEvent,
  StoreError,
  type StoreFailure,
} from '../../ports/event-store.ts';
import { comparePositions } from './wire.ts';

/**
 * Reads the whole log of rooms, from a position to its present end.
 * It is a subscription that is read until there, since the client's own `readAll` does not filter.
 */

/** What a subscription has brought, for the reader to take. */
interface Inbox {
  batch: readonly StoredEvent[];
  taken?: () => void;
  atEnd: boolean;
  failure?: StoreFailure;
  wake?: () => void;
}

/**
 * Reads all rooms' events up to the end that the log has at the beginning, over a subscription: `readAll` of the client does
 * not filter. The subscription is held until the reader has taken a batch.
 */
export const readAllBy = (
  subscribe: EventStore['subscribe'],
  endOfLog: () => Promise<Position | undefined>,
): EventStore['readAll'] =>
  async function* (after) {
    const end = await endOfLog();
    if (end === undefined || (after !== undefined && comparePositions(after, end) >= 0)) return;
    const inbox: Inbox = { batch: [], atEnd: false };
    const subscription = subscribeInto(inbox, subscribe, after);
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

const subscribeInto = (inbox: Inbox, subscribe: EventStore['subscribe'], after: Position | undefined) =>
  subscribe(after, {
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
