import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';

/** One log line for each thing that is refused. There is a bound: a flood of bad requests must not fill the disk. */

export interface RefusedLog {
  readonly counters: { linesSuppressed: number };
  readonly refused: (fields: Readonly<Record<string, unknown>>, message: string) => void;
  /** The same for what is our fault: an error line. */
  readonly defect: (fields: Readonly<Record<string, unknown>>, message: string) => void;
}

/** Lines within one period. */
const most = 50;
const periodMs = 10_000;

export const createRefusedLog = (clock: Clock, log: Log): RefusedLog => {
  const counters = { linesSuppressed: 0 };
  let from = Number.NEGATIVE_INFINITY;
  let lines = 0;
  let suppressed = 0;
  const write =
    (level: 'warn' | 'error') =>
    (fields: Readonly<Record<string, unknown>>, message: string): void => {
      const now = clock.monotonic();
      if (now - from >= periodMs) {
        if (suppressed > 0) log.warn({ suppressed }, 'more requests were refused than log lines were written');
        from = now;
        lines = 0;
        suppressed = 0;
      }
      if (lines < most) {
        lines += 1;
        log[level](fields, message);
        return;
      }
      suppressed += 1;
      counters.linesSuppressed += 1;
    };
  return { counters, refused: write('warn'), defect: write('error') };
};
