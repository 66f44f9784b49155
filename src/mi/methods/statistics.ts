import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Statistic } from '../../ports/statistics.ts';
import type { Arguments, Method, Param } from '../method.ts';
import type { MiPorts } from '../ports.ts';
import type { RpcError } from '../rpc.ts';

const statisticsParam: Param = {
  name: 'statistics',
  meaning: 'names (imc:active_rooms, active_rooms), groups (imc:), or all; one or a list of them',
  schema: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
};

const notFound: RpcError = { code: 404, message: 'Statistics Not Found' };
const noNames: RpcError = { code: 400, message: 'bad param: statistics is a name or a list of names' };
const notIncremental: RpcError = {
  code: 400,
  message: 'these statistics are not incremental: they show what is',
};

/** The names that a caller gave, or an error. */
const namesOf = ({ statistics }: Arguments): readonly string[] | undefined => {
  const given: unknown = typeof statistics === 'string' ? [statistics] : statistics;
  if (!Array.isArray(given) || given.length === 0 || given.length > 200) return undefined;
  const names = given.filter((name): name is string => typeof name === 'string' && name !== '');
  return names.length === given.length ? names : undefined;
};

const isMeant =
  ({ group, name }: Statistic) =>
  (asked: string): boolean =>
    asked === 'all' || asked === `${group}:` || asked === name || asked === `${group}:${name}`;

/** The statistics that a caller asked for. */
const chosen =
  (given: Arguments) =>
  (all: readonly Statistic[]): E.Either<RpcError, readonly Statistic[]> => {
    const names = namesOf(given);
    if (names === undefined) return E.left(noNames);
    const found = all.filter((statistic) => names.some(isMeant(statistic)));
    return found.length === 0 ? E.left(notFound) : E.right(found);
  };

const everyStatistic = ({ statistics }: MiPorts): TE.TaskEither<RpcError, readonly Statistic[]> =>
  TE.fromTask(statistics.all);

const numbers = { type: 'object', additionalProperties: { type: 'number' } };

export const getStatistics: Method = {
  spellings: ['get_statistics', 'statistics:get'],
  summary: 'values of statistics by name or group',
  params: [statisticsParam],
  result: numbers,
  run: (ports, given) =>
    pipe(
      everyStatistic(ports),
      TE.chainEitherK(chosen(given)),
      TE.map((found) => Object.fromEntries(found.map(({ group, name, value }) => [`${group}:${name}`, value]))),
    ),
};

const nameAndKind = ({ group, name, incremental }: Statistic): readonly [string, string] => [
  `${group}:${name}`,
  incremental ? 'incremental' : 'non-incremental',
];

export const listStatistics: Method = {
  spellings: ['list_statistics', 'statistics:list'],
  summary: 'names of all statistics; incremental ones only grow, and can be reset',
  params: [{ ...statisticsParam, optional: true }],
  result: { type: 'object', additionalProperties: { enum: ['incremental', 'non-incremental'] } },
  run: (ports, given) =>
    pipe(
      everyStatistic(ports),
      TE.chainEitherK((all) => (given.statistics === undefined ? E.right(all) : chosen(given)(all))),
      TE.map((found) => Object.fromEntries(found.map(nameAndKind))),
    ),
};

export const resetStatistics: Method = {
  spellings: ['reset_statistics', 'statistics:reset'],
  summary: 'let statistics that only grow start from 0 again in MI; /metrics is not touched',
  params: [statisticsParam],
  changes: true,
  result: { type: 'string', const: 'OK' },
  run: (ports, given) =>
    pipe(
      everyStatistic(ports),
      TE.chainEitherK(chosen(given)),
      TE.map((found) => found.filter(({ incremental }) => incremental)),
      TE.filterOrElse(
        (resettable) => resettable.length > 0,
        () => notIncremental,
      ),
      TE.chainTaskK((resettable) => () => ports.statistics.reset(resettable)),
      TE.map(() => 'OK'),
    ),
};
