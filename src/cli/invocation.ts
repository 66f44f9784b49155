import type { Config } from '../config/config.ts';
import type { CliTask } from './cli-error.ts';

/** How a command is registered and called, and what it may use: the same for every command. */

export interface Invocation {
  /** Arguments in order; a missing optional one is absent, a repeated one follows with all its values. */
  readonly args: readonly string[];
  /** The command's own options by their long name without dashes (`password-file`); a flag is `true`. */
  readonly options: Readonly<Record<string, OptionValue>>;
  /** Reads the configuration: file, environment, command line. Left: all that is wrong with it, exit code 2. */
  readonly config: CliTask<Config>;
  /** What `config` reads from, for those who read it again. */
  readonly sources: ConfigSources;
  /** Every command there is. */
  readonly commands: readonly CommandSpec[];
  /** A line on stdout: results. Waits while the reader is slow. */
  readonly out: (line: string) => void | Promise<void>;
  /** A line on stderr: everything else. */
  readonly err: (line: string) => void;
}

/** An option's value as it was given; undefined where it was not. */
export type OptionValue = string | true | undefined;

export interface ConfigSources {
  readonly file: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly commandLine: Readonly<Record<string, string>>;
}

/** What a command's module exports. Right: the exit code, 0, or 1 where the answer is no and has been told. */
export type Run = (invocation: Invocation) => CliTask<number>;

/** How a command is registered, in `commands.ts`. */
export interface CommandSpec {
  /** Name and arguments as commander reads them: `chat <aor> <room>`. */
  readonly usage: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Flags as commander reads them, and their meaning. */
  readonly options?: readonly (readonly [flags: string, meaning: string])[];
  /** Command lines for `--help`, with what they do. */
  readonly examples: readonly (readonly [line: string, does: string])[];
  /** Imported only when the command runs. */
  readonly load: () => Promise<{ readonly run: Run }>;
}
