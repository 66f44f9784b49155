import assert from 'node:assert/strict';
import type { Metric } from '../../src/ports/metric.ts';

/** Values by series: `imcd_rooms`, `imcd_commands_total{JoinRoom}`, `imcd_sip_answers_total{MESSAGE 200}`. */
export type Values = ReadonlyMap<string, number>;

/** A set stage. */
export interface Scene {
  readonly read: () => Promise<Values>;
  /** What the series is said to count happens. Need not wait for the number. */
  readonly act: () => unknown;
  readonly end?: () => unknown;
}

/** How one series is moved by what it counts. */
export interface Story {
  readonly series: string;
  /** What happens, in a few words: the test's name. */
  readonly told: string;
  readonly set: () => Scene | Promise<Scene>;
}

export const story = (series: string, told: string, set: Story['set']): Story => ({
  series: `imcd_${series}`,
  told,
  set,
});

/** Reads a component's metrics. */
export const readerOf =
  <Counted>(metrics: readonly Metric<Counted>[], counted: Counted) =>
  async (): Promise<Values> => {
    const values = new Map<string, number>();
    for (const metric of metrics) {
      if (metric.kind === 'histogram') {
        values.set(metric.name, metric.read(counted).count);
        continue;
      }
      const samples = await metric.read(counted);
      if (typeof samples === 'number') values.set(metric.name, samples);
      else for (const [label, value] of Object.entries(samples ?? {})) values.set(`${metric.name}{${label}}`, value);
    }
    return values;
  };

/** Longest time until a number shows what has happened: members are counted once a second. */
const patienceMs = 10_000;

/** Fails where the story does not move its series upwards within `ms`. */
export const tell = async ({ series, set }: Story, ms = patienceMs): Promise<void> => {
  const { read, act, end } = await set();
  try {
    const before = (await read()).get(series) ?? 0;
    await act();
    const late = performance.now() + ms;
    for (;;) {
      const after = (await read()).get(series) ?? 0;
      if (after > before) return;
      if (performance.now() > late) assert.fail(`${series} was ${before} before and is ${after} after`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  } finally {
    await end?.();
  }
};
