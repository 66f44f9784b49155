import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { historyOf } from '../../src/engine/history.ts';
import type { RoomKey } from '../../src/room/address.ts';
import { type CrashPoint, crashPoints } from '../support/crash-points.ts';
import { openLogReader } from '../support/log-reader.ts';
import { type Asker, createAsker } from './client.ts';

/** Kills in all: so many at each named point, and the rest at random moments. */
const killCount = 50;
const atEachPoint = 6;
const users = 12;
const roomCount = 4;

interface Server {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
}

describe('kill -9 under a stream of commands', () => {
  const data = mkdtempSync(join(tmpdir(), 'imcd-kill-'));
  const environment = {
    ...process.env,
    IMCD_DATA: data,
    IMCD_LISTEN: 'udp:127.0.0.1:0',
    IMCD_MI__HTTP: 'none',
    IMCD_DB_URL: 'none',
    IMCD_OUTBOUND_PROXY: '',
  };
  let asker: Asker;
  let running: Server | undefined;

  /** Starts a server; undefined where it killed itself before it was up. */
  const start = async (crashAt: string): Promise<Server | undefined> => {
    const script = join(import.meta.dirname, '..', 'support', 'crashing-server.ts');
    const child = spawn(process.execPath, [script], {
      env: { ...environment, CRASH_AT: crashAt },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    const up = once(child.stdout ?? assert.fail(), 'data');
    const first = await Promise.race([up, exited.then(() => undefined)]);
    if (first === undefined) return undefined;
    asker.moveTo(JSON.parse(String(first[0])).udp);
    running = { child, exited };
    return running;
  };

  /** A stop writes a snapshot: the server is killed when the file appears, or has ended before. */
  const stopIntoSnapshot = async ({ child, exited }: Server): Promise<void> => {
    const watcher = watch(data, (_, file) => {
      if (file?.includes('snapshot')) child.kill('SIGKILL');
    });
    child.kill('SIGTERM');
    await exited;
    watcher.close();
  };

  before(async () => {
    asker = await createAsker();
  });
  after(async () => {
    running?.child.kill('SIGKILL');
    await running?.exited;
    asker.close();
    rmSync(data, { recursive: true });
  });

  it(`loses nothing that was answered 2xx, and does nothing twice, in ${killCount} kills`, {
    timeout: 240_000,
  }, async () => {
    const random = seeded(9);
    const accepted = new Map<string, string[]>();
    const repeated: number[] = [];
    let stopped = false;

    const plan: (CrashPoint | 'in a snapshot' | 'random')[] = crashPoints.flatMap((point) =>
      Array<CrashPoint>(atEachPoint).fill(point),
    );
    for (let i = 0; i < atEachPoint; i += 1) plan.push('in a snapshot');
    while (plan.length < killCount) plan.push('random');
    shuffle(plan, random);

    // Each user goes in and out of each room, for as long as it lasts: every accepted command changes something.
    const live = async (user: number): Promise<void> => {
      for (let turn = 0; !stopped; turn += 1) {
        const room = `chat-${turn % roomCount}`;
        for (const command of ['#join', '#exit']) {
          const { callId, status, sent } = await asker.ask(`user${user}`, room, command);
          assert.equal(status, 200, `${command} of user${user} in ${room}`);
          const calls = accepted.get(room) ?? [];
          calls.push(callId);
          accepted.set(room, calls);
          if (sent > 1) repeated.push(sent);
        }
      }
    };

    assert.ok(await start(''), 'the server starts');
    for (let room = 0; room < roomCount; room += 1) {
      const { status, callId } = await asker.ask('owner', `chat-${room}`, `#create chat-${room}`);
      assert.equal(status, 200);
      accepted.set(`chat-${room}`, [callId]);
    }
    const lives = Promise.all(Array.from({ length: users }, (_, user) => live(user)));
    for (const point of plan) {
      running?.child.kill('SIGKILL');
      await running?.exited;
      const byItself = point !== 'random' && point !== 'in a snapshot';
      const after = point === 'in replay' ? 1 : 1 + Math.floor(random() * 40);
      const up = await start(byItself ? `${point}:${after}` : '');
      if (up === undefined) continue;
      if (byItself) await up.exited;
      else await pause(20 + random() * 200);
      if (point === 'in a snapshot') await stopIntoSnapshot(up);
    }
    running?.child.kill('SIGKILL');
    await running?.exited;
    assert.ok(await start(''), 'the server starts after the last kill');
    stopped = true;
    await lives;
    running?.child.kill('SIGTERM');
    await running?.exited;

    const reader = await openLogReader(join(data, 'log.db'));
    const history = historyOf(reader);
    for (const [room, calls] of accepted) {
      const written: string[] = [];
      for await (const { metadata } of history.ofRoom(`${room}@localhost` as RoomKey, 0n))
        written.push(callIdOf(metadata));
      assert.deepEqual(
        written.toSorted(),
        calls.toSorted(),
        `events of ${room}: one for each command that was answered 200`,
      );
      const { room: state } = await history.stateAt(`${room}@localhost` as RoomKey, {});
      assert.deepEqual([...(state?.members.keys() ?? [])], ['owner@localhost'], `${room} in the end`);
    }
    await reader.close();
    assert.ok(repeated.length > killCount / 2, `only ${repeated.length} requests had to be repeated`);
  });
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const callIdOf = (metadata: unknown): string =>
  typeof metadata === 'object' && metadata !== null && 'callId' in metadata ? String(metadata.callId) : '';

/** mulberry32: the same kills in every run. */
const seeded = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};

const shuffle = <T>(items: T[], random: () => number): void => {
  for (let i = items.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    const a = items[i];
    const b = items[j];
    if (a !== undefined && b !== undefined) [items[i], items[j]] = [b, a];
  }
};
