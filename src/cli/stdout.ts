/**
 * Writes lines to stdout at the pace of its reader. A reader that goes away (`imcd history | head`) ends the process in
 * silence, as it does other programs.
 */
let watched = false;

export const standardOutput = (line: string): void | Promise<void> => {
  if (!watched) {
    watched = true;
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0);
      process.stderr.write(`imcd: cannot write to stdout: ${error.message}\n`);
      process.exit(1);
    });
  }
  if (process.stdout.write(`${line}\n`)) return;
  return new Promise((resolve) => process.stdout.once('drain', resolve));
};
