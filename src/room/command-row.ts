import type * as E from 'fp-ts/lib/Either.js';
import type { RoomUri } from './address.ts';
import type { Command } from './commands.ts';
import {
  type CommandParameter,
  kinds,
  room,
  type SyntaxContext,
  type TextParameter,
  type WordParameter,
} from './parameters.ts';
import type { Malformed } from './refusals.ts';

/** What a row of the command table holds (`command-table.ts`). */

export type CommandType = Command['type'];

type Parameters = readonly WordParameter[] | readonly [...WordParameter[], TextParameter];

interface Spelling<P extends Parameters, T extends CommandType> {
  /** Lower case. */
  readonly name: string;
  readonly aliases?: readonly string[];
  /** At most one of a kind; those that may be left out stand last, and a text last of all. */
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

type Read<Q extends CommandParameter> = Q['read'] extends (...written: never[]) => E.Either<Malformed, infer V>
  ? V
  : never;
/** By kind, what the parameters are read as; `here`, the room that was written to. */
type Given<P extends Parameters, H extends boolean> = {
  readonly [Q in P[number] as Q['kind']]: Read<Q>;
} & (H extends true ? { readonly room: RoomUri } : unknown);

/** A row as its readers see it. */
export interface CommandRow<T extends CommandType = CommandType> extends Required<Spelling<Parameters, T>> {
  /** What is read, in the order of `kinds`, each with the place of its word; with `here` also the room, which has none. */
  readonly inReadingOrder: readonly (readonly [at: number, parameter: CommandParameter])[];
  /** @param given by kind, what each of `inReadingOrder` was read as */
  readonly make: (given: Readonly<Record<string, unknown>>, sender: Sender) => Command;
}

/** Holds `make` to what the parameters are read as, and to the commands that the row says it makes. */
export const row = <const P extends Parameters, T extends CommandType, const H extends boolean = false>(
  spelling: Spelling<P, T> & {
    /** It is for the room that it is sent to: `room` is given without a word for it. */
    readonly here?: H;
    readonly make: (given: Given<P, H>, sender: Sender) => Made<NoInfer<T>>;
  },
): CommandRow<T> => ({
  aliases: [],
  ...spelling,
  inReadingOrder: inReadingOrder(spelling.here === true ? [...spelling.parameters, room] : spelling.parameters),
  // Whoever calls it has read all the parameters, and nothing else.
  make: (given, sender) => spelling.make(given as Given<P, H>, sender),
});

const inReadingOrder = (parameters: readonly CommandParameter[]): CommandRow['inReadingOrder'] =>
  [...parameters.entries()].toSorted(([, a], [, b]) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind));
