import type { StoredEvent } from './ports.ts';

/**
 * Appends whose outcome is unknown: their commands were answered 500. Should an event of theirs turn up in the log after
 * all, the node that took the command announces it, once.
 */
export interface UnknownOutcomes {
  readonly size: number;
  readonly add: (eventId: string, written: () => void) => void;
  /** To be called with every batch of the log. */
  readonly see: (events: readonly StoredEvent[]) => void;
}

/** @param most bound; beyond it the oldest are given up */
export const createUnknownOutcomes = (most = 10_000): UnknownOutcomes => {
  const pending = new Map<string, () => void>();
  return {
    get size() {
      return pending.size;
    },
    add: (eventId, written) => {
      pending.set(eventId, written);
      if (pending.size <= most) return;
      const oldest = pending.keys().next();
      if (oldest.done !== true) pending.delete(oldest.value);
    },
    see: (events) => {
      if (pending.size === 0) return;
      for (const { id } of events) {
        const written = pending.get(id);
        if (written === undefined) continue;
        pending.delete(id);
        written();
      }
    },
  };
};
