import * as TE from 'fp-ts/lib/TaskEither.js';
import { StoreError } from '../ports/event-store.ts';
import { printable } from './terminal/show.ts';

/**
 * The one error channel of the command line: a command is a `CliTask`, whose Left `program.ts` tells.
 * What is thrown is a defect, but for the `StoreError` of a log that is read.
 */

/** An expected end without the work done. */
export interface CliError {
  /** Goes to stderr as it is; what strangers wrote has been made `printable`. */
  readonly message: string;
  /** 1: it did not work; 2: wrong usage. */
  readonly exitCode: 1 | 2;
}

/** Work of a command. Rejects with defects only. */
export type CliTask<A> = TE.TaskEither<CliError, A>;

/** It did not work. */
export const cliError = (message: string): CliError => ({ message, exitCode: 1 });

/** The command line, or the configuration, asks for what cannot be. */
export const wrongUsage = (message: string): CliError => ({ message, exitCode: 2 });

/** The end that a failure makes of a command: its sentence. */
export const because = ({ message }: { readonly message: string }): CliError => cliError(printable(message));

/** Plain async code that iterates over the log. A `StoreError` that it throws is the Left. */
export const readingLog = <A>(work: () => Promise<A>): CliTask<A> =>
  TE.tryCatch(work, (error) => {
    if (error instanceof StoreError) return because(error);
    throw error;
  });
