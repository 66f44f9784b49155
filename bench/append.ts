import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as E from 'fp-ts/lib/Either.js';
import type { EventStore, ExpectedRevision } from '../src/ports/event-store.ts';
import { roomPrefix } from '../src/room/stream.ts';
import { systemClock } from '../src/runtime/clock.ts';
import { randomIds } from '../src/runtime/ids.ts';
import { openSqliteStore } from '../src/store/sqlite/open.ts';
import { metadataOf } from './support/make-log.ts';
import { quantile } from './support/process.ts';

/**
 * `npm run bench -- append`: durable appends to the embedded log, one event each, to as many rooms as are in flight.
 *
 *   --in-flight 1,64,256 --seconds 5
 *   --file PATH     appends to this log, e.g. one that `replay --file` has made: a large log has larger indexes
 */
export const run = async (args: readonly string[]): Promise<unknown> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      'in-flight': { type: 'string', default: '1,64,256' },
      seconds: { type: 'string', default: '5' },
      file: { type: 'string', default: '' },
    },
  });
  const folder = mkdtempSync(join(tmpdir(), 'imcd-append-'));
  const file = values.file === '' ? join(folder, 'log.db') : values.file;
  const existed = existsSync(file);
  const opened = await openSqliteStore({ file, ids: randomIds(), clock: systemClock })();
  if (E.isLeft(opened)) throw new Error(opened.left.message);
  try {
    const runs = [];
    for (const inFlight of values['in-flight'].split(',').map(Number))
      runs.push(await measure(opened.right, inFlight, Number(values.seconds)));
    return { toExistingLog: existed, runs };
  } finally {
    await opened.right.close();
    rmSync(folder, { recursive: true });
  }
};

const measure = async (store: EventStore, inFlight: number, seconds: number) => {
  const ids = randomIds();
  const latencies: number[] = [];
  const cpu = process.cpuUsage();
  const own = process.threadCpuUsage();
  const started = performance.now();
  const until = started + seconds * 1_000;

  const keepAppending = async (n: number): Promise<void> => {
    const user = `chat-${n}-${ids.token()}@bench.example.org`;
    let expected: ExpectedRevision = 'no_stream';
    for (let turn = 0; performance.now() < until; turn += 1) {
      const member = `sip:user-${turn}@phones.example.org`;
      const metadata = metadataOf(turn, member, new Date().toISOString());
      const event = { id: ids.uuid(), type: 'MemberJoined', data: { room: `sip:${user}`, member }, metadata };
      const begun = performance.now();
      const appended: E.Either<{ readonly kind: string }, { readonly revision: bigint }> = await store.append(
        `${roomPrefix}${user}`,
        expected,
        [event],
      )();
      if (E.isLeft(appended)) throw new Error(`an append failed: ${appended.left.kind}`);
      latencies.push(performance.now() - begun);
      expected = appended.right.revision;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, (_, n) => keepAppending(n)));

  const elapsed = performance.now() - started;
  const all = process.cpuUsage(cpu);
  const main = process.threadCpuUsage(own);
  latencies.sort((a, b) => a - b);
  const ms = (fraction: number): number => Number(quantile(latencies, fraction).toFixed(2));
  const micros = (used: NodeJS.CpuUsage): number => Number(((used.user + used.system) / latencies.length).toFixed(1));
  return {
    inFlight,
    appends: latencies.length,
    perSecond: Math.round((latencies.length / elapsed) * 1_000),
    milliseconds: { p50: ms(0.5), p99: ms(0.99), most: ms(1) },
    cpuMicrosecondsEach: { allThreads: micros(all), mainThread: micros(main) },
  };
};
