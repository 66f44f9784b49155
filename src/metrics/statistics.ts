import type { Statistic, Statistics } from '../ports/statistics.ts';

/** @param read the values since the start of the process */
export const createStatistics = (read: () => Promise<readonly Statistic[]>): Statistics => {
  const zero = new Map<string, number>();
  const nameOf = ({ group, name }: Statistic) => `${group}:${name}`;
  const shown = (statistic: Statistic): Statistic => {
    const from = zero.get(nameOf(statistic));
    return from === undefined ? statistic : { ...statistic, value: statistic.value - from };
  };
  return {
    all: async () => (await read()).map(shown),
    reset: async (statistics) => {
      const wanted = new Set(statistics.map(nameOf));
      for (const statistic of await read()) {
        if (statistic.incremental && wanted.has(nameOf(statistic))) zero.set(nameOf(statistic), statistic.value);
      }
    },
  };
};
