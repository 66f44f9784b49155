import type { Task } from 'fp-ts/lib/Task.js';

/** Progress of long work on stderr, where that is a terminal; elsewhere nothing. */

/** A line that is drawn anew as the work goes on. */
export interface ProgressLine {
  /** @param done how many so far; drawn at most ten times a second */
  readonly update: (done: number, of?: number) => void;
  /** Wipes the line. */
  readonly end: () => void;
}

/** Shows a line while work is under way, and wipes it however that ends. */
export const withProgress =
  <A>(what: string, unit: string, work: (line: ProgressLine) => Task<A>): Task<A> =>
  async () => {
    const line = progressLine(what, unit);
    try {
      return await work(line)();
    } finally {
      line.end();
    }
  };

const width = 30;

/** Nothing is drawn before the first `update`. */
export const progressLine = (what: string, unit: string): ProgressLine => {
  if (process.stderr.isTTY !== true) return { update: () => undefined, end: () => undefined };
  let drawnAt = Number.NEGATIVE_INFINITY;
  let drawn = false;
  return {
    update: (done, of) => {
      const now = performance.now();
      if (now - drawnAt < 100) return;
      drawnAt = now;
      drawn = true;
      const filled = of === undefined || of === 0 ? 0 : Math.min(width, Math.round((done / of) * width));
      const bar = of === undefined ? '' : `[${'#'.repeat(filled).padEnd(width, '.')}] `;
      const total = of === undefined ? '' : ` of ${of.toLocaleString('en')}`;
      process.stderr.write(`\r\x1b[K${what}: ${bar}${done.toLocaleString('en')}${total} ${unit}`);
    },
    end: () => {
      if (drawn) process.stderr.write('\r\x1b[K');
    },
  };
};
