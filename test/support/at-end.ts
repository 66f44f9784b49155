import { after } from 'node:test';

const closers: (() => unknown)[] = [];

/** The file's own `after` has this time, in milliseconds: a server may take 9 s to stop. */
const graceMs = 10_000;

/**
 * Closes what is open still when all tests of the file and its own `after` have run, whatever failed: what opens sockets,
 * threads or processes for tests calls it, so that the file ends by itself. Closing twice must do no harm.
 */
export const atEnd = (close: () => unknown): void => void closers.push(close);

// Processes that a test starts load what it loads; there node:test would print a report of its own.
if (process.argv[1]?.endsWith('.test.ts') === true)
  after(() => {
    // Unreferenced: where nothing is open the process has ended before.
    setTimeout(() => Promise.allSettled(closers.toReversed().map(async (close) => close())), graceMs).unref();
  });
