import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as E from 'fp-ts/lib/Either.js';
import type { EventStore, StoredEvent } from '../src/engine/ports.ts';
import { createRooms } from '../src/projections/rooms.ts';
import { systemClock } from '../src/runtime/clock.ts';
import { openSqliteReader, type SqliteLog } from '../src/store/sqlite.ts';
import { usageOf } from './support-process.ts';

/**
 * `npm run bench -- replay`: a log of many events, read by a subscription as at start, into nothing and into the rooms
 * projection, and by `readAll`; then what an auditor asks of it.
 *
 *   --events 1000000 --rooms 10000 --members 10
 *   --file PATH     made there where it is missing, and kept; otherwise a temporary one
 */
export const run = async (args: readonly string[]): Promise<unknown> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      events: { type: 'string', default: '1000000' },
      rooms: { type: 'string', default: '10000' },
      members: { type: 'string', default: '10' },
      file: { type: 'string', default: '' },
    },
  });
  const folder = values.file === '' ? mkdtempSync(join(tmpdir(), 'imcd-replay-')) : undefined;
  const file = folder === undefined ? values.file : join(folder, 'log.db');
  try {
    const writing = existsSync(file) ? undefined : write(file, [values.events, values.rooms, values.members]);
    const opened = await openSqliteReader({ file, clock: systemClock })();
    if (E.isLeft(opened)) throw new Error(opened.left.message);
    const log = opened.right;
    const result = {
      fileMb: Math.round(statSync(file).size / 2 ** 20),
      ...(writing === undefined ? {} : { writing }),
      ...(await replays(log)),
      audit: await audit(log),
    };
    await log.close();
    return result;
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true });
  }
};

const write = (file: string, shape: readonly string[]): unknown => {
  const started = performance.now();
  const program = join(import.meta.dirname, 'support-write-log.ts');
  const child = spawnSync(process.execPath, [program, file, ...shape], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (child.status !== 0) throw new Error('the log could not be made');
  const seconds = (performance.now() - started) / 1_000;
  return { seconds: round(seconds), appendsPerSecond: Math.round(Number(shape[0]) / seconds) };
};

const replays = async (log: EventStore) => {
  const rooms = createRooms(4);
  const subscription = await timed(() => follow(log, () => {}));
  const all = await timed(async () => {
    let count = 0;
    for await (const event of log.readAll()) count += event.data === undefined ? 0 : 1;
    return count;
  });
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  const collect = (): number => {
    if (typeof gc === 'function') gc();
    return process.memoryUsage().heapUsed / 2 ** 20;
  };
  const before = collect();
  const intoRooms = await timed(() =>
    follow(log, (events) => {
      const now = Date.now();
      for (const event of events) rooms.apply(event, now);
    }),
  );
  const { residentMb } = usageOf(process.pid);
  const roomsHeapMb = round(collect() - before);
  return { subscription, readAll: all, intoRooms: { ...intoRooms, rooms: rooms.size, roomsHeapMb, residentMb } };
};

/** Follows the log to its end, and gives back how many events there were. */
const follow = (log: EventStore, take: (events: readonly StoredEvent[]) => void): Promise<number> =>
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

const audit = async (log: SqliteLog) => {
  const list = (events: AsyncIterable<StoredEvent>) => async (): Promise<number> => {
    let count = 0;
    for await (const event of events) count += event.metadata === undefined ? 0 : 1;
    return count;
  };
  return {
    room: await timed(list(log.readStream('room-chat-77@bench.example.org'))),
    user: await timed(list(log.audit.eventsOfUser('guest-77@phones.example.org'))),
    time: await timed(async () => (E.isRight(await log.audit.positionAt('2026-01-02T00:00:00.000Z')()) ? 1 : 0)),
  };
};

const timed = async (work: () => Promise<number>) => {
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

const round = (value: number): number => Number(value.toPrecision(3));
