import type { Clock } from '../../src/ports/clock.ts';
import { systemClock } from '../../src/runtime/clock.ts';

/**
 * The machine's time for code that waits for sockets, with what a test asks of it: how long was waited on purpose, which a
 * busy machine does not change, and timers that fall due sooner.
 */
export interface PacedClock extends Clock {
  /** Sum of the timers that have fallen due, each with the milliseconds that it was set for. */
  waited: number;
  /** Timers are set for so many times less. */
  pace: number;
}

export const createPacedClock = (pace = 1): PacedClock => {
  const clock: PacedClock = {
    ...systemClock,
    waited: 0,
    pace,
    after: (ms, run) =>
      systemClock.after(ms / clock.pace, () => {
        clock.waited += ms;
        run();
      }),
  };
  return clock;
};
