import { counter, gauge, type Metric, type Samples } from '../../ports/metric.ts';
import type { TransportCounters } from './transport.ts';

/** Counters of each transport by its name. */
type Transports = Readonly<Record<string, TransportCounters>>;

/** One number of each transport. */
const each =
  (pick: (counters: TransportCounters) => number) =>
  (transports: Transports): Samples =>
    Object.fromEntries(Object.entries(transports).map(([name, counters]) => [name, pick(counters)]));

/** Each transport's numbers by reason. */
const eachByReason =
  (pick: (counters: TransportCounters) => Readonly<Record<string, number>>) =>
  (transports: Transports): Samples =>
    Object.fromEntries(
      Object.entries(transports).flatMap(([name, counters]) =>
        Object.entries(pick(counters)).map(([reason, value]) => [`${name} ${reason}`, value]),
      ),
    );

/** Messages on the wire. */
export const transportMetrics: readonly Metric<Transports>[] = [
  counter(
    'transport_received',
    ['transport', 'received'],
    'Messages received.',
    each(({ received }) => received),
    ['transport'],
  ),
  counter(
    'transport_sent',
    ['transport', 'sent'],
    'Messages sent.',
    each(({ sent }) => sent),
    ['transport'],
  ),
  counter(
    'transport_dropped',
    ['transport', 'dropped'],
    'Messages dropped before they were parsed.',
    eachByReason(({ dropped }) => dropped),
    ['transport', 'reason'],
  ),
  counter(
    'transport_errors',
    ['transport', 'errors'],
    'Messages that could not be sent.',
    eachByReason(({ failures }) => failures),
    ['transport', 'reason'],
  ),
  gauge(
    'transport_connections',
    ['transport', 'connections'],
    'Open connections.',
    ({ udp: _hasNone, ...streams }) => each(({ connections }) => connections)(streams),
    ['transport'],
  ),
];
