import type { StoredEvent } from '../../ports/event-store.ts';

/**
 * What was appended last, kept in memory for those who follow the log as it grows.
 * Bounded; who is further behind reads the file.
 */

/** Beyond these bounds the oldest go, and a slow follower reads the file. */
const mostEvents = 8_192;
const mostCharacters = 16 * 1024 * 1024;
const mostAtOnce = 1_000;

interface Recent {
  readonly position: number;
  readonly event: StoredEvent;
  readonly size: number;
}

/** The last events that were appended, in log order: what followers that keep up read, in place of the file. */
export class RecentEvents {
  #events: Recent[] = [];
  #characters = 0;
  /** All rooms' events after this position are here. */
  #since: number;

  /** @param end last position of rooms' events in the file */
  constructor(end: number) {
    this.#since = end;
  }

  /** @param size characters of the event's JSON */
  add(position: number, event: StoredEvent, size: number): void {
    this.#events.push({ position, event, size });
    this.#characters += size;
    if (this.#events.length > mostEvents || this.#characters > mostCharacters) this.#shrink();
  }

  /** Nobody follows: all up to here is in the file only. */
  skip(position: number): void {
    this.#events = [];
    this.#characters = 0;
    this.#since = position;
  }

  /** Events after a position; undefined where older ones are asked for than are here. */
  after(position: number): readonly StoredEvent[] | undefined {
    if (position < this.#since) return undefined;
    const start = this.#indexAfter(position);
    return this.#events.slice(start, start + mostAtOnce).map(({ event }) => event);
  }

  /** Half at a time, so that the copying is paid once for many. */
  #shrink(): void {
    const events = this.#events;
    let dropped = 0;
    let kept = this.#characters;
    while (dropped < events.length && (events.length - dropped > mostEvents / 2 || kept > mostCharacters / 2)) {
      const oldest = events[dropped];
      kept -= oldest?.size ?? 0;
      this.#since = oldest?.position ?? this.#since;
      dropped += 1;
    }
    this.#events = events.slice(dropped);
    this.#characters = kept;
  }

  #indexAfter(position: number): number {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle]?.position ?? 0) <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
