import { counter, type Metric } from '../../ports/metric.ts';
import type { SipCounters } from './dispatch.ts';
import type { RefusedLog } from './refused-log.ts';

/**
 * The metrics of what came from the network and began no transaction, or met a defect. Each reads the dispatch's own numbers.
 */

export const dispatchMetrics: readonly Metric<SipCounters>[] = [
  counter(
    'sip_malformed',
    ['sip', 'malformed'],
    'Messages that could not be understood: answered, or not even that.',
    ({ malformed, garbage }) => ({ answered: malformed, garbage }),
    ['kind'],
  ),
  counter('sip_keep_alives', ['sip', 'keep_alives'], 'Keep-alives.', ({ keepAlives }) => keepAlives),
  counter('sip_defects', ['sip', 'defects'], 'Requests that met a defect of imcd.', ({ defects }) => defects),
];

/** The lines about them. */
export const refusedLogMetrics: readonly Metric<RefusedLog['counters']>[] = [
  counter(
    'sip_log_lines_suppressed',
    ['sip', 'log_lines_suppressed'],
    'Lines about refused requests that were not logged, beyond 50 in 10 s.',
    ({ linesSuppressed }) => linesSuppressed,
  ),
];
