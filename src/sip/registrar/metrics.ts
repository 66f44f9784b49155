import { counter, gauge, type Metric } from '../../ports/metric.ts';
import type { LocationCounters } from './location.ts';

/** The metrics of registered users. Each reads the location service's own numbers. */

export const registrarMetrics: readonly Metric<LocationCounters>[] = [
  gauge('registrations', ['registrar', 'registrations'], 'Contacts of registered users.', ({ bindings }) => bindings),
  counter(
    'registrations_expired',
    ['registrar', 'registrations_expired'],
    'Contacts that expired.',
    ({ expired }) => expired,
  ),
  counter(
    'registrations_unwritten',
    ['registrar', 'registrations_unwritten'],
    'Changes of registrations that their file did not take.',
    ({ failures }) => failures,
  ),
];
