import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { MiPorts } from './ports.ts';
import { invalidParams, type Params, type RpcError } from './rpc.ts';

export interface Param {
  readonly name: string;
  readonly optional?: true;
  readonly meaning: string;
  /** JSON Schema; default: a string. */
  readonly schema?: Readonly<Record<string, unknown>>;
}

/** Arguments by name; what was not given is absent. */
export type Arguments = Readonly<Record<string, unknown>>;

/** Who calls: `mi:http:127.0.0.1:40000`, `mi:fifo`, `mi:datagram:127.0.0.1:40000`. */
export interface Caller {
  readonly source: string;
}

/** One call: its id stands in the log's line and, as `$correlationId`, in the events that it leads to. */
export interface Called extends Caller {
  readonly correlationId: string;
}

export interface Method {
  /** Every name it is called by; the first is the one the reference shows. */
  readonly spellings: readonly string[];
  readonly summary: string;
  readonly params: readonly Param[];
  /** It changes rooms or the server: each call is a line of the log. */
  readonly changes?: true;
  /** JSON Schema of the result. */
  readonly result: Readonly<Record<string, unknown>>;
  /** The result (JSON, or with long lists in it) or the error. What rejects is a `StoreError`, or a defect. */
  readonly run: (ports: MiPorts, given: Arguments, called: Called) => TaskEither<RpcError, unknown>;
}

/** Positions or names to names. Left as OpenSIPS words it, and what would be right. */
export const matchParams = (method: Method, params: Params): E.Either<RpcError, Arguments> => {
  const least = method.params.filter(({ optional }) => optional === undefined).length;
  const names = method.params.map(({ name, optional }) => (optional ? `[${name}]` : name)).join(', ');
  const wanted = names === '' ? 'none are taken' : `taken are ${names}`;
  const wrongNumber = E.left(invalidParams(`Too few or too many parameters: ${wanted}`));
  if (params === undefined) return least > 0 ? wrongNumber : E.right({});
  if (Array.isArray(params)) {
    if (params.length < least || params.length > method.params.length) return wrongNumber;
    return E.right(Object.fromEntries(params.map((value, index) => [method.params[index]?.name ?? '', value])));
  }
  const given = Object.entries(params);
  const unknown = given.find(([name]) => !method.params.some((param) => param.name === name));
  const missing = method.params.find(({ name, optional }) => !optional && !Object.hasOwn(params, name));
  if (given.length < least) return wrongNumber;
  if (unknown !== undefined || missing !== undefined) {
    return E.left(invalidParams(`Named parameters do not match: ${wanted}`));
  }
  return E.right(Object.fromEntries(given));
};

/** The spellings of OpenSIPS 3.x (`imc_list_rooms`), of its documentation (`list_rooms`) and of 4.x (`imc:list_rooms`). */
export const imcSpellings = (name: string): readonly string[] => [`imc_${name}`, name, `imc:${name}`];
export const coreSpellings = (name: string): readonly string[] => [name, `core:${name}`];
