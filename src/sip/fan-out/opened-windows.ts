import type { Destination } from './destination.ts';

/**
 * Destinations with waiting copies whose window has room again. They take turns, so that a long queue holds up no other.
 */

/** Copies to one destination before the next has its turn. */
const turn = 16;

export class OpenedWindows {
  readonly #destinations = new Set<Destination>();

  get size(): number {
    return this.#destinations.size;
  }

  add(destination: Destination): void {
    this.#destinations.add(destination);
  }

  /** Begins at most `most` of the copies that waited; returns how many began. */
  begin(most: number): number {
    let began = 0;
    for (const destination of this.#destinations) {
      this.#destinations.delete(destination);
      const until = Math.min(most, began + turn);
      let copy = destination.next();
      for (; copy !== undefined; copy = began < until ? destination.next() : undefined) {
        copy.begin();
        began += 1;
      }
      if (began === until && destination.waiting > 0) this.#destinations.add(destination);
      if (began >= most) break;
    }
    return began;
  }
}
