/** What the management interface counts: numbers of the process, read by the statistics at their own pace. */
export interface MiCounters {
  /** Calls by method, unknown ones together as `unknown`. */
  readonly calls: Record<string, number>;
  /** Calls that ended in an error, by its code. */
  readonly errors: Record<string, number>;
  /** What each front that is open refused, dropped or gave up, by kind: `wrongTokens`, `fifoDropped`, ... */
  readonly fronts: (() => Readonly<Record<string, number>>)[];
}

export const newMiCounters = (): MiCounters => ({ calls: {}, errors: {}, fronts: [] });
