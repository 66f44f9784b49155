import { type Metric, metricsIn } from '../ports/metric.ts';
import { fanOutMetrics } from './fan-out/metrics.ts';
import { registrarMetrics } from './registrar/metrics.ts';
import { dispatchMetrics, refusedLogMetrics } from './server/metrics.ts';
import type { SipStack } from './stack.ts';
import { transactionMetrics } from './transaction/metrics.ts';
import { transportMetrics } from './transport/metrics.ts';

/** The metrics of the whole stack. Each folder lists its own. */

type Counted = Pick<SipStack, 'courier' | 'counters' | 'depths'>;

/** Everything that the SIP stack counts. */
export const sipMetrics: readonly Metric<Counted>[] = [
  ...metricsIn(fanOutMetrics, ({ courier }: Counted) => courier),
  ...metricsIn(transactionMetrics, ({ counters, depths }: Counted) => ({ ...counters, depths })),
  ...metricsIn(dispatchMetrics, ({ counters }: Counted) => counters),
  ...metricsIn(refusedLogMetrics, ({ counters }: Counted) => counters.log),
  ...metricsIn(transportMetrics, ({ counters }: Counted) => counters.transports),
  ...metricsIn(registrarMetrics, ({ counters }: Counted) => counters.location),
];
