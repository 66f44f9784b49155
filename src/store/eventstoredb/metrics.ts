import { counter, gauge, type Metric } from '../../ports/metric.ts';
import type { EventStoreDb } from './store.ts';

/** The connection to the server, and what its losses cost. */
export const eventStoreDbMetrics: readonly Metric<Pick<EventStoreDb, 'status' | 'counters'>>[] = [
  gauge(
    'eventstoredb_connected',
    ['eventstoredb', 'connected'],
    '1 while the server is there, else 0.',
    ({ status }) => (status().kind === 'connected' ? 1 : 0),
  ),
  counter(
    'eventstoredb_connections_lost',
    ['eventstoredb', 'connections_lost'],
    'Times that the server was lost, by kind of trouble.',
    ({ counters }) => counters.lost,
    ['kind'],
  ),
  counter(
    'eventstoredb_reconnections_tried',
    ['eventstoredb', 'reconnections_tried'],
    'Tries to reach the server again.',
    ({ counters }) => counters.tries,
  ),
  counter(
    'eventstoredb_outcomes_unknown',
    ['eventstoredb', 'outcomes_unknown'],
    'Appends whose outcome was unknown at first, and those of them that were settled.',
    ({ counters }) => ({ unknown: counters.unknown, settled: counters.settled }),
    ['outcome'],
  ),
  counter(
    'eventstoredb_subscriptions_ended',
    ['eventstoredb', 'subscriptions_ended'],
    'Subscriptions that ended by themselves and were begun again, by kind of trouble.',
    ({ counters }) => counters.ended,
    ['kind'],
  ),
];
