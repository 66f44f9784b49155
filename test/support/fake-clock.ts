import type { Clock, Timer } from '../../src/ports/clock.ts';

/** A clock that stands still until it is told to go on. */
export interface FakeClock extends Clock {
  /** Goes on by `ms`, running what falls due, each at its time. */
  readonly advance: (ms: number) => void;
  /** Timers that wait. */
  readonly pending: () => number;
}

/** @param start wall clock at the beginning, milliseconds since 1970 */
export const createFakeClock = (start = Date.UTC(2026, 10, 23, 12)): FakeClock => {
  let elapsed = 0;
  let serial = 0;
  const timers = new Map<number, { readonly due: number; readonly run: () => void }>();

  const next = (until: number): number | undefined => {
    let first: number | undefined;
    let due = until;
    for (const [id, timer] of timers) {
      if (timer.due < due || (timer.due === due && first === undefined)) {
        first = id;
        due = timer.due;
      }
    }
    return first;
  };

  return {
    now: () => start + elapsed,
    monotonic: () => elapsed,
    after: (ms, run): Timer => {
      serial += 1;
      const id = serial;
      timers.set(id, { due: elapsed + Math.max(0, ms), run });
      return { cancel: () => void timers.delete(id) };
    },
    advance: (ms) => {
      const until = elapsed + ms;
      for (let id = next(until); id !== undefined; id = next(until)) {
        const timer = timers.get(id);
        timers.delete(id);
        elapsed = Math.max(elapsed, timer?.due ?? elapsed);
        timer?.run();
      }
      elapsed = until;
    },
    pending: () => timers.size,
  };
};
