import { CliError, type Run } from '../invocation.ts';
import { miClient } from '../mi/client.ts';

/** `imcd mi METHOD [PARAM=VALUE...]`: calls a running server, prints the JSON result. */
export const run: Run = async ({ args, config, out }) => {
  const [method = '', ...given] = args;
  const client = miClient(await config());
  const params = paramsOf(given);
  await out(JSON.stringify(await client.call(method, params), null, 2));
  return 0;
};

/** `name=value` are named; values without a name go by position. `name=a` twice is a list. */
const paramsOf = (given: readonly string[]): unknown => {
  if (given.length === 0) return undefined;
  // A SIP URI's parameters have = too, so a name is letters, digits and _ only.
  const named = given.map((text) => /^([A-Za-z_]\w*)=(.*)$/s.exec(text));
  if (named.every((match) => match === null)) return given;
  const params: Record<string, string | string[]> = {};
  for (const [index, match] of named.entries()) {
    if (match === null) {
      throw new CliError(
        `parameters go all by name or all by position: ${JSON.stringify(given[index])} has no name`,
        2,
      );
    }
    const [, name = '', value = ''] = match;
    const before = Object.hasOwn(params, name) ? params[name] : undefined;
    params[name] = before === undefined ? value : [before, value].flat();
  }
  return params;
};
