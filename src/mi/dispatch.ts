import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { StoreError } from '../ports/event-store.ts';
import type { Log } from '../ports/log.ts';
import type { MiCounters } from './counters.ts';
import { encode, encodeWhole } from './encode.ts';
import { type Arguments, type Caller, type Method, matchParams } from './method.ts';
import { methodNamed } from './methods.ts';
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
export type Dispatch = (text: string, caller: Caller) => Promise<Pieces | undefined>;

type Pieces = AsyncIterable<string>;

interface Serving {
  readonly ports: MiPorts;
  readonly log: Log;
  readonly counters: Pick<MiCounters, 'calls' | 'errors'>;
}

/** @param counters where calls and their errors are counted */
export const createMiDispatch = (ports: MiPorts, log: Log, counters: Serving['counters']): Dispatch => {
  const serving: Serving = { ports, log, counters };
  return (text, caller) => {
    const parsed = parse(text);
    return parsed.kind === 'single' ? answer(serving, parsed.call, caller) : answerBatch(serving, parsed.calls, caller);
  };
};

const answer = async (serving: Serving, call: E.Either<BadCall, Call>, caller: Caller): Promise<Pieces | undefined> => {
  if (E.isLeft(call)) return failure(serving, call.left.error, call.left.id);
  const { id } = call.right;
  const result = await run(serving, call.right, caller)();
  if (E.isLeft(result)) return failure(serving, result.left, id);
  return id === undefined ? undefined : envelope(result.right, id);
};

/** Most characters of all answers of one batch together. */
const mostOfBatch = 8 * 1_048_576;
const tooLong: RpcError = {
  code: 500,
  message: 'the answers of this batch are too long together: call one by one',
};

/** One call after the other; their answers wait in memory until the last is there. */
const answerBatch = async (
  serving: Serving,
  calls: readonly E.Either<BadCall, Call>[],
  caller: Caller,
): Promise<Pieces | undefined> => {
  const answers: string[] = [];
  let room = mostOfBatch;
  for (const call of calls) {
    const pieces = await answer(serving, call, caller);
    if (pieces === undefined) continue;
    const id = E.isRight(call) ? (call.right.id ?? null) : call.left.id;
    const shown = (await encodeWhole(pieces, room)) ?? errorText(counted(serving, tooLong), id);
    room -= shown.length;
    answers.push(shown);
  }
  return answers.length === 0 ? undefined : one(`[${answers.join(',')}]`);
};

const run = (serving: Serving, call: Call, caller: Caller): TE.TaskEither<RpcError, unknown> => {
  const { calls } = serving.counters;
  const method = methodNamed(call.method);
  const name = method === undefined ? 'unknown' : nameOf(method);
  calls[name] = (calls[name] ?? 0) + 1;
  if (method === undefined) return TE.left(methodNotFound);
  return pipe(
    TE.fromEither(matchParams(method, call.params)),
    TE.chain((given) => invoke(serving, method, given, caller)),
  );
};

/** Runs a method; each call of one that changes something is a line of the log. */
const invoke =
  ({ ports, log }: Serving, method: Method, given: Arguments, caller: Caller): TE.TaskEither<RpcError, unknown> =>
  async () => {
    const called = { ...caller, correlationId: ports.ids.uuid() };
    try {
      const result = await method.run(ports, given, called)();
      if (method.changes) {
        const outcome = E.isRight(result) ? 'done' : result.left.message;
        log.info({ method: nameOf(method), ...given, ...called, outcome }, 'management call');
      }
      return result;
    } catch (error) {
      if (error instanceof StoreError) return E.left({ code: 500, message: error.message });
      log.error({ method: nameOf(method), source: caller.source, error }, 'a management call failed: a defect');
      return E.left(internalError);
    }
  };

/** By which it is counted and logged, whatever the caller called it. */
const nameOf = ({ spellings }: Method): string => spellings[0] ?? '';

const counted = ({ counters: { errors } }: Serving, error: RpcError): RpcError => {
  errors[error.code] = (errors[error.code] ?? 0) + 1;
  return error;
};

/** @param id undefined: of a notification, whose error is counted and not told */
const failure = (serving: Serving, error: RpcError, id: Call['id']): Pieces | undefined => {
  counted(serving, error);
  return id === undefined ? undefined : one(errorText(error, id));
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
