/**
 * What a component counts, under the names that Prometheus and the management interface show. Each component has a list beside
 * what it counts; the server joins the lists, and the values are read when somebody asks.
 */

/** Values at present: one, or one for each value of the label (of the two labels, a blank between them). Undefined: none. */
export type Samples = number | Readonly<Record<string, number>> | undefined;

/** What was observed, in buckets. */
export interface Distribution {
  /** How many were at most as much as the bound in this place and more than the one before; the last place: more than all. */
  readonly counts: readonly number[];
  /** How many, and all of them added. */
  readonly count: number;
  readonly sum: number;
}

/** What the reference shows of it. */
export interface MetricHead {
  readonly kind: 'gauge' | 'counter' | 'histogram';
  /** By Prometheus' rules: `imcd_NAME`, base units, `_total` for what only grows. */
  readonly name: string;
  /** One sentence. */
  readonly help: string;
  /** At most two. */
  readonly labels: readonly string[];
}

/** One number, or some that labels tell apart. @typeParam Counted what the values are read from */
export interface ValueMetric<Counted> extends MetricHead {
  readonly kind: 'gauge' | 'counter';
  /** Group and name in MI's statistics; a counter with labels is there as its sum, and each value as `name_label`. */
  readonly statistic: readonly [group: string, name: string];
  /** A Promise where counting takes turns of the event loop. */
  readonly read: (counted: Counted) => Samples | Promise<Samples>;
}

/** @typeParam Counted what the values are read from */
export interface HistogramMetric<Counted> extends MetricHead {
  readonly kind: 'histogram';
  /** Upper bounds of the buckets, rising. */
  readonly bounds: readonly number[];
  readonly read: (counted: Counted) => Distribution;
}

export type Metric<Counted> = ValueMetric<Counted> | HistogramMetric<Counted>;

/** One whose component runs. */
export type RunningMetric = Metric<void>;

/** A number that goes up and down: `imcd_NAME`. */
export const gauge = <Counted>(
  name: string,
  statistic: ValueMetric<Counted>['statistic'],
  help: string,
  read: ValueMetric<Counted>['read'],
  labels: readonly string[] = [],
): ValueMetric<Counted> => ({ name: `imcd_${name}`, kind: 'gauge', help, labels, statistic, read });

/** A number that only grows: `imcd_NAME_total`. */
export const counter = <Counted>(
  name: string,
  statistic: ValueMetric<Counted>['statistic'],
  help: string,
  read: ValueMetric<Counted>['read'],
  labels: readonly string[] = [],
): ValueMetric<Counted> => ({ name: `imcd_${name}_total`, kind: 'counter', help, labels, statistic, read });

/** The metrics of a part, read from the whole that it is found in. */
export const metricsIn = <Whole, Part>(
  metrics: readonly Metric<Part>[],
  partOf: (whole: Whole) => Part,
): readonly Metric<Whole>[] =>
  metrics.map((metric) =>
    metric.kind === 'histogram'
      ? { ...metric, read: (whole: Whole) => metric.read(partOf(whole)) }
      : { ...metric, read: (whole: Whole) => metric.read(partOf(whole)) },
  );
