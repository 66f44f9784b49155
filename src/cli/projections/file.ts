import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { ProjectionFault } from '../../projections/limits.ts';
import { openSandbox } from '../../projections/sandbox.ts';
import { systemClock } from '../../runtime/clock.ts';
import { type CliError, type CliTask, cliError } from '../cli-error.ts';
import { printable } from '../terminal/show.ts';

/** Files of projections: those that imcd brings, in `projections/`, and those of users. */

/** A projection's file: its name is the file's, without `.js`. */
export interface ProjectionFile {
  readonly name: string;
  readonly text: string;
}

const shipped = join(import.meta.dirname, '..', '..', '..', 'projections');

/** The projection's name, by its file's or by itself. */
export const nameOf = (file: string): string => basename(file).replace(/\.js$/, '');

export const readProjection = (file: string): E.Either<CliError, ProjectionFile> =>
  E.tryCatch(
    () => ({ name: nameOf(file), text: readFileSync(file, 'utf8') }),
    (error) => cliError(`${printable(file)} cannot be read: ${error instanceof Error ? error.message : String(error)}`),
  );

/** All that imcd brings, by name. */
export const shippedFiles = (): E.Either<CliError, readonly ProjectionFile[]> =>
  E.traverseArray((file: string) => readProjection(join(shipped, file)))(
    readdirSync(shipped)
      .filter((file) => file.endsWith('.js'))
      .sort(),
  );

/** One that does not compile would break the server's list of all projections, so it is tried here first. */
export const checkProjection = ({ name, text }: ProjectionFile): CliTask<void> =>
  TE.tryCatch(
    async () => {
      const sandbox = await openSandbox(text, systemClock);
      sandbox.stop();
    },
    (error) => {
      if (!(error instanceof ProjectionFault)) throw error;
      return cliError(`${name}: ${printable(error.message)}; nothing was deployed`);
    },
  );
