import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { historyOf } from '../../src/engine/history.ts';
import type { RoomKey } from '../../src/room/address.ts';
import { type CrashPoint, crashPoints } from '../support/crash-points.ts';
import { openLogReader } from '../support/log-reader.ts';
import { NotStarted, startTestServer, type TestServer, type TestServerOptions } from '../support/server.ts';
import { openSipClient, type Reply, type SipClient } from '../support/sip-client.ts';

/** Kills in all: so many at each named point, and the rest at random moments. */
const killCount = 50;
const atEachPoint = 6;
const users = 12;
const roomCount = 4;

describe('kill -9 under a stream of commands', () => {
  const data = mkdtempSync(join(tmpdir(), 'imcd-kill-'));
  /** A user who repeats a request until it is answered, over any number of restarts. */
  let asker: SipClient;
  let running: TestServer | undefined;

  /** Starts a server; undefined where it killed itself before it was up. */
  const start = async (crash?: TestServerOptions['crash']): Promise<TestServer | undefined> => {
    const args = ['--mi.http', 'none', '--db_url', 'none'];
    try {
      running = await startTestServer({ data, args, ...(crash === undefined ? {} : { crash }) });
    } catch (error) {
      if (crash === undefined || !(error instanceof NotStarted) || error.code !== null) throw error;
      return undefined;
    }
    asker.aim({ host: '127.0.0.1', port: running.udp });
    return running;
  };

  const ask = (user: string, room: string, body: string): Promise<Reply> =>
    asker.request({ uri: `sip:${room}@localhost`, from: `sip:${user}@localhost`, body, contentType: 'text/plain' });

  /** A stop writes a snapshot: the server is killed when the file appears, or has ended before. */
  const stopIntoSnapshot = async (server: TestServer): Promise<void> => {
    const watcher = watch(data, (_, file) => {
      if (file?.includes('snapshot')) server.signal('SIGKILL');
    });
    await server.stop();
    watcher.close();
  };

  before(async () => {
    asker = await openSipClient({
      repeatMs: 100, // short, so that a restart is met soon
      patienceMs: Number.POSITIVE_INFINITY,
      // A server that stops has not executed it: it is asked again, and another one answers.
      ends: (status) => status !== 503,
    });
  });
  after(async () => {
    await running?.kill();
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
          const { headers, status, sent } = await ask(`user${user}`, room, command);
          assert.equal(status, 200, `${command} of user${user} in ${room}`);
          const calls = accepted.get(room) ?? [];
          calls.push(headers['call-id'] ?? '');
          accepted.set(room, calls);
          if (sent > 1) repeated.push(sent);
        }
      }
    };

    assert.ok(await start(), 'the server starts');
    for (let room = 0; room < roomCount; room += 1) {
      const { status, headers } = await ask('owner', `chat-${room}`, `#create chat-${room}`);
      assert.equal(status, 200);
      accepted.set(`chat-${room}`, [headers['call-id'] ?? '']);
    }
    const lives = Promise.all(Array.from({ length: users }, (_, user) => live(user)));
    for (const point of plan) {
      await running?.kill();
      const byItself = point !== 'random' && point !== 'in a snapshot';
      const after = point === 'in replay' ? 1 : 1 + Math.floor(random() * 40);
      const up = await start(byItself ? { point, times: after } : undefined);
      if (up === undefined) continue;
      if (byItself) await up.ended;
      else await pause(20 + random() * 200);
      if (point === 'in a snapshot') await stopIntoSnapshot(up);
    }
    await running?.kill();
    assert.ok(await start(), 'the server starts after the last kill');
    stopped = true;
    await lives;
    await running?.stop();

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
