import type { EventStore, StoredEvent } from '../../src/ports/event-store.ts';

/** Follows the log to its end, and gives back how many events there were. */
export const follow = (log: EventStore, take: (events: readonly StoredEvent[]) => void): Promise<number> =>
  new Promise((resolve, reject) => {
    let count = 0;
    const { stop } = log.subscribe(undefined, {
      onEvents: (events) => {
        count += events.length;
        take(events);
      },
      onCaughtUp: () => {
        stop();
        resolve(count);
      },
      onStopped: ({ message }) => reject(new Error(message)),
    });
  });

/** Wall clock and CPU time of work that gives back how many events it had. */
export const timed = async (work: () => Promise<number>) => {
  const cpu = process.cpuUsage();
  const started = performance.now();
  const events = await work();
  const milliseconds = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  return {
    events,
    milliseconds: round(milliseconds),
    microsecondsPerEvent: round((milliseconds * 1_000) / events),
    cpuMicrosecondsPerEvent: round((user + system) / events),
  };
};

/** Three digits. */
export const round = (value: number): number => Number(value.toPrecision(3));
