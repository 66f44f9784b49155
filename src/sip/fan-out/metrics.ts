import { counter, gauge, type Metric } from '../../ports/metric.ts';
import type { FanOutCourier } from './courier.ts';

/** The metrics of copies, of chat messages and of announcements alike. Each reads the courier's own numbers. */

export const fanOutMetrics: readonly Metric<Pick<FanOutCourier, 'counters' | 'queueDepth'>>[] = [
  counter(
    'copies_sent',
    ['fanout', 'copies_sent'],
    'Copies sent, first transmissions.',
    ({ counters }) => counters.copies,
  ),
  counter(
    'copies_delivered',
    ['fanout', 'copies_delivered'],
    'Copies answered with 2xx.',
    ({ counters }) => counters.delivered,
  ),
  counter(
    'copies_failed',
    ['fanout', 'copies_failed'],
    'Copies that failed, by status or reason.',
    ({ counters }) => counters.failures,
    ['reason'],
  ),
  counter(
    'copies_spared',
    ['fanout', 'copies_spared'],
    'Retransmissions kept back from silent destinations.',
    ({ counters }) => counters.repetitionsSpared,
  ),
  counter(
    'copies_large',
    ['fanout', 'copies_large'],
    'Copies over 1,300 bytes to UDP destinations, by the transport that took them.',
    ({ counters }) => ({ tcp: counters.largeOverTcp, udp: counters.largeOverUdp }),
    ['transport'],
  ),
  gauge('copies_queued', ['fanout', 'copies_queued'], 'Copies that wait for their destination.', ({ queueDepth }) =>
    queueDepth(),
  ),
];
