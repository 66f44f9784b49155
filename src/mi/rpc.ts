import * as E from 'fp-ts/lib/Either.js';

/** JSON-RPC 2.0: texts to calls and back. Pure. */

export type Id = string | number | null;
/** Undefined: none were given. */
export type Params = undefined | readonly unknown[] | Readonly<Record<string, unknown>>;

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: string;
}

export interface Call {
  readonly method: string;
  readonly params: Params;
  /** Undefined: a notification, which gets no answer. */
  readonly id: Id | undefined;
}

/** A request that is none, with the id to answer to. */
export interface BadCall {
  readonly error: RpcError;
  readonly id: Id;
}

export type Parsed =
  | { readonly kind: 'single'; readonly call: E.Either<BadCall, Call> }
  | { readonly kind: 'batch'; readonly calls: readonly E.Either<BadCall, Call>[] };

export const parseError: RpcError = { code: -32700, message: 'Parse error' };
const invalidRequest = (data: string): RpcError => ({ code: -32600, message: 'Invalid Request', data });
export const methodNotFound: RpcError = { code: -32601, message: 'Method not found' };
export const invalidParams = (data: string): RpcError => ({ code: -32602, message: 'Invalid params', data });
export const internalError: RpcError = { code: -32603, message: 'Internal error' };

/** A batch is answered as a whole: its answers wait in memory until the last is there. */
export const mostInBatch = 100;

export const parse = (text: string): Parsed => {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return { kind: 'single', call: E.left({ error: parseError, id: null }) };
  }
  if (!Array.isArray(root)) return { kind: 'single', call: parseCall(root) };
  if (root.length === 0 || root.length > mostInBatch) {
    const error = invalidRequest(`a batch holds 1 to ${mostInBatch} requests, this one ${root.length}`);
    return { kind: 'single', call: E.left({ error, id: null }) };
  }
  return { kind: 'batch', calls: root.map(parseCall) };
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isId = (value: unknown): value is Id => value === null || typeof value === 'string' || typeof value === 'number';

const parseCall = (value: unknown): E.Either<BadCall, Call> => {
  if (!isObject(value)) return E.left({ error: invalidRequest('a request is a JSON object'), id: null });
  const { jsonrpc, method, params, id } = value;
  const bad = (data: string) => E.left({ error: invalidRequest(data), id: isId(id) ? id : null });
  if (jsonrpc !== '2.0') return bad('jsonrpc must be "2.0"');
  if (typeof method !== 'string') return bad('method must be a string');
  if (id !== undefined && !isId(id)) return bad('id must be a string, a number or null');
  if (params !== undefined && !Array.isArray(params) && !isObject(params)) {
    return bad('params must be an array or an object');
  }
  return E.right({ method, params, id });
};

/** The text before a result, which may be long and come in pieces, and after it. */
export const resultHead = '{"jsonrpc":"2.0","result":';
export const resultTail = (id: Id): string => `,"id":${JSON.stringify(id)}}`;

export const errorText = (error: RpcError, id: Id): string => JSON.stringify({ jsonrpc: '2.0', error, id });
