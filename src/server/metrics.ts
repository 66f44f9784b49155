import { type CountedEngine, engineMetrics, followMetrics } from '../engine/metrics.ts';
import { createMetrics, type Metrics } from '../metrics/registry.ts';
import type { MiCounters } from '../mi/counters.ts';
import { miMetrics } from '../mi/metrics.ts';
import type { Clock } from '../ports/clock.ts';
import { type Metric, metricsIn, type RunningMetric } from '../ports/metric.ts';
import { createCensus } from '../read-models/census.ts';
import { type CountedRooms, roomMetrics } from '../read-models/metrics.ts';
import type { Rooms } from '../read-models/rooms.ts';
import { watchEventLoop } from '../runtime/event-loop.ts';
import type { RunningLog } from '../runtime/log.ts';
import { type CountedProcess, logMetrics, processMetrics } from '../runtime/metrics.ts';
import { version } from '../runtime/version.ts';
import { sipMetrics } from '../sip/metrics.ts';
import type { SipStack } from '../sip/stack.ts';
import { type CountedMirror, mirrorMetrics } from '../sql/mirror/metrics.ts';
import { eventStoreDbMetrics } from '../store/eventstoredb/metrics.ts';
import { storeMetrics } from '../store/metrics.ts';
import type { OpenedLog } from './open-store.ts';

/** The parts of a server that count. */
export interface CountedParts {
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly rooms: Rooms;
  readonly engine: CountedEngine;
  readonly followed: { readonly lagSeconds: () => number };
  readonly sip: SipStack;
  readonly store: OpenedLog;
  /** Undefined with `db_url: none`. */
  readonly mirror: CountedMirror | undefined;
  readonly mi: MiCounters;
  readonly log: RunningLog;
}

/** With what is measured only to be shown. */
interface Measured extends Omit<CountedParts, 'rooms'> {
  readonly rooms: CountedRooms;
  readonly process: CountedProcess;
}

/** The metrics of one component, under its heading in the reference. */
interface Component {
  readonly title: string;
  /** A sentence: with which options there are any. */
  readonly when: string | undefined;
  readonly metrics: readonly Metric<never>[];
  /** None where the component does not run. */
  readonly running: (parts: Measured) => readonly RunningMetric[];
}

const component = <Counted>(
  title: string,
  metrics: readonly Metric<Counted>[],
  countedBy: (parts: Measured) => Counted | undefined,
  when?: string,
): Component => ({
  title,
  when,
  metrics,
  running: (parts) => {
    const counted = countedBy(parts);
    return counted === undefined ? [] : metricsIn(metrics, () => counted);
  },
});

const eventStoreDbIn = ({ store }: Measured) => ('status' in store ? store : undefined);

/** Every component that counts, in the order of the reference. */
export const components: readonly Component[] = [
  component('Rooms', roomMetrics, ({ rooms }) => rooms),
  component('Commands and chat', engineMetrics, ({ engine }) => engine),
  component('Log', storeMetrics, ({ store }) => store),
  component("The log's server", eventStoreDbMetrics, eventStoreDbIn, 'With `store_url: esdb://...`.'),
  component('Following the log', followMetrics, ({ followed }) => followed),
  component('SIP', sipMetrics, ({ sip }) => sip),
  component('Mirror', mirrorMetrics, ({ mirror }) => mirror, 'With `db_url`.'),
  component('Management interface', miMetrics, ({ mi }) => mi),
  component('Process', processMetrics, ({ process }) => process),
  component('Lines on stderr', logMetrics, ({ log }) => log),
];

export interface OpenedMetrics extends Metrics {
  readonly close: () => void;
}

/** The registry over all metrics of a server. */
export const openMetrics = (parts: CountedParts): OpenedMetrics => {
  const { rooms, clock, startedAt } = parts;
  const eventLoop = watchEventLoop();
  const measured: Measured = {
    ...parts,
    rooms: { rooms, census: createCensus(rooms, clock) },
    process: { version: version(), startedAt, eventLoop },
  };
  const metrics = components.flatMap(({ running }) => running(measured));
  return { ...createMetrics(metrics, eventLoop.reset), close: eventLoop.close };
};
