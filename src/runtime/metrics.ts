import { counter, gauge, type Metric } from '../ports/metric.ts';
import type { EventLoopDelay } from './event-loop.ts';
import type { RunningLog } from './log.ts';

export interface CountedProcess {
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly eventLoop: Pick<EventLoopDelay, 'quantiles'>;
}

/** The process itself. */
export const processMetrics: readonly Metric<CountedProcess>[] = [
  gauge(
    'build_info',
    ['core', 'build_info'],
    'Always 1; the version is in the label.',
    ({ version }) => ({ [version]: 1 }),
    ['version'],
  ),
  gauge(
    'start_time_seconds',
    ['core', 'start_time'],
    'When the process started, seconds since 1970.',
    ({ startedAt }) => startedAt / 1000,
  ),
  gauge(
    'event_loop_delay_seconds',
    ['core', 'event_loop_delay'],
    'Delay of the event loop since it was last asked for.',
    ({ eventLoop }) => eventLoop.quantiles(),
    ['quantile'],
  ),
  gauge(
    'memory_bytes',
    ['core', 'memory'],
    'Memory: resident, and the JavaScript heap in use.',
    () => {
      const { rss, heapUsed } = process.memoryUsage();
      return { resident: rss, heap: heapUsed };
    },
    ['kind'],
  ),
  counter(
    'cpu_seconds',
    ['core', 'cpu_seconds'],
    'CPU time of all threads.',
    () => {
      const { user, system } = process.cpuUsage();
      return { user: user / 1e6, system: system / 1e6 };
    },
    ['mode'],
  ),
];

/** The log on stderr. */
export const logMetrics: readonly Metric<Pick<RunningLog, 'counters'>>[] = [
  counter(
    'log_lines_dropped',
    ['core', 'log_lines_dropped'],
    'Log lines that stderr did not take.',
    ({ counters }) => counters.linesDropped,
  ),
];
