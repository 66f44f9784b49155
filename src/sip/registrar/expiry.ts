import type { MemberKey } from '../../room/address.ts';
import type { Binding } from './binding.ts';

/**
 * Whose bindings end when. Users are kept by the second in which one of their bindings ends, so that a sweep looks at those
 * alone.
 */

/** Milliseconds from one look at what has ended to the next. */
export const sweepMs = 1_000;

export class Expiry {
  readonly #ends = new Map<number, Set<MemberKey>>();
  #swept: number;

  /** @param now wall clock, milliseconds */
  constructor(now: number) {
    this.#swept = Math.floor(now / sweepMs);
  }

  note(key: MemberKey, bindings: readonly Binding[]): void {
    for (const { expires } of bindings) {
      // Rounded up: what has not ended in this second ends in the next sweep.
      const second = Math.max(Math.ceil(expires / sweepMs), this.#swept + 1);
      const users = this.#ends.get(second);
      if (users === undefined) this.#ends.set(second, new Set([key]));
      else users.add(key);
    }
  }

  /** Takes out the users of whom a binding may have ended by now; they may have renewed it. */
  due(now: number): ReadonlySet<MemberKey> {
    const users = new Set<MemberKey>();
    for (const second of this.#secondsUntil(Math.floor(now / sweepMs))) {
      for (const key of this.#ends.get(second) ?? []) users.add(key);
      this.#ends.delete(second);
    }
    return users;
  }

  #secondsUntil(last: number): readonly number[] {
    const from = this.#swept + 1;
    this.#swept = Math.max(this.#swept, last);
    // After a jump of the clock there are more seconds than entries.
    if (last - from >= this.#ends.size) return [...this.#ends.keys()].filter((second) => second <= last);
    return Array.from({ length: Math.max(0, last - from + 1) }, (_, i) => from + i);
  }
}
