import type { Census, MetricSources } from './metric-sources.ts';

/** Values of one metric: one number, or one for each value of its label (of its two labels, as `a b`). */
export type Reading = number | Readonly<Record<string, number>> | undefined;

export interface Snapshot extends MetricSources {
  readonly census: Census;
  readonly eventLoop: Readonly<Record<string, number>>;
}

export interface Metric {
  /** By Prometheus' rules: base units, `_total` for what only grows. */
  readonly name: string;
  readonly kind: 'gauge' | 'counter';
  readonly help: string;
  readonly labels?: readonly string[];
  /** Group and name in MI's statistics; with labels: their sum under this name, and each as `name_label`. */
  readonly statistic: readonly [group: string, name: string];
  readonly read: (from: Snapshot) => Reading;
}

export const gauge = (
  name: string,
  statistic: Metric['statistic'],
  help: string,
  read: Metric['read'],
  labels: readonly string[] = [],
): Metric => ({
  name: `imcd_${name}`,
  kind: 'gauge',
  help,
  statistic,
  read,
  labels,
});
export const counter = (
  name: string,
  statistic: Metric['statistic'],
  help: string,
  read: Metric['read'],
  labels: readonly string[] = [],
): Metric => ({
  ...gauge(`${name}_total`, statistic, help, read, labels),
  kind: 'counter',
});
