import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import { allOptions } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { atEnd } from '../support/at-end.ts';
import { imcd, jsonLines, temporaryFolder } from '../support/imcd.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openSipClient, openUser, type SipUser } from '../support/sip-client.ts';

/** What the reference says of an option is seen from outside. Every option has its `it`; one without does not pass the last. */

const folder = temporaryFolder();
const seen = new Set<string>();
/** A test of these options' documented effect. */
const effect = (options: string, what: string, test: () => Promise<void> | void): void => {
  for (const option of options.split(' ')) seen.add(option);
  it(`${options}: ${what}`, test);
};

let server: TestServer;
let ann: SipUser;
let bob: SipUser;
const room = 'sip:den-a@room.test';
const database = join(folder, 'elsewhere', 'mirror.db');
const args = [
  ...['--domains', 'room.test,localhost', '--manager', 'boss', '--rooms', 'den-[a-z]+', '--imc_cmd_start_char', '!'],
  ...['--extra_hdrs', 'X-House: imcd', '--create_on_join', '0', '--check_on_create', '1', '--notify_errors', 'false'],
  ...['--relay_composing', 'true', '--record_messages', 'true', '--max_message_size', '100', '--node', 'audit-7'],
  ...['--store_url', `sqlite:${join(folder, 'elsewhere', 'events.db')}`, '--db_url', `sqlite:${database}`],
  ...['--rooms_table', 'r_x', '--members_table', 'm_x', '--table_version', '1', '--hash_size', '2'],
  ...['--advertise', 'sip.example.test', '--mi.fifo', join(folder, 'fifo'), '--mi.datagram', '127.0.0.1:0'],
  ...['--log.level', 'debug'],
];
const stopping: TestServer[] = [];
const start = async (more: readonly string[], data?: string): Promise<TestServer> => {
  const started = await startTestServer({ args: more, ...(data === undefined ? {} : { data }) });
  stopping.push(started);
  return started;
};
const user = (of: TestServer, name: string, domain: string) =>
  openUser({ host: '127.0.0.1', port: of.udp, domain }, name);
const mi = async (of: TestServer, method: string, token?: string) => {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  const body = JSON.stringify({ jsonrpc: '2.0', method, params: method === 'get_statistics' ? ['imc:'] : [], id: 1 });
  return fetch(`http://127.0.0.1:${of.mi}/mi`, { method: 'POST', headers, body });
};

before(async () => {
  server = await start(args, join(folder, 'data'));
  ann = await user(server, 'ann', 'room.test');
  bob = await user(server, 'bob', 'room.test');
});
after(async () => {
  ann.close();
  bob.close();
  await Promise.all(stopping.map((one) => one.stop()));
});

describe('options, by their effect: rooms', () => {
  effect('manager imc_cmd_start_char rooms domains', 'who takes commands, and what may be a room', async () => {
    assert.equal((await ann.say('sip:boss@room.test', `!create den-a`)).status, 200);
    assert.equal(await ann.hears(), '*** room was created');
    for (const name of ['chat-1', 'den-1', 'den-a@else.test'])
      assert.equal((await ann.say('sip:boss@room.test', `!create ${name}`)).status, 400, name);
    assert.notEqual((await ann.say('sip:chat-manager@room.test', '!help')).status, 200);
  });
  effect(
    'create_on_join check_on_create',
    'a missing room is not made by joining, an existing one not joined by creating',
    async () => {
      assert.equal((await bob.say('sip:den-none@room.test', '!join')).status, 404);
      assert.equal((await bob.say('sip:boss@room.test', '!create den-a')).status, 409);
    },
  );
  effect('notify_errors', 'a refusal reaches the sender as its answer alone', async () => {
    assert.equal((await bob.say(room, '!destroy')).status, 403);
    assert.equal((await bob.say(room, '!join')).status, 200);
    assert.match(await bob.hears(), /^\*\*\* <sip:bob@room\.test> has joined/);
    assert.match(await ann.hears(), /^\*\*\* <sip:bob@room\.test> has joined/);
  });
  effect('extra_hdrs advertise', 'stand in what imcd sends', async () => {
    assert.equal((await bob.say(room, 'hello')).status, 200);
    const copy = await ann.next();
    assert.equal(copy.body.toString(), '<bob@room.test>: hello');
    assert.equal(copy.headers['x-house'], 'imcd');
    assert.match(copy.headers.via ?? '', /^SIP\/2\.0\/UDP sip\.example\.test/);
  });
  effect('relay_composing', 'a typing notice reaches the others', async () => {
    const notice = '<isComposing><state>active</state></isComposing>';
    assert.equal((await bob.say(room, notice, 'application/im-iscomposing+xml')).status, 200);
    assert.equal(await ann.hears(), notice);
  });
  effect('max_message_size', 'bounds a body', async () => {
    assert.equal((await bob.say(room, 'x'.repeat(101))).status, 513);
    assert.equal((await bob.say(room, 'x'.repeat(100))).status, 200);
    assert.match(await ann.hears(), /x{100}$/);
  });
});

describe('options, by their effect: what is kept', () => {
  const log = () => ['--store_url', `sqlite:${join(folder, 'elsewhere', 'events.db')}`, '--domains', 'room.test'];
  effect('store_url node record_messages', 'the log, the node in it, and what was said', async () => {
    const lines = jsonLines((await imcd(['export', ...log()])).out);
    const events = lines.filter(({ stream }) => stream === 'room-den-a@room.test');
    assert.deepEqual(
      events.map(({ type }) => type),
      ['RoomCreated', 'MemberJoined'],
    );
    assert.equal(events[0].metadata.node, 'audit-7');
    const said = lines.filter(({ stream }) => stream === 'transcript-den-a@room.test');
    assert.ok(said.length >= 2, `${said.length} recorded`);
  });
  effect('db_url rooms_table members_table table_version', 'the mirror and its tables', async () => {
    const rows = (sql: string) => {
      const mirror = new DatabaseSync(database, { readOnly: true });
      try {
        return mirror
          .prepare(sql)
          .all()
          .map((row) => ({ ...row }));
      } finally {
        mirror.close();
      }
    };
    for (;;) {
      const status = Object(await (await mi(server, 'mirror_status')).json()).result;
      if (status.state === 'live' && rows('SELECT username FROM m_x').length === 2) break;
    }
    assert.deepEqual(rows('SELECT name, domain FROM r_x'), [{ name: 'den-a', domain: 'room.test' }]);
    const versions = rows("SELECT table_version AS v FROM version WHERE table_name IN ('r_x', 'm_x')");
    assert.deepEqual(versions, [{ v: 1 }, { v: 1 }]);
  });
  effect('data', 'the folder of what is this node’s own', () =>
    assert.ok(existsSync(join(folder, 'data', 'bindings.db'))),
  );
  effect('hash_size', 'the buckets of the room table', async () => {
    const { result } = Object(await (await mi(server, 'get_statistics')).json());
    assert.equal(result['imc:room_buckets'], 4);
  });
  effect('store_password db_password', 'go into their URLs', async () => {
    const commandLine = {
      store_url: 'esdb://me@h:2113',
      db_url: 'mysql://me@h/x',
      store_password: 'one',
      db_password: 'two',
    };
    const config = await loadConfig({ file: undefined, environment: {}, commandLine })();
    assert.ok(E.isRight(config) && 'url' in config.right.store_url && 'url' in config.right.db_url);
    assert.match(config.right.store_url.url.reveal(), /^esdb:\/\/me:one@h:2113/);
    assert.match(config.right.db_url.url.reveal(), /^mysql:\/\/me:two@h\/x/);
  });
});

describe('options, by their effect: who is believed, and where copies go', () => {
  effect('trusted open', 'a source that is not trusted is refused, unless all are believed', async () => {
    const strict = await start(['--trusted', '192.0.2.0/24']);
    await assert.rejects(user(strict, 'eve', 'localhost'), /403/);
    const open = await start(['--trusted', '192.0.2.0/24', '--open']);
    await user(open, 'eve', 'localhost');
  });
  effect('outbound_proxy', 'takes all that imcd sends', async () => {
    const proxy = await openSipClient();
    const behind = await start(['--outbound_proxy', `sip:127.0.0.1:${proxy.port}`]);
    const cat = await user(behind, 'cat', 'localhost');
    assert.equal((await cat.say('sip:chat-manager@localhost', '#create chat-1')).status, 200);
    assert.equal((await proxy.next()).start, 'MESSAGE sip:cat@localhost SIP/2.0');
  });
  effect('users', 'is refused: it comes later', async () => {
    const { code, err } = await imcd(['check-config', '--users', '/etc/users']);
    assert.equal(code, 2);
    assert.match(err, /comes in a later version/);
  });
});

describe('options, by their effect: operating', () => {
  effect('listen', 'every address is listened on', () => {
    const transports = server.lines.filter(({ msg }) => msg === 'listening for SIP').map(({ transport }) => transport);
    assert.deepEqual(transports.sort(), ['tcp', 'udp']);
  });
  effect('mi.http mi.fifo mi.datagram', 'the fronts of the management interface', async () => {
    assert.equal((await mi(server, 'which')).status, 200);
    assert.ok(existsSync(join(folder, 'fifo')));
    const none = await start(['--mi.http', 'none']);
    assert.deepEqual(
      none.lines.filter(({ msg }) => msg === 'listening for management'),
      [],
    );
    const socket = createSocket('udp4');
    atEnd(() => socket.close());
    const free = createSocket('udp4').bind(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address();
    free.close();
    await start(['--mi.datagram', `127.0.0.1:${port}`]);
    const answer = once(socket, 'message');
    socket.send('{"jsonrpc":"2.0","method":"pwd","id":1}', port, '127.0.0.1');
    assert.match(String((await answer)[0]), /"WD"/);
  });
  effect('mi.token', 'is asked for', async () => {
    const guarded = await start(['--mi.token', 'correct-horse-battery']);
    assert.equal((await mi(guarded, 'which', 'correct-horse-battery')).status, 200);
    assert.equal((await mi(guarded, 'which')).status, 401);
  });
  effect('log.level', 'the least that is logged', async () => {
    assert.ok(server.lines.some(({ level }) => level === 'debug'));
    const quiet = await start([]);
    assert.ok(!quiet.lines.some(({ level }) => level === 'debug'));
  });
  effect('log.format', 'for people or for programs', async () => {
    const broken = ['serve', '--data', folder, '--store_url', `sqlite:${folder}`, '--log.format'];
    assert.match((await imcd([...broken, 'json'])).err, /^\{"level":"error"/);
    assert.match((await imcd([...broken, 'pretty'])).err, /^imcd: /);
  });
  it('every option has one', () =>
    assert.deepEqual(
      [...allOptions.keys()].filter((name) => !seen.has(name)),
      [],
    ));
});
