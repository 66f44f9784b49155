import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Metric, Reading, Snapshot } from './metric.ts';
import { appendHistogram, metrics } from './metric-list.ts';
import { census, type MetricSources } from './metric-sources.ts';
import type { Statistic } from './statistics.ts';

export interface Metrics {
  /** What Prometheus scrapes. */
  readonly scrape: () => Promise<{ readonly type: string; readonly text: string }>;
  /** The same numbers as MI's statistics; members and invitations as they were counted at most a second ago. */
  readonly statistics: () => Promise<readonly Statistic[]>;
  readonly close: () => void;
}

const censusMs = 1_000;
const resolutionMs = 10;
/** Node counts from tick to tick: an idle loop has the resolution itself. */
const seconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - resolutionMs / 1e3);

/** Nothing is counted here: the sources are read when somebody asks. */
export const createMetrics = (sources: MetricSources): Metrics => {
  const registry = new Registry();
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  let counted = { members: 0, invitations: 0 };
  let countedAt = Number.NEGATIVE_INFINITY;
  let counting: Promise<void> | undefined;

  const snapshot = (): Snapshot => ({
    ...sources,
    rooms: sources.rooms,
    census: counted,
    eventLoop: {
      '0.5': seconds(delay.percentile(50)),
      '0.99': seconds(delay.percentile(99)),
      '1': seconds(delay.max),
    },
  });
  const recount = (): Promise<void> => {
    if (performance.now() - countedAt < censusMs) return Promise.resolve();
    counting ??= census(sources.rooms).then((result) => {
      counted = result;
      countedAt = performance.now();
      counting = undefined;
    });
    return counting;
  };

  let current = snapshot();
  for (const metric of metrics) register(metric, registry, () => current);
  registerAppends(registry, sources);

  return {
    scrape: async () => {
      await recount();
      current = snapshot();
      delay.reset();
      return { type: registry.contentType, text: await registry.metrics() };
    },
    statistics: async () => {
      await recount();
      const from = snapshot();
      return metrics.flatMap((metric) => statisticsOf(metric, metric.read(from)));
    },
    close: () => delay.disable(),
  };
};

/** Each value with its labels. */
const labelled = (
  { labels = [] }: Metric,
  reading: Reading,
): readonly (readonly [Record<string, string>, number])[] => {
  if (reading === undefined) return [];
  if (typeof reading === 'number') return [[{}, reading]];
  return Object.entries(reading).map(([key, value]) => {
    const parts = labels.length === 2 ? [key.split(' ', 1)[0] ?? '', key.slice(key.indexOf(' ') + 1)] : [key];
    return [Object.fromEntries(labels.map((label, index) => [label, parts[index] ?? ''])), value];
  });
};

const register = (metric: Metric, registry: Registry, current: () => Snapshot): void => {
  const { name, help, labels = [] } = metric;
  const options = { name, help, labelNames: [...labels], registers: [registry] };
  if (metric.kind === 'gauge') {
    const gauge = new Gauge({
      ...options,
      collect: () => {
        gauge.reset();
        for (const [values, value] of labelled(metric, metric.read(current()))) gauge.set(values, value);
      },
    });
    return;
  }
  const counter = new Counter({
    ...options,
    collect: () => {
      counter.reset();
      for (const [values, value] of labelled(metric, metric.read(current()))) counter.inc(values, value);
    },
  });
};

/** prom-client's histograms want every observation; this one is filled by the engine, and read as it is. */
class ReadHistogram extends Histogram<'le'> {
  readonly #sources: MetricSources;
  constructor(sources: MetricSources, registry: Registry) {
    const { name, help, buckets } = appendHistogram;
    super({ name, help, buckets: [...buckets], registers: [registry] });
    this.#sources = sources;
  }
  /** What `get` and the text are made from. */
  async getForPromString() {
    const { name, help, buckets } = appendHistogram;
    const { appendBuckets = [], appends = 0, appendSeconds = 0 } = this.#sources.engine?.counters ?? {};
    let sum = 0;
    const values: object[] = buckets.map((le, index) => {
      sum += appendBuckets[index] ?? 0;
      return { metricName: `${name}_bucket`, labels: { le }, value: sum };
    });
    values.push({ metricName: `${name}_bucket`, labels: { le: '+Inf' }, value: appends });
    values.push({ metricName: `${name}_sum`, labels: {}, value: appendSeconds });
    values.push({ metricName: `${name}_count`, labels: {}, value: appends });
    return { name, help, type: 'histogram', aggregator: 'sum', values };
  }
}

const registerAppends = (registry: Registry, sources: MetricSources): void => {
  new ReadHistogram(sources, registry);
};

const statisticsOf = ({ statistic: [group, name], kind }: Metric, reading: Reading): readonly Statistic[] => {
  if (reading === undefined) return [];
  const incremental = kind === 'counter';
  if (typeof reading === 'number') return [{ group, name, value: reading, incremental }];
  const each = Object.entries(reading).map(([label, value]) => {
    return { group, name: `${name}_${label.replaceAll(' ', '_')}`, value, incremental };
  });
  // A sum of quantiles or of kinds of memory says nothing.
  if (!incremental) return each;
  return [{ group, name, value: each.reduce((sum, { value }) => sum + value, 0), incremental }, ...each];
};
