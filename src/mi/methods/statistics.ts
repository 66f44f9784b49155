import * as E from 'fp-ts/lib/Either.js';
import type { Statistic } from '../../ports/statistics.ts';
import type { Arguments, Method, Param } from '../method.ts';
import type { RpcError } from '../rpc.ts';

const statisticsParam: Param = {
  name: 'statistics',
  meaning: 'names (imc:active_rooms, active_rooms), groups (imc:), or all; one or a list of them',
  schema: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
};

const notFound: RpcError = { code: 404, message: 'Statistics Not Found' };

/** The names that a caller gave, or an error. */
const namesOf = ({ statistics }: Arguments): readonly string[] | undefined => {
  const given: unknown = typeof statistics === 'string' ? [statistics] : statistics;
  if (!Array.isArray(given) || given.length === 0 || given.length > 200) return undefined;
  const names = given.filter((name): name is string => typeof name === 'string' && name !== '');
  return names.length === given.length ? names : undefined;
};

const chosen = (all: readonly Statistic[], given: Arguments): E.Either<RpcError, readonly Statistic[]> => {
  const names = namesOf(given);
  if (names === undefined) return E.left({ code: 400, message: 'bad param: statistics is a name or a list of names' });
  const found = all.filter(({ group, name }) =>
    names.some((asked) => asked === 'all' || asked === `${group}:` || asked === name || asked === `${group}:${name}`),
  );
  return found.length === 0 ? E.left(notFound) : E.right(found);
};

const numbers = { type: 'object', additionalProperties: { type: 'number' } };

export const getStatistics: Method = {
  spellings: ['get_statistics', 'statistics:get'],
  summary: 'values of statistics by name or group',
  params: [statisticsParam],
  result: numbers,
  run: async (ports, given) => {
    const found = chosen(await ports.statistics.all(), given);
    if (E.isLeft(found)) return found;
    return E.right(Object.fromEntries(found.right.map(({ group, name, value }) => [`${group}:${name}`, value])));
  },
};

export const listStatistics: Method = {
  spellings: ['list_statistics', 'statistics:list'],
  summary: 'names of all statistics; incremental ones only grow, and can be reset',
  params: [{ ...statisticsParam, optional: true }],
  result: { type: 'object', additionalProperties: { enum: ['incremental', 'non-incremental'] } },
  run: async (ports, given) => {
    const all = await ports.statistics.all();
    const found = given.statistics === undefined ? E.right(all) : chosen(all, given);
    if (E.isLeft(found)) return found;
    const kinds = found.right.map(({ group, name, incremental }) => [
      `${group}:${name}`,
      incremental ? 'incremental' : 'non-incremental',
    ]);
    return E.right(Object.fromEntries(kinds));
  },
};

export const resetStatistics: Method = {
  spellings: ['reset_statistics', 'statistics:reset'],
  summary: 'let statistics that only grow start from 0 again in MI; /metrics is not touched',
  params: [statisticsParam],
  changes: true,
  result: { type: 'string', const: 'OK' },
  run: async (ports, given) => {
    const found = chosen(await ports.statistics.all(), given);
    if (E.isLeft(found)) return found;
    const resettable = found.right.filter(({ incremental }) => incremental);
    if (resettable.length === 0)
      return E.left({ code: 400, message: 'these statistics are not incremental: they show what is' });
    await ports.statistics.reset(resettable);
    return E.right('OK');
  },
};
