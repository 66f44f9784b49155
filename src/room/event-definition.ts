import type * as t from 'io-ts';
import { Actor } from './actor.ts';
import { MemberUri } from './address.ts';
import { fieldsOf } from './codec-fields.ts';

/** Data of an older version, as JSON gives them: an object, of which nothing else is sure. */
export type OldData = Readonly<Record<string, unknown>>;

/** Brings data one version up. What it makes of data that never had their shape does not matter: the codec looks at the end. */
export type Upcast = (old: OldData) => unknown;

/** All that there is to say about one type of event. */
export interface EventDefinition<C extends t.Mixed = t.Mixed> {
  /** What happened, as a sentence: for schema and reference. */
  readonly meaning: string;
  /** The data of the newest version. */
  readonly data: C;
  /** The newest version: `metadata.version` of what is written. */
  readonly version: number;
  /** Step by step from the first version on: `upcasts[0]` makes version 2 of version 1. */
  readonly upcasts: readonly Upcast[];
  /** Fields of the data that name a user, or an operator. */
  readonly users: readonly string[];
}

/** Events by their types. */
export type EventTable = { readonly [type: string]: EventDefinition };

/** The events of a table; with `T`, those of some types only. */
export type EventOf<Table extends EventTable, T extends string & keyof Table = string & keyof Table> = {
  [K in T]: { readonly type: K; readonly data: t.TypeOf<Table[K]['data']> };
}[T];

/** A row of a table: the version follows from the upcasts, and the users from the codec. */
export const define = <C extends t.Mixed>(row: {
  readonly meaning: string;
  readonly data: C;
  readonly upcasts?: readonly Upcast[];
}): EventDefinition<C> => {
  const { meaning, data, upcasts = [] } = row;
  return { meaning, data, version: upcasts.length + 1, upcasts, users: usersIn(data) };
};

/** Names of the fields that are a user's or an actor's. */
const usersIn = (codec: t.Mixed): readonly string[] =>
  fieldsOf(codec).flatMap(([name, field]) => (field === MemberUri || field === Actor ? [name] : []));
