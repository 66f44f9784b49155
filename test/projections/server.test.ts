import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import { systemClock } from '../../src/runtime/clock.ts';
import { openProjections } from '../../src/server/open-projections.ts';
import type { EventStoreDb } from '../../src/store/eventstoredb/store.ts';
import { openOn } from '../support/eventstoredb/open.ts';
import { withProjections } from '../support/eventstoredb/projections.ts';
import { type EventStoreDouble, startDouble } from '../support/eventstoredb/server.ts';
import { type Ended, imcd } from '../support/imcd.ts';
import { eventStoreDbAt } from '../support/urls.ts';
import { quiet } from '../support/world.ts';
import { commandsPerDay, linked, roomMembers } from './expected.ts';
import { everything, story } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'imcd-projections-'));
after(() => rmSync(folder, { recursive: true }));

const projections = (args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> =>
  imcd(['projections', ...args], { env, cwd: folder });

const fill = async (store: EventStoreDb): Promise<void> => {
  for (const { stream, event } of story(everything)) {
    const last = await store.lastRevision(stream)();
    assert.ok(E.isRight(last));
    assert.ok(E.isRight(await store.append(stream, last.right ?? 'no_stream', [event])()));
  }
};

describe('imcd projections, on a server (double)', () => {
  let server: EventStoreDouble;
  let store: EventStoreDb;
  let env: Readonly<Record<string, string>>;
  before(async () => {
    server = await startDouble({ extend: withProjections });
    store = await openOn(server.url);
    env = { IMCD_STORE_URL: server.url };
    await fill(store);
  });
  after(async () => {
    await store.close();
    await server.stop();
  });

  it('deploy, twice, then status and result, then remove, twice', async () => {
    for (const time of ['first', 'second']) {
      const { code, out, err } = await projections(['deploy'], env);
      assert.equal(code, 0, `${time}: ${err}`);
      assert.deepEqual(
        out
          .trim()
          .split('\n')
          .map((line) => line.split(', ')[0]),
        ['active-rooms: Running', 'commands-per-day: Running', 'room-members: Running', 'user-audit: Running'],
      );
    }
    const status = await projections(['status'], env);
    assert.equal(status.code, 0, status.err);
    assert.equal(status.out.match(/Running +100%/g)?.length, 4);
    const result = await projections(['result', 'room-members', '--partition', 'room-chat-1@a.org'], env);
    assert.deepEqual(JSON.parse(result.out).state, roomMembers['room-chat-1@a.org']);
    const removed = await projections(['remove'], env);
    assert.equal(removed.code, 0, removed.err);
    const again = await projections(['remove', 'active-rooms'], env);
    assert.match(again.out, /active-rooms: not deployed/);
    const gone = await projections(['status', 'active-rooms'], env);
    assert.deepEqual([gone.code, /not deployed/.test(gone.out)], [1, true]);
  });

  it('deploys nothing of which one does not compile: it would break the list of all', async () => {
    const good = join(folder, 'good.js');
    const bad = join(folder, 'bad.js');
    writeFileSync(good, `fromCategory('room').when({ $init: () => 0, $any: (s) => s + 1 })`);
    writeFileSync(bad, `fromCategory('room').when({`);
    const { code, err } = await projections(['deploy', good, bad], env);
    assert.equal(code, 1);
    assert.match(err, /bad: .*SyntaxError.*nothing was deployed/);
    assert.match((await projections(['status', 'good'], env)).out, /not deployed/);
  });

  it('reports one that the server cannot compile, and removes it', async () => {
    const at = eventStoreDbAt(server.url);
    assert.ok(E.isRight(at));
    const managed = openProjections(at.right, systemClock);
    const deployed = await managed.deploy('unparsed', 'fromCategory(', { emits: false, reset: false })();
    assert.ok(E.isLeft(deployed));
    assert.match(deployed.left.message, /cannot compile projection unparsed.*remove unparsed/);
    assert.ok(E.isRight(await managed.remove('unparsed')()));
    await managed.close();
  });

  it('reports one that breaks at an event, with what it threw', async () => {
    const file = join(folder, 'breaks.js');
    writeFileSync(file, `fromCategory('room').when({ $any: () => { throw new Error('not like this') } })`);
    const { code, err } = await projections(['deploy', file], env);
    assert.equal(code, 1);
    assert.match(err, /breaks is faulted: .*not like this/);
    assert.match((await projections(['status', 'breaks'], env)).out, /Faulted/);
    await projections(['remove', 'breaks'], env);
  });

  it('reset lets a changed one read the log anew', async () => {
    const file = join(folder, 'changed.js');
    writeFileSync(file, `fromCategory('room').when({ $init: () => ({ n: 0 }), $any: (s) => { s.n += 1 } })`);
    assert.equal((await projections(['deploy', file], env)).code, 0);
    writeFileSync(file, `fromCategory('room').when({ $init: () => ({ n: 0 }), $any: (s) => { s.n += 10 } })`);
    assert.equal((await projections(['deploy', '--reset', file], env)).code, 0);
    assert.equal(JSON.parse((await projections(['result', 'changed'], env)).out).state.n, 10 * everything.length);
    await projections(['remove', 'changed'], env);
  });

  it('runs a file over the log of this store too', async () => {
    const { code, out, err } = await projections(
      ['run', join(import.meta.dirname, '..', '..', 'projections', 'commands-per-day.js')],
      env,
    );
    assert.equal(code, 0, err);
    assert.deepEqual(JSON.parse(out).state, commandsPerDay);
  });
});

describe('imcd projections, over the embedded log', () => {
  it('run gives links and states, one JSON object a line; deploy says that it needs EventStoreDB', async () => {
    const { openSqliteStore } = await import('../../src/store/sqlite/open.ts');
    const { randomIds } = await import('../../src/runtime/ids.ts');
    const file = join(folder, 'log.db');
    const opened = await openSqliteStore({ file, clock: systemClock, ids: randomIds(), log: quiet })();
    assert.ok(E.isRight(opened), JSON.stringify(opened));
    const revisions = new Map<string, bigint>();
    for (const { stream, event } of story(everything)) {
      const last = revisions.get(stream);
      assert.ok(E.isRight(await opened.right.append(stream, last ?? 'no_stream', [event])()));
      revisions.set(stream, (last ?? -1n) + 1n);
    }
    await opened.right.close();
    const env = { IMCD_STORE_URL: `sqlite:${file}` };
    const shipped = (name: string) => join(import.meta.dirname, '..', '..', 'projections', `${name}.js`);
    const audit = await projections(['run', shipped('user-audit')], env);
    assert.equal(audit.code, 0, audit.err);
    const lines = audit.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(lines.filter(({ link }) => link !== undefined).length, linked);
    assert.deepEqual(lines.at(-1), { partition: '', state: { linked }, result: { linked } });
    const members = await projections(['run', shipped('room-members')], env);
    const states = members.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(Object.fromEntries(states.map(({ partition, state }) => [partition, state])), roomMembers);
    const deploy = await projections(['deploy'], env);
    assert.deepEqual([deploy.code, /only EventStoreDB keeps projections/.test(deploy.err)], [1, true]);
    assert.equal((await projections(['dance'], env)).code, 2);
  });
});
