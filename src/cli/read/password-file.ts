import { readFile } from 'node:fs/promises';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

/** The password in a file: its first line. Left: why the file cannot be read. */
export const passwordIn = (file: string): TE.TaskEither<string, string> =>
  pipe(
    TE.tryCatch(
      () => readFile(file, 'utf8'),
      (error) => (error instanceof Error ? error.message : String(error)),
    ),
    TE.map((text) => text.split(/\r?\n/, 1)[0] ?? ''),
  );
