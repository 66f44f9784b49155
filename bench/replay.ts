import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as E from 'fp-ts/lib/Either.js';
import packageJson from '../package.json' with { type: 'json' };
import type { EventStore, StoredEvent } from '../src/ports/event-store.ts';
import { roomPrefix } from '../src/room/stream.ts';
import { systemClock } from '../src/runtime/clock.ts';
import { openSqliteReader, type SqliteLog } from '../src/store/sqlite/open.ts';
import { follow, round, timed } from './support/measure.ts';

/**
 * `npm run bench -- replay`: a log of many events, read by a subscription as at start, into nothing and into the rooms
 * in memory, and by `readAll`; then what an auditor asks of it.
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
      ...(await replays(log, file)),
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
  const program = join(import.meta.dirname, 'support', 'write-log.ts');
  const child = spawnSync(process.execPath, [program, file, ...shape], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (child.status !== 0) throw new Error('the log could not be made');
  const seconds = (performance.now() - started) / 1_000;
  return { seconds: round(seconds), appendsPerSecond: Math.round(Number(shape[0]) / seconds) };
};

const replays = async (log: EventStore, file: string) => ({
  subscription: await timed(() => follow(log, () => {})),
  readAll: await timed(async () => {
    let count = 0;
    for await (const event of log.readAll()) count += event.data === undefined ? 0 : 1;
    return count;
  }),
  intoRooms: intoRooms(file),
});

/** With the flags that the server is started with: they decide what stays resident. */
const intoRooms = (file: string): unknown => {
  const flags = packageJson.scripts.start.match(/ --\S+/g) ?? [];
  const program = join(import.meta.dirname, 'support', 'replay.ts');
  const child = spawnSync(process.execPath, [...flags.map((flag) => flag.trim()), program, file], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(`the log could not be replayed: ${child.stderr}`);
  return JSON.parse(child.stdout);
};

const audit = async (log: SqliteLog) => {
  const list = (events: AsyncIterable<StoredEvent>) => async (): Promise<number> => {
    let count = 0;
    for await (const event of events) count += event.metadata === undefined ? 0 : 1;
    return count;
  };
  return {
    room: await timed(list(log.readStream(`${roomPrefix}chat-77@bench.example.org`))),
    user: await timed(list(log.audit.eventsOfUser('guest-77@phones.example.org'))),
    time: await timed(async () => (E.isRight(await log.audit.positionAt('2026-01-02T00:00:00.000Z')()) ? 1 : 0)),
  };
};
