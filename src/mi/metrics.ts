import { counter, type Metric } from '../ports/metric.ts';
import type { MiCounters } from './counters.ts';

/** Calls, and what the fronts kept out. */
export const miMetrics: readonly Metric<MiCounters>[] = [
  counter('mi_calls', ['mi', 'calls'], 'Calls of the management interface.', ({ calls }) => calls, ['method']),
  counter('mi_errors', ['mi', 'errors'], 'Calls that ended in an error.', ({ errors }) => errors, ['code']),
  counter(
    'mi_refused',
    ['mi', 'refused'],
    'What the fronts of the management interface refused, dropped or gave up.',
    ({ fronts }) => Object.assign({}, ...fronts.map((front) => front())),
    ['kind'],
  ),
];
