import type { Clock } from '../../ports/clock.ts';

/** Says that the end has been asked for, to whoever waits. */
export interface StopSignal {
  readonly asked: () => boolean;
  /** Resolves after `ms`, or at once when the end is asked for. */
  readonly pause: (ms: number) => Promise<void>;
  readonly now: () => void;
  /** Called when the end is asked for. */
  onStop: (() => void) | undefined;
}

export const stopSignal = (clock: Clock): StopSignal => {
  let asked = false;
  let wake: (() => void) | undefined;
  const signal: StopSignal = {
    asked: () => asked,
    pause: async (ms) => {
      if (asked) return;
      await new Promise<void>((resolve) => {
        const timer = clock.after(ms, resolve);
        wake = () => {
          timer.cancel();
          resolve();
        };
      });
      wake = undefined;
    },
    now: () => {
      asked = true;
      wake?.();
      signal.onStop?.();
    },
    onStop: undefined,
  };
  return signal;
};
