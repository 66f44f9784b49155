import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { watchEventLoop } from '../../../src/runtime/event-loop.ts';
import { type CountedProcess, processMetrics } from '../../../src/runtime/metrics.ts';
import { readerOf, type Scene, type Story, story, type Values } from '../story.ts';

/** This process; what happens to it in `act`. */
const here = (act: () => unknown): Scene => {
  const eventLoop = watchEventLoop();
  const counted: CountedProcess = { version: '1.2.3', startedAt: Date.now(), eventLoop };
  return { read: readerOf(processMetrics, counted), act, end: eventLoop.close };
};

/** A process that begins when the story does. */
const begins = (): Scene => {
  let read = (): Promise<Values> => Promise.resolve(new Map());
  const act = (): void => {
    read = readerOf(processMetrics, { version: '1.2.3', startedAt: 1_000, eventLoop: { quantiles: () => ({}) } });
  };
  return { read: () => read(), act };
};

const busy = (ms: number): void => {
  for (const end = performance.now() + ms; performance.now() < end; );
};

/** Blocks the event loop time after time. */
const block = async (): Promise<void> => {
  for (let i = 0; i < 10; i += 1) {
    await new Promise<void>((resolve) => setTimeout(resolve, 1));
    busy(40);
  }
};

let kept: unknown[] = [];

/** Runs a server's log in a process of its own whose stderr is closed; gives its last number. */
const linesDropped = (): number => {
  const source = (path: string): string => JSON.stringify(join(import.meta.dirname, '../../../src', path));
  const script = `import { openLog } from ${source('runtime/log.ts')};
    import { logMetrics } from ${source('runtime/metrics.ts')};
    const log = await openLog('json', 'info');
    for (let i = 0; i < 2000; i += 1) log.info({ i }, 'x'.repeat(100));
    setTimeout(() => { log.flush(); console.log(logMetrics[0].read(log)); process.exit(0); }, 50);`;
  const closed = 'exec "$0" --input-type=module -e "$1" 2> >(exec true)';
  const { stdout } = spawnSync('bash', ['-c', closed, process.execPath, script], { encoding: 'utf8', timeout: 20_000 });
  return Number(stdout);
};

/** Stories of the process. */
export const processStories: readonly Story[] = [
  story('build_info{1.2.3}', 'imcd 1.2.3 starts', begins),
  story('start_time_seconds', 'imcd starts', begins),
  ...['0.5', '0.99', '1'].map((quantile) =>
    story(`event_loop_delay_seconds{${quantile}}`, 'something takes 40 ms, ten times', () => here(block)),
  ),
  story('memory_bytes{heap}', 'a million objects are made', () =>
    here(() => {
      kept = Array.from({ length: 1_000_000 }, (_, i) => ({ i }));
      return kept;
    }),
  ),
  story('memory_bytes{resident}', '200 MB are written to', () =>
    here(() => {
      kept = [Buffer.alloc(200_000_000, 1)];
    }),
  ),
  story('cpu_seconds_total{user}', 'a loop of 50 ms', () => here(() => busy(50))),
  story('cpu_seconds_total{system}', '10,000 calls of the kernel', () =>
    here(() => {
      for (let i = 0; i < 10_000; i += 1) readdirSync(import.meta.dirname);
    }),
  ),
  story('log_lines_dropped_total', 'nobody reads stderr', () => {
    let dropped = 0;
    const act = (): void => {
      dropped = linesDropped();
    };
    return { read: async () => new Map([['imcd_log_lines_dropped_total', dropped]]), act };
  }),
];
