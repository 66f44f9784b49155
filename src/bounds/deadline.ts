import type { Clock, Timer } from '../ports/clock.ts';

/** A moment by which all must be done, shared by several waits. */
export interface Deadline {
  /** Milliseconds until then; 0 from then on. */
  readonly left: () => number;
}

export const deadlineIn = (clock: Clock, ms: number): Deadline => {
  const end = clock.monotonic() + ms;
  return { left: () => Math.max(0, end - clock.monotonic()) };
};

/**
 * What `work` gives, waited for `ms` at the longest; after that what `late` gives. Rejects as `work` does, or with what
 * `late` throws. Work that is late goes on, and its end is not looked at any more. No timer is left behind, which would
 * keep the process alive.
 */
export const waitAtMost = async <A, B>(clock: Clock, ms: number, work: Promise<A>, late: () => B): Promise<A | B> => {
  let timer: Timer | undefined;
  const passed = new Promise<typeof isLate>((resolve) => {
    timer = clock.after(ms, () => resolve(isLate));
  });
  try {
    const first = await Promise.race([work, passed]);
    return first === isLate ? late() : first;
  } finally {
    timer?.cancel();
  }
};

const isLate = Symbol('late');
