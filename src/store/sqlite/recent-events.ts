import type { StoredEvent } from '../../ports/event-store.ts';

/** What followers that keep up read, in place of the file. Beyond these bounds the oldest go, and a slow follower reads the file. */
const mostEvents = 8_192;
const mostCharacters = 16 * 1024 * 1024;
const mostAtOnce = 1_000;

interface Recent {
  readonly position: number;
  readonly event: StoredEvent;
  readonly size: number;
}

/** The last events that were appended, in log order. */
export const createRecentEvents = (end: number) => {
  let events: Recent[] = [];
  let characters = 0;
  /** All rooms' events after this position are here. */
  let since = end;

  const shrink = (): void => {
    if (events.length <= mostEvents && characters <= mostCharacters) return;
    let dropped = 0;
    let kept = characters;
    // Half at a time, so that the copying is paid once for many.
    while (dropped < events.length && (events.length - dropped > mostEvents / 2 || kept > mostCharacters / 2)) {
      const one = events[dropped];
      kept -= one?.size ?? 0;
      since = one?.position ?? since;
      dropped += 1;
    }
    events = events.slice(dropped);
    characters = kept;
  };

  const indexAfter = (position: number): number => {
    let low = 0;
    let high = events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((events[middle]?.position ?? 0) <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  return {
    /** @param size characters of the event's JSON */
    add: (position: number, event: StoredEvent, size: number): void => {
      events.push({ position, event, size });
      characters += size;
      shrink();
    },
    /** Nobody follows: all up to here is in the file only. */
    skip: (position: number): void => {
      events = [];
      characters = 0;
      since = position;
    },
    /** Events after a position; undefined where older ones are asked for than are here. */
    after: (position: number): readonly StoredEvent[] | undefined => {
      if (position < since) return undefined;
      const start = indexAfter(position);
      return events.slice(start, start + mostAtOnce).map(({ event }) => event);
    },
  };
};
