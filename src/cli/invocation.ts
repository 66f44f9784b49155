import type { Config } from '../config/config.ts';

/** How a command is called, and what it may use: the same for every command. */
export interface Invocation {
  /** Arguments in order; a missing optional one is absent, a repeated one follows with all its values. */
  readonly args: readonly string[];
  /** The command's own options by their long name without dashes (`password-file`); a flag is `true`. */
  readonly options: Readonly<Record<string, string | true | undefined>>;
  /** Reads the configuration: file, environment, command line. Throws `CliError`, exit code 2. */
  readonly config: () => Promise<Config>;
  /** What `config` reads from, for those who read it again. */
  readonly sources: ConfigSources;
  /** Every command there is. */
  readonly commands: readonly CommandSpec[];
  /** A line on stdout: results. Waits while the reader is slow. */
  readonly out: (line: string) => void | Promise<void>;
  /** A line on stderr: everything else. */
  readonly err: (line: string) => void;
}

export interface ConfigSources {
  readonly file: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly commandLine: Readonly<Record<string, string>>;
}

/** What a command's module exports. Resolves with the exit code: 0, or 1 where the answer is no. */
export type Run = (invocation: Invocation) => Promise<number>;

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

/** An expected end: `message` goes to stderr as it is. Code 1: it did not work; 2: wrong usage. */
export class CliError extends Error {
  readonly code: 1 | 2;
  constructor(message: string, code: 1 | 2 = 1) {
    super(message);
    this.name = 'CliError';
    this.code = code;
  }
}
