import { BoundedMap } from '../bounds/bounded-map.ts';
import type { StoredEvent } from '../ports/event-store.ts';

/**
 * Appends under way, and those whose outcome is unknown: their commands were answered 500. Should an event of theirs turn up
 * in the log after all, the node that took the command announces it, once.
 */
export interface UnknownOutcomes {
  /** Appends of unknown outcome whose events have not turned up. */
  readonly size: number;
  /** Before an append: the log may show an event before its append is known to have failed. */
  readonly begin: (eventId: string) => void;
  /** After an append whose outcome is known. */
  readonly end: (eventId: string) => void;
  /** Whether an event of an append under way has been seen in the log. */
  readonly seen: (eventId: string) => boolean;
  /** After an append of unknown outcome: `written` is called once, when the event turns up. */
  readonly await: (eventId: string, written: () => void) => void;
  /** To be called with every batch of the log. */
  readonly see: (events: readonly StoredEvent[]) => void;
}

/** @param most bound of the unknown ones; beyond it the oldest are given up */
export const createUnknownOutcomes = (most = 10_000): UnknownOutcomes => {
  const underWay = new Map<string, boolean>();
  const awaited = new BoundedMap<string, () => void>(most);
  return {
    get size() {
      return awaited.size;
    },
    begin: (eventId) => void underWay.set(eventId, false),
    end: (eventId) => void underWay.delete(eventId),
    seen: (eventId) => underWay.get(eventId) === true,
    await: (eventId, written) => {
      underWay.delete(eventId);
      awaited.set(eventId, written);
    },
    see: (events) => {
      if (underWay.size === 0 && awaited.size === 0) return;
      for (const { id } of events) {
        if (underWay.has(id)) underWay.set(id, true);
        const written = awaited.get(id);
        if (written === undefined) continue;
        awaited.delete(id);
        written();
      }
    },
  };
};
