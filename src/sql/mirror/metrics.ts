import { counter, gauge, type Metric } from '../../ports/metric.ts';
import type { MirrorCounters, MirrorStatus } from './status.ts';

export interface CountedMirror {
  readonly counters: MirrorCounters;
  readonly status: () => Pick<MirrorStatus, 'lagSeconds' | 'pendingEvents'>;
}

/** The mirror's rows behind the log. */
export const mirrorMetrics: readonly Metric<CountedMirror>[] = [
  gauge(
    'mirror_lag_seconds',
    ['mirror', 'lag'],
    'Age of the oldest event that is not in the mirror.',
    ({ status }) => status().lagSeconds,
  ),
  gauge(
    'mirror_pending_events',
    ['mirror', 'pending'],
    'Events read and not yet written to the mirror.',
    ({ status }) => status().pendingEvents,
  ),
  counter(
    'mirror_events',
    ['mirror', 'events'],
    'Events written to the mirror.',
    ({ counters }) => counters.eventsWritten,
  ),
  counter(
    'mirror_troubles',
    ['mirror', 'troubles'],
    'What went wrong with the mirror.',
    ({ counters }) => ({
      retried: counters.retries,
      connection_lost: counters.connectionsLost,
      missing_row: counters.missingRows,
      stopped: counters.stops,
    }),
    ['kind'],
  ),
];
