import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { component } from '../../support/component.ts';
import type { DatabaseServer } from '../../support/database-server.ts';
import { imcd } from '../../support/imcd.ts';
import { startMariadb } from '../../support/mariadb.ts';
import { startPostgres } from '../../support/postgres.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { startSqlite } from '../../support/sqlite-file.ts';
import { until } from '../../support/until.ts';
import { startCommandStream } from '../command-stream.ts';
import { diceOf } from '../history.ts';

/** What `mirror_status` says, as far as this test asks. */
interface Status {
  readonly state: string;
  readonly lagSeconds: number;
  readonly pendingEvents: number;
  readonly damaged: boolean;
}

const mirrorStatus = async (mi: number): Promise<Status> => {
  const response = await fetch(`http://127.0.0.1:${mi}/mi`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'mirror_status' }),
  });
  const { result } = (await response.json()) as { readonly result: Status };
  return result;
};

/**
 * Commands run while imcd and its database are killed with SIGKILL at random moments; afterwards the mirror catches up by itself,
 * and `imcd verify` finds log, server and rows the same.
 */
const endures = async (
  t: TestContext,
  start: () => Promise<DatabaseServer>,
  commands: number,
  kills: number,
): Promise<void> => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const dice = diceOf(seed);
  const data = mkdtempSync(join(tmpdir(), 'imcd-once-'));
  let working = Promise.resolve();
  let server: TestServer | undefined;
  const stream = await startCommandStream(dice, 100, 30);
  const database = await start();
  t.after(async () => {
    stream.close();
    await working.catch(() => {}); // It may be starting one of the two.
    await server?.kill();
    await database.stop();
    rmSync(data, { recursive: true, force: true });
  });
  const options = ['--data', data, '--db_url', await database.newDatabase()];
  const begin = async (): Promise<TestServer> => {
    server = await startTestServer({ data, args: [...options, '--outbound_proxy', `sip:127.0.0.1:${stream.port}`] });
    stream.aim(server.udp);
    return server;
  };
  await begin();
  const moments = (): Set<number> => new Set(Array.from({ length: kills }, () => 1 + dice(commands - 1)));
  const [killServer, killDatabase] = [moments(), moments()];
  /** One after the other; a failure is the test's. */
  const then = (work: () => Promise<void>): void => {
    working = working.then(work);
    working.catch(stream.fail);
  };
  await stream.run(commands, 64, (sent) => {
    if (killServer.has(sent)) {
      then(async () => {
        stream.aim(undefined);
        await server?.kill();
        await begin();
      });
    }
    if (killDatabase.has(sent)) {
      then(async () => {
        await database.kill();
        const back = Math.min(commands, stream.sent() + dice(500));
        // Away for some more commands, while imcd lives and takes them.
        await until('commands go on', () => stream.sent() >= back);
        await database.restart();
      });
    }
  });
  await working;
  const { mi, lines } = server ?? assert.fail();
  let last: Status | undefined;
  await until(
    () => `seed ${seed}: ${JSON.stringify(last)}`,
    async () => {
      last = await mirrorStatus(mi);
      return last.state === 'live' && last.pendingEvents === 0;
    },
  );
  const verified = await imcd(['verify', ...options, '--mi.http', `127.0.0.1:${mi}`]);
  assert.equal(verified.code, 0, `seed ${seed}: ${verified.out}${verified.err}`);
  assert.equal(last?.damaged, false, `seed ${seed}: ${JSON.stringify(lines.filter(({ level }) => level === 'error'))}`);
  assert.match(verified.err, /server: \d+ rooms compared/);
  const [, rooms, members] = /mirror: (\d+) rooms and (\d+) members compared/.exec(verified.err) ?? [];
  assert.ok(Number(rooms) > 50 && Number(members) > 100, verified.err);
  // Most commands must have been taken, or nothing was tried.
  const done = stream.answers.get(200) ?? 0;
  assert.ok(done > commands / 5, `seed ${seed}: ${JSON.stringify([...stream.answers])}`);
};

describe('the mirror, exactly once, whoever is killed', () => {
  it('in MariaDB', component('mariadbd', 'mariadb-server'), (t) => endures(t, () => startMariadb(), 20_000, 6));
  it('in PostgreSQL', component('postgres', 'postgresql'), (t) => endures(t, () => startPostgres(), 20_000, 6));
  it('in SQLite', (t) => endures(t, startSqlite, 10_000, 6));
});
