import * as E from 'fp-ts/lib/Either.js';
import { StoreError } from '../ports/event-store.ts';
import type { Log } from '../ports/log.ts';
import type { MiCounters } from './counters.ts';
import { encode, encodeWhole } from './encode.ts';
import { type Caller, type Method, matchParams } from './method.ts';
import { methods } from './methods.ts';
import type { MiPorts } from './ports.ts';
import {
  type BadCall,
  type Call,
  errorText,
  internalError,
  methodNotFound,
  parse,
  type RpcError,
  resultHead,
  resultTail,
} from './rpc.ts';

/** Answers one JSON-RPC text. Undefined: nothing is to be answered (a notification). Never rejects; the pieces may throw. */
export type Dispatch = (text: string, caller: Caller) => Promise<AsyncIterable<string> | undefined>;

/** Most characters of all answers of one batch together. */
const mostOfBatch = 8 * 1_048_576;

const bySpelling: ReadonlyMap<string, Method> = new Map(
  methods.flatMap((method) => method.spellings.map((spelling) => [spelling, method] as const)),
);

/** @param counters where calls and their errors are counted */
export const createMiDispatch = (
  ports: MiPorts,
  log: Log,
  counters: Pick<MiCounters, 'calls' | 'errors'>,
): Dispatch => {
  const run = async (call: Call, caller: Caller): Promise<E.Either<RpcError, unknown>> => {
    const method = bySpelling.get(call.method);
    const name = method?.spellings[0] ?? 'unknown';
    counters.calls[name] = (counters.calls[name] ?? 0) + 1;
    if (method === undefined) return E.left(methodNotFound);
    const given = matchParams(method, call.params);
    if (E.isLeft(given)) return given;
    const called = { ...caller, correlationId: ports.ids.uuid() };
    try {
      const result = await method.run(ports, given.right, called);
      if (method.changes) {
        const outcome = E.isRight(result) ? 'done' : result.left.message;
        log.info({ method: name, ...given.right, ...called, outcome }, 'management call');
      }
      return result;
    } catch (error) {
      if (error instanceof StoreError) return E.left({ code: 500, message: error.message });
      log.error({ method: name, source: caller.source, error }, 'a management call failed: a defect');
      return E.left(internalError);
    }
  };

  const failed = (error: RpcError): RpcError => {
    counters.errors[error.code] = (counters.errors[error.code] ?? 0) + 1;
    return error;
  };

  const answer = async (call: E.Either<BadCall, Call>, caller: Caller): Promise<AsyncIterable<string> | undefined> => {
    if (E.isLeft(call)) return one(errorText(failed(call.left.error), call.left.id));
    const { id } = call.right;
    const result = await run(call.right, caller);
    if (E.isLeft(result)) failed(result.left);
    if (id === undefined) return undefined;
    if (E.isLeft(result)) return one(errorText(result.left, id));
    return envelope(result.right, id);
  };

  return async (text, caller) => {
    const parsed = parse(text);
    if (parsed.kind === 'single') return answer(parsed.call, caller);
    const answers: string[] = [];
    let room = mostOfBatch;
    for (const call of parsed.calls) {
      const pieces = await answer(call, caller);
      if (pieces === undefined) continue;
      const whole = await encodeWhole(pieces, room);
      const id = E.isRight(call) ? (call.right.id ?? null) : call.left.id;
      const error: RpcError = {
        code: 500,
        message: 'the answers of this batch are too long together: call one by one',
      };
      const shown = whole ?? errorText(failed(error), id);
      room -= shown.length;
      answers.push(shown);
    }
    return answers.length === 0 ? undefined : one(`[${answers.join(',')}]`);
  };
};

async function* one(text: string): AsyncGenerator<string, void, undefined> {
  yield text;
}

async function* envelope(result: unknown, id: string | number | null): AsyncGenerator<string, void, undefined> {
  let head = resultHead;
  for await (const piece of encode(result)) {
    yield head + piece;
    head = '';
  }
  yield resultTail(id);
}
