import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { startDouble } from '../support/eventstoredb/server.ts';
import { temporaryFolder } from '../support/imcd.ts';
import { startTestServer } from '../support/server.ts';
import { openUser } from '../support/sip-client.ts';
import { until } from '../support/until.ts';

/** `imcd serve` over real sockets, on a double that goes and comes. */
const start = async (t: TestContext) => {
  const store = await startDouble();
  t.after(() => store.stop());
  const options = ['--store_url', store.url, '--db_url', 'none', '--domains', 'localhost'];
  const server = await startTestServer({ args: options });
  t.after(() => server.stop());
  const place = { host: '127.0.0.1', port: server.udp, domain: 'localhost' };
  const user = async (name: string) => {
    const one = await openUser(place, name);
    t.after(() => one.close());
    await one.register();
    return one;
  };
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${server.mi}${path}`);
    return { status: response.status, text: await response.text() };
  };
  const mi = async (method: string) => {
    const response = await fetch(`http://127.0.0.1:${server.mi}/mi`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method }),
    });
    return response.json();
  };
  return { store, server, user, get, mi };
};
const room = 'sip:chat-1@localhost';

describe('imcd serve while EventStoreDB is away', { timeout: 120_000 }, () => {
  for (const [how, go, comeBack] of [
    ['killed', 'kill', 'start'],
    ['frozen', 'freeze', 'thaw'],
  ] as const) {
    it(`${how}: commands 500 with Retry-After, chat goes on, lists and MI too, /readyz says why; back within a second`, async (t) => {
      const { store, user, get, mi } = await start(t);
      const [alice, bob] = [await user('alice'), await user('bob')];
      assert.equal((await alice.say(room, '#join')).status, 200);
      assert.equal((await bob.say(room, '#join')).status, 200);
      assert.equal((await get('/readyz')).status, 200);
      store[go]();

      // A frozen server is noticed by the first command; a killed one at once.
      const carol = await user('carol');
      const refused = await carol.say(room, '#join');
      assert.equal(refused.status, 500);
      assert.match(refused.headers['retry-after'] ?? '', /^\d+/);
      assert.equal((await carol.say(room, '#join')).status, 500);
      const ready = await get('/readyz');
      assert.equal(ready.status, 503);
      assert.match(ready.text, /EventStoreDB|store_url/);

      assert.equal((await alice.say(room, 'still here')).status, 200);
      assert.equal((await alice.say(room, '#list')).status, 200);
      assert.match(JSON.stringify(await mi('list_rooms')), /chat-1@localhost/);

      const tries = async (): Promise<number> =>
        Number(/^imcd_eventstoredb_reconnections_tried_total (\d+)/m.exec((await get('/metrics')).text)?.[1]);
      await store[comeBack]();
      const before = await tries();
      await until('ready again', async () => (await get('/readyz')).status === 200);
      // They are less than a second apart; the one under way when the server came back may have failed.
      const needed = (await tries()) - before;
      assert.ok(needed <= 2, `${needed} tries`);
      await until('commands work', async () => (await carol.say(room, '#join')).status === 200);
      const joins = store.log.records.filter(({ data }) => Buffer.from(data).includes('carol'));
      assert.equal(joins.length, 1, 'carol joined more than once');
    });
  }

  it('starts from its snapshot and the newer events, and says one warning where the snapshot is of another log', async (t) => {
    const data = temporaryFolder();
    const store = await startDouble();
    t.after(() => store.stop());
    const args = ['--store_url', store.url, '--db_url', 'none', '--domains', 'localhost'];
    const begin = async (more: readonly string[] = []) => {
      const server = await startTestServer({ args: [...args, ...more], data });
      t.after(() => server.kill());
      return server;
    };
    const first = await begin();
    const alice = await openUser({ host: '127.0.0.1', port: first.udp, domain: 'localhost' }, 'alice');
    t.after(() => alice.close());
    for (const name of ['chat-1', 'chat-2', 'chat-3']) {
      assert.equal((await alice.say(`sip:${name}@localhost`, '#join')).status, 200);
    }
    await first.stop();
    const second = await begin();
    const read = second.lines.find(({ msg }) => msg === 'the snapshot of the rooms was read');
    assert.equal(read?.rooms, 3);
    const ready = second.lines.find(({ msg }) => msg === 'ready');
    assert.deepEqual([ready?.rooms, ready?.events], [3, 0]);
    await second.stop();

    const foreign = await startDouble();
    t.after(() => foreign.stop());
    const third = await begin(['--store_url', foreign.url]);
    const warnings = third.lines.filter(({ level, msg }) => level === 'warn' && /snapshot/.test(msg));
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]?.msg ?? '', /belongs to another log/);
  });
});
