import type { Task } from 'fp-ts/lib/Task.js';

/** Standard output: written at the pace of its reader, and what becomes of the process when it cannot be written to. */

/**
 * Has errors of stdout end the process as they end other programs: a reader that goes away (`imcd history | head`) in
 * silence, a full disk with a sentence.
 */
export const watchStdout = (): void => {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    process.stderr.write(`imcd: cannot write to stdout: ${error.message}\n`);
    process.exit(1);
  });
};

/** Writes a line to stdout, at the pace of its reader. */
export const standardOutput = (line: string): void | Promise<void> => {
  if (process.stdout.write(`${line}\n`)) return;
  return new Promise((resolve) => process.stdout.once('drain', resolve));
};

/** Prints results, line by line. Gives 0, the exit code of a command that had something to print. */
export const printLines =
  (out: (line: string) => void | Promise<void>, lines: Iterable<string>): Task<0> =>
  async () => {
    for (const line of lines) await out(line);
    return 0;
  };
