import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type CliError, wrongUsage } from '../cli-error.ts';
import type { Run } from '../invocation.ts';
import { miClient } from '../mi/client.ts';
import { printLines } from '../terminal/stdout.ts';

/** `imcd mi METHOD [PARAM=VALUE...]`: calls a running server, prints the JSON result. */
export const run: Run = ({ args, config, out }) => {
  const [method = '', ...given] = args;
  return pipe(
    config,
    TE.chainEitherK(miClient),
    TE.bindTo('client'),
    TE.bind('params', () => TE.fromEither(paramsOf(given))),
    TE.chainW(({ client, params }) => client.call(method, params)),
    TE.chainTaskK((result) => printLines(out, [JSON.stringify(result, null, 2)])),
  );
};

/** `name=value` are named; values without a name go by position. `name=a` twice is a list. */
const paramsOf = (given: readonly string[]): E.Either<CliError, unknown> => {
  if (given.length === 0) return E.right(undefined);
  // A SIP URI's parameters have = too, so a name is letters, digits and _ only.
  const named = given.map((text) => /^([A-Za-z_]\w*)=(.*)$/s.exec(text));
  if (named.every((match) => match === null)) return E.right(given);
  const params: Record<string, string | string[]> = {};
  for (const [index, match] of named.entries()) {
    if (match === null) {
      const bare = JSON.stringify(given[index]);
      return E.left(wrongUsage(`parameters go all by name or all by position: ${bare} has no name`));
    }
    const [, name = '', value = ''] = match;
    const before = Object.hasOwn(params, name) ? params[name] : undefined;
    params[name] = before === undefined ? value : [before, value].flat();
  }
  return E.right(params);
};
