/** A number of the process as MI shows it: `group:name`. */
export interface Statistic {
  readonly group: string;
  readonly name: string;
  readonly value: number;
  /** Only grows: may be reset. */
  readonly incremental: boolean;
}

/** What MI's statistics methods ask of the server. */
export interface Statistics {
  readonly all: () => Promise<readonly Statistic[]>;
  /** From now on these count from 0 again; what Prometheus reads is not touched, its counters never go back. */
  readonly reset: (statistics: readonly Statistic[]) => Promise<void>;
}
