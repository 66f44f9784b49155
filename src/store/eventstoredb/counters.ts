import { newStoreCounters, type StoreCounters } from '../counters.ts';

/** What the adapter counts of its server, besides what every log counts. */
export interface EventStoreDbCounters extends StoreCounters {
  /** Appends whose outcome was unknown at first. */
  unknown: number;
  /** Those of them that were found written, were written by the retry, or were found lost to somebody else. */
  settled: number;
  /** Times that the connection was lost, by kind of trouble. */
  readonly lost: Record<string, number>;
  /** Tries to reach the server again. */
  tries: number;
  /** Subscriptions that ended by themselves, by kind of trouble; `broke`: what followed threw. */
  readonly ended: Record<string, number>;
}

export const newEventStoreDbCounters = (): EventStoreDbCounters => ({
  ...newStoreCounters(),
  unknown: 0,
  settled: 0,
  lost: {},
  tries: 0,
  ended: {},
});
