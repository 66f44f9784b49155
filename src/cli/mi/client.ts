import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Config } from '../../config/config.ts';
import { reachableHere } from '../../net/address.ts';
import { type CliError, cliError, wrongUsage } from '../cli-error.ts';
import { printable } from '../terminal/show.ts';
import { type MiAddress, type MiFailure, noAnswer, post, urlOf } from './post.ts';

/** Calls a running server's management interface, as JSON-RPC over HTTP. */

/** What a server answered to one call. */
export type MiAnswer = E.Either<MiFailure, unknown>;

export interface MiClient {
  /** Where it is asked, for people: `http://127.0.0.1:8888/mi`. */
  readonly url: string;
  /** Right: the result. */
  readonly call: (method: string, params: unknown) => TE.TaskEither<MiFailure, unknown>;
  /** Many calls at once, at most 100. Right: the answers in order, refused ones among them. */
  readonly calls: (method: string, params: readonly unknown[]) => TE.TaskEither<MiFailure, readonly MiAnswer[]>;
}

/** Left: the configuration has no `mi.http`. */
export const miClient = ({ mi }: Config): E.Either<CliError, MiClient> => {
  if (mi.http === undefined)
    return E.left(wrongUsage('mi.http is none: there is no management interface to ask over HTTP'));
  const { host, port } = mi.http;
  const address: MiAddress = { host: reachableHere(host), port, token: mi.token?.reveal() };
  const url = urlOf(address);
  return E.right({
    url,
    call: (method, params) => pipe(ask(address, callOf(method, params, 1)), TE.chainEitherK(answerIn(url))),
    calls: (method, params) =>
      pipe(
        ask(
          address,
          params.map((one, id) => callOf(method, one, id)),
        ),
        TE.filterOrElse(Array.isArray, () => noAnswer(`${url} answered a batch with something else`)),
        TE.map((answers) => answers.map(answerIn(url))),
      ),
  });
};

const ask = (address: MiAddress, question: unknown): TE.TaskEither<MiFailure, unknown> =>
  pipe(
    post(address, JSON.stringify(question)),
    TE.chainEitherK((text) =>
      E.tryCatch(
        (): unknown => JSON.parse(text),
        () => noAnswer(`${urlOf(address)} answered with something that is no JSON`),
      ),
    ),
  );

const callOf = (method: string, params: unknown, id: number) => ({
  jsonrpc: '2.0',
  method,
  id,
  ...(params === undefined ? {} : { params }),
});

const answerIn =
  (url: string) =>
  (answer: unknown): MiAnswer => {
    if (typeof answer !== 'object' || answer === null)
      return E.left(noAnswer(`${url} answered with something else than JSON-RPC`));
    if ('error' in answer && typeof answer.error === 'object' && answer.error !== null)
      return E.left(refusal({ ...answer.error }));
    if ('result' in answer) return E.right(answer.result);
    return E.left(noAnswer(`${url} answered without a result`));
  };

const refusal = ({ code, message, data }: Readonly<Record<string, unknown>>): MiFailure => {
  const said = data === undefined ? String(message) : `${message}: ${data}`;
  return { ...cliError(printable(`${said} (${Number(code)})`, '\n')), kind: 'Refused', rpcCode: Number(code) };
};
