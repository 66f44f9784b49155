import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How late the event loop was, since `reset`. */
export interface EventLoopDelay {
  /** Seconds by quantile; `1` is the longest. */
  readonly quantiles: () => Readonly<Record<string, number>>;
  readonly reset: () => void;
  readonly close: () => void;
}

const resolutionMs = 10;

export const watchEventLoop = (): EventLoopDelay => {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  /** Node counts from tick to tick: an idle loop has the resolution itself. */
  const seconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - resolutionMs / 1e3);
  return {
    quantiles: () => ({
      '0.5': seconds(delay.percentile(50)),
      '0.99': seconds(delay.percentile(99)),
      '1': seconds(delay.max),
    }),
    reset: () => delay.reset(),
    close: () => delay.disable(),
  };
};
