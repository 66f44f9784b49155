import type { Command } from './commands.ts';
import { kinds, type Parameter, type SyntaxContext } from './parameters.ts';

/** What a row of the command table holds (`command-table.ts`). */

export type CommandType = Command['type'];

interface Spelling<P extends readonly Parameter[], T extends CommandType> {
  /** Lower case. */
  readonly name: string;
  readonly aliases?: readonly string[];
  /** At most one of a kind; those that may be left out stand last. */
  readonly parameters: P;
  /** In the list of all commands, after `#name PARAMETERS - `. */
  readonly help: string;
  /** To one who asks about this command: what it does. */
  readonly sentence: string;
  /** The types of the commands that come of it. */
  readonly makes: readonly T[];
}

type Sender = Pick<SyntaxContext, 'sender' | 'scheme'>;
type Made<T extends CommandType> = Extract<Command, { type: T }>;

/** By kind, what the parameters are read as. */
type Given<P extends readonly Parameter[]> = {
  readonly [Q in P[number] as Q['kind']]: Q extends Parameter<Q['kind'], infer V> ? V : never;
};

/** A row as its readers see it. */
export interface CommandRow<T extends CommandType = CommandType> extends Required<Spelling<readonly Parameter[], T>> {
  /** `parameters`, each with its place among the words, as `kinds` orders them. */
  readonly inReadingOrder: readonly (readonly [at: number, parameter: Parameter])[];
  /** @param given by kind, what each of `parameters` was read as */
  readonly make: (given: Readonly<Record<string, unknown>>, sender: Sender) => Command;
}

/** Holds `make` to what the parameters are read as, and to the commands that the row says it makes. */
export const row = <const P extends readonly Parameter[], T extends CommandType>(
  spelling: Spelling<P, T> & { readonly make: (given: Given<P>, sender: Sender) => Made<T> },
): CommandRow<T> => ({
  aliases: [],
  ...spelling,
  inReadingOrder: [...spelling.parameters.entries()].toSorted(
    ([, a], [, b]) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind),
  ),
  // Whoever calls it has read all the parameters, and nothing else.
  make: (given, sender) => spelling.make(given as Given<P>, sender),
});
