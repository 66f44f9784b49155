import { counter, gauge, type Metric } from '../ports/metric.ts';
import type { StoreCounters } from './counters.ts';

/** A log that says what it does. */
export interface CountedStore {
  readonly counters: StoreCounters;
  /** Appends that wait for their outcome. */
  readonly pendingAppends: () => number;
}

/** What every log counts. */
export const storeMetrics: readonly Metric<CountedStore>[] = [
  counter(
    'store_operations',
    ['store', 'operations'],
    'What the store did: appends, events written, reads, subscriptions begun; in SQLite also commits.',
    ({ counters }) => ({ ...counters.operations }),
    ['kind'],
  ),
  counter(
    'store_failures',
    ['store', 'failures'],
    'Appends, reads and subscriptions that failed, by kind of failure.',
    ({ counters }) => counters.failures,
    ['kind'],
  ),
  gauge(
    'store_appends_pending',
    ['store', 'appends_pending'],
    'Appends that wait for the store.',
    ({ pendingAppends }) => pendingAppends(),
  ),
];
