import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import type { NewEvent } from '../../src/ports/event-store.ts';
import { openLogIn } from '../cli/random-log.ts';
import { startDouble } from '../support/eventstoredb/server.ts';
import { imcd, jsonLines, lines, temporaryFolder } from '../support/imcd.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openUser } from '../support/sip-client.ts';
import { until } from '../support/until.ts';

/**
 * imcd, as processes of its own, on a table of events in which MemberJoined has had two older versions: a log that holds them
 * is read on every path. `test/fixtures/older-events/README.md` says what stands in the log.
 */
const preload = new URL('../support/older-events/preload.ts', import.meta.url).href;
const env = { NODE_OPTIONS: `--import=${preload}` };
// Servers of tests have this process's environment; its own modules are loaded, and stay what they are.
process.env.NODE_OPTIONS = env.NODE_OPTIONS;

const file = join(import.meta.dirname, '..', 'fixtures', 'older-events', 'log.ndjson');
const kept = readFileSync(file, 'utf8');
const domains = ['--domains', 'fixture.test'];
const uri = (user: string): string => `sip:${user}@fixture.test`;

const run = async (...args: readonly string[]): Promise<string> => {
  const { code, out, err } = await imcd(args, { env });
  assert.equal(code, 0, err);
  return out;
};
const mi = async (server: TestServer, ...args: readonly string[]) =>
  JSON.parse(await run('mi', ...args, '--mi.http', `127.0.0.1:${server.mi}`));
const membersOf = ({ members }: { readonly members: readonly { readonly uri: string; readonly role: string }[] }) =>
  members.map(({ uri: member, role }) => `${role} ${member}`);

/** A data folder whose log holds what an export holds. */
const restored = async (): Promise<string> => {
  const data = temporaryFolder();
  await run('export', '--restore', file, '--data', data, ...domains);
  return data;
};

const first = [
  'owner sip:alice@fixture.test',
  'admin sip:Bob@fixture.test',
  'member sip:carol@fixture.test',
  'member sip:dave@fixture.test',
];
const second = ['owner sip:carol@fixture.test', 'member sip:bob@fixture.test'];

describe('older versions of an event, in a log that commands read', () => {
  let data = '';
  before(async () => {
    data = await restored();
  });
  const read = (...args: readonly string[]) => run(...args, '--data', data, ...domains);

  it('state: rooms are folded from all of them', async () => {
    const states = jsonLines(await read('state', '--json'));
    assert.deepEqual(states.map(membersOf).sort(), [first, second].sort());
    assert.deepEqual(membersOf(JSON.parse(await read('state', 'chat-1', '--revision', '1', '--json'))), [
      'owner sip:alice@fixture.test',
      'member sip:Bob@fixture.test',
    ]);
  });

  it('history as JSON: data in today’s form, metadata with the version that was written', async () => {
    const joins = jsonLines(await read('history', 'chat-1', '--type', 'MemberJoined', '--json'));
    const room = uri('chat-1');
    assert.deepEqual(
      joins.map((event) => [event.room, event.metadata.version, event.data]),
      [
        [room, 1, { room, member: uri('Bob') }],
        [room, 2, { room, member: uri('carol'), scheme: 'sips' }],
        [room, 3, { room, member: uri('dave'), scheme: 'sips' }],
      ],
    );
  });

  it('history for people: whom it was done to', async () => {
    const shown = lines(await read('history', 'chat-1', '--type', 'MemberJoined'));
    assert.deepEqual(
      shown.slice(1).map((line) => /MemberJoined +\S+ +(\S+)/.exec(line)?.[1]),
      ['Bob', 'carol', 'dave'].map(uri),
    );
  });

  it('history of a user: found by the index, whatever the field was called', async () => {
    const events = jsonLines(await read('history', '--user', uri('bob'), '--json'));
    assert.deepEqual(
      events.map(({ stream, revision }) => `${revision}@${stream}`),
      ['1@room-chat-1@fixture.test', '3@room-chat-1@fixture.test', '1@room-chat-2@fixture.test'],
    );
    // The operator who did it is no user, so carol is known by the data alone.
    const carols = jsonLines(await read('history', '--user', uri('carol'), '--json'));
    assert.deepEqual(
      carols.map(({ type }) => type),
      ['RoomCreated', 'MemberJoined'],
    );
  });

  it('export: every byte of data and metadata as it was written', async () => {
    assert.deepEqual(lines(await read('export')), lines(kept));
  });

  it('projections run: events as they were written, as EventStoreDB would give them', async () => {
    const projection = join(data, 'joins.js');
    writeFileSync(
      projection,
      `fromAll().when({ $init: () => ({ seen: [] }), MemberJoined: (state, { data }) => { state.seen.push(Object.keys(data)); } });`,
    );
    const [{ state }] = jsonLines(await read('projections', 'run', projection));
    assert.deepEqual(state.seen, [
      ['room', 'user'],
      ['room', 'member', 'secure'],
      ['room', 'member', 'scheme'],
      ['room', 'user'],
    ]);
  });

  it('rebuild: the mirror has the rows of all of them', async () => {
    await read('rebuild');
    const mirror = new DatabaseSync(join(data, 'mirror.db'), { readOnly: true });
    const rows = mirror.prepare('SELECT username, flag FROM imc_members WHERE room = ? ORDER BY id').all(uri('chat-1'));
    mirror.close();
    assert.deepEqual(
      rows.map(({ username, flag }) => `${username} ${flag}`),
      ['alice 1', 'Bob 2', 'carol 0', 'dave 0'],
    );
  });
});

describe('older versions of an event, in a log that a server reads', () => {
  let data = '';
  let server: TestServer;
  const start = () => startTestServer({ data, args: domains });
  before(async () => {
    data = await restored();
    server = await start();
  });
  after(() => server.stop());

  const verified = async (): Promise<string> => {
    await until('the mirror', async () => (await mi(server, 'mirror_status')).state === 'live');
    const { code, out, err } = await imcd(
      ['verify', '--data', data, ...domains, '--mi.http', `127.0.0.1:${server.mi}`],
      { env },
    );
    assert.equal(code, 0, out + err);
    return err;
  };

  it('replay: its rooms, and the mirror that follows it', async () => {
    assert.deepEqual(membersOf(await mi(server, 'room_state', `room=${uri('chat-1')}`)), first);
    assert.deepEqual(membersOf(await mi(server, 'room_state', `room=${uri('chat-2')}`)), second);
    assert.match(await verified(), /mirror: 2 rooms and 6 members compared/);
  });

  it('MI history: as on the command line', async () => {
    for (const [method, args, command] of [
      ['room_history', [`room=${uri('chat-1')}`], ['history', 'chat-1']],
      ['user_history', [`user=${uri('bob')}`], ['history', '--user', uri('bob')]],
    ] as const) {
      const { EVENTS } = await mi(server, method, ...args);
      const shown = jsonLines(await run(...command, '--json', '--data', data, ...domains));
      assert.deepEqual(EVENTS, shown);
      assert.ok(
        EVENTS.some((event: { readonly metadata: { readonly version: number } }) => event.metadata.version < 3),
      );
    }
  });

  it('what is written now is of the newest version', async () => {
    const erin = await openUser({ host: '127.0.0.1', port: server.udp, domain: 'fixture.test' }, 'erin');
    assert.equal((await erin.say(uri('chat-1'), '#join')).status, 200);
    erin.close();
    const { EVENTS } = await mi(server, 'room_history', `room=${uri('chat-1')}`);
    assert.deepEqual([EVENTS.at(-1).type, EVENTS.at(-1).metadata.version], ['MemberJoined', 3]);
  });

  it('the tail behind a snapshot: brought up at the next start', async () => {
    await server.stop();
    const store = await openLogIn(data);
    const [, old] = jsonLines(kept);
    const event: NewEvent = {
      id: '01a20000-0000-7000-8000-000000000100',
      type: old.type,
      data: { room: uri('chat-1'), user: uri('frank') },
      metadata: { ...old.metadata, time: '2026-11-22T15:00:00.000Z' },
    };
    const last = await store.lastRevision(old.stream)();
    assert.ok(E.isRight(last) && last.right !== undefined);
    assert.ok(E.isRight(await store.append(old.stream, last.right, [event])()));
    await store.close();
    server = await start();
    assert.ok(server.lines.some(({ msg }) => msg === 'the snapshot of the rooms was read'));
    assert.deepEqual(membersOf(await mi(server, 'room_state', `room=${uri('chat-1')}`)), [
      ...first,
      'member sip:erin@fixture.test',
      'member sip:frank@fixture.test',
    ]);
    assert.match(await verified(), /2 rooms and 8 members compared/);
  });
});

describe('older versions of an event, that another node writes while this one follows the log', () => {
  it('a subscription: brought up as they come', async (t) => {
    const store = await startDouble();
    t.after(() => store.stop());
    const server = await startTestServer({ args: ['--store_url', store.url, '--db_url', 'none', ...domains] });
    t.after(() => server.stop());
    const json = (value: unknown) => Buffer.from(JSON.stringify(value));
    for (const { id, stream, type, data, metadata } of jsonLines(kept))
      store.log.append(stream, 'any', [
        { id, type, contentType: 'application/json', data: json(data), metadata: json(metadata) },
      ]);
    await until('the last event', async () => {
      const { ROOMS } = await mi(server, 'list_rooms');
      return ROOMS.length === 2 && (await mi(server, 'room_state', `room=${uri('chat-2')}`)).revision === 1;
    });
    assert.deepEqual(membersOf(await mi(server, 'room_state', `room=${uri('chat-1')}`)), first);
    assert.deepEqual(membersOf(await mi(server, 'room_state', `room=${uri('chat-2')}`)), second);
    assert.equal(
      server.lines.some(({ level }) => level === 'error'),
      false,
    );
  });
});
