import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { HistogramMetric, RunningMetric, Samples, ValueMetric } from '../ports/metric.ts';
import type { Statistic } from '../ports/statistics.ts';

export interface Metrics {
  /** What Prometheus scrapes. */
  readonly scrape: () => Promise<{ readonly type: string; readonly text: string }>;
  /** The same numbers as MI's statistics. */
  readonly statistics: () => Promise<readonly Statistic[]>;
}

/**
 * Nothing is counted here: the metrics are read when somebody asks.
 *
 * @param scraped called after each scrape: what is measured from one scrape to the next begins anew
 */
export const createMetrics = (metrics: readonly RunningMetric[], scraped: () => void = () => {}): Metrics => {
  const registry = new Registry();
  for (const metric of metrics) register(metric, registry);
  return {
    scrape: async () => {
      const text = await registry.metrics();
      scraped();
      return { type: registry.contentType, text };
    },
    statistics: async () => (await Promise.all(metrics.map(statisticsOf))).flat(),
  };
};

const register = (metric: RunningMetric, registry: Registry): void => {
  if (metric.kind === 'histogram') {
    new ReadHistogram(metric, registry);
    return;
  }
  const collect = async (): Promise<void> => {
    const values = labelled(metric, await metric.read());
    shown.reset();
    for (const [labels, value] of values) shown.inc(labels, value);
  };
  const options = { ...headOf(metric, registry), collect };
  const shown = metric.kind === 'gauge' ? new Gauge(options) : new Counter(options);
};

const headOf = ({ name, help, labels }: RunningMetric, registry: Registry) => ({
  name,
  help,
  labelNames: [...labels],
  registers: [registry],
});

/** Each value with its labels. */
const labelled = (
  { labels }: ValueMetric<void>,
  samples: Samples,
): readonly (readonly [Record<string, string>, number])[] => {
  if (samples === undefined) return [];
  if (typeof samples === 'number') return [[{}, samples]];
  return Object.entries(samples).map(([key, value]) => {
    const parts = labels.length === 2 ? [key.split(' ', 1)[0] ?? '', key.slice(key.indexOf(' ') + 1)] : [key];
    return [Object.fromEntries(labels.map((label, index) => [label, parts[index] ?? ''])), value];
  });
};

/** prom-client's histograms want every observation; this one is filled elsewhere, and read as it is. */
class ReadHistogram extends Histogram<'le'> {
  readonly #metric: HistogramMetric<void>;
  constructor(metric: HistogramMetric<void>, registry: Registry) {
    super({ ...headOf(metric, registry), labelNames: [], buckets: [...metric.bounds] });
    this.#metric = metric;
  }
  /** What `get` and the text are made from. */
  async getForPromString() {
    const { name, help, bounds, read } = this.#metric;
    const { counts, count, sum } = read();
    let below = 0;
    const values: object[] = bounds.map((le, index) => {
      below += counts[index] ?? 0;
      return { metricName: `${name}_bucket`, labels: { le }, value: below };
    });
    values.push({ metricName: `${name}_bucket`, labels: { le: '+Inf' }, value: count });
    values.push({ metricName: `${name}_sum`, labels: {}, value: sum });
    values.push({ metricName: `${name}_count`, labels: {}, value: count });
    return { name, help, type: 'histogram', aggregator: 'sum', values };
  }
}

/** A histogram is none. */
const statisticsOf = async (metric: RunningMetric): Promise<readonly Statistic[]> => {
  if (metric.kind === 'histogram') return [];
  const [group, name] = metric.statistic;
  const incremental = metric.kind === 'counter';
  const samples = await metric.read();
  if (samples === undefined) return [];
  if (typeof samples === 'number') return [{ group, name, value: samples, incremental }];
  const each = Object.entries(samples).map(([label, value]) => {
    return { group, name: `${name}_${label.replaceAll(' ', '_')}`, value, incremental };
  });
  // A sum of quantiles or of kinds of memory says nothing.
  if (!incremental) return each;
  return [{ group, name, value: each.reduce((sum, { value }) => sum + value, 0), incremental }, ...each];
};
