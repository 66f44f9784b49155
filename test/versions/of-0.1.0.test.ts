import assert from 'node:assert/strict';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { MemberUri, memberKey } from '../../src/room/address.ts';
import { openBindingsFile } from '../../src/sip/registrar/bindings-file.ts';
import { openLocation } from '../../src/sip/registrar/location.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { imcd, jsonLines, lines, temporaryFolder } from '../support/imcd.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { recordingLog } from '../support/world.ts';

/** What a version left behind is read by every later one: `README.md` of the folder says how each file came to be. */
const folder = join(import.meta.dirname, '..', 'fixtures', 'versions', '0.1.0');
const kept = (file: string): string => readFileSync(join(folder, file), 'utf8');
const domains = ['--domains', 'fixture.test'];

/** A data folder with these files of the version. */
const dataWith = (...files: readonly string[]): string => {
  const data = temporaryFolder();
  for (const file of files) copyFileSync(join(folder, file), join(data, file));
  return data;
};

const sorted = (ndjson: string): readonly string[] => [...lines(ndjson)].sort();

describe('a log of 0.1.0', () => {
  const data = dataWith('log.db');
  const read = async (...args: readonly string[]): Promise<string> => {
    const { code, out, err } = await imcd([...args, '--data', data, ...domains]);
    assert.equal(code, 0, err);
    return out;
  };

  it('is folded to the same rooms', async () => {
    assert.deepEqual(sorted(await read('state', '--json')), sorted(kept('state.ndjson')));
  });

  it('tells the same history of rooms and users', async () => {
    for (const room of [1, 2, 3, 4, 5])
      assert.deepEqual(
        jsonLines(await read('history', `chat-${room}`, '--json')),
        jsonLines(kept(`room-${room}.ndjson`)),
      );
    const user = await read('history', '--user', 'sip:alice@fixture.test', '--json');
    assert.deepEqual(jsonLines(user), jsonLines(kept('user-alice.ndjson')));
  });

  it('is exported as it was, and its export restored', async () => {
    assert.deepEqual(lines(await read('export')), lines(kept('export.ndjson')));
    const other = temporaryFolder();
    const restored = await imcd(['export', '--restore', join(folder, 'export.ndjson'), '--data', other, ...domains]);
    assert.equal(restored.code, 0, restored.err);
    const { out } = await imcd(['state', '--json', '--data', other, ...domains]);
    assert.deepEqual(sorted(out), sorted(kept('state.ndjson')));
  });
});

describe('a data folder of 0.1.0', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer({
      data: dataWith('log.db', 'rooms.snapshot', 'mirror.db', 'bindings.db'),
      args: domains,
    });
  });
  after(() => server.stop());
  const mi = async (...args: readonly string[]) => {
    const { code, out, err } = await imcd(['mi', ...args, '--mi.http', `127.0.0.1:${server.mi}`]);
    assert.equal(code, 0, err);
    return JSON.parse(out);
  };

  it('is started from its snapshot, with nothing to complain of', () => {
    const said = server.lines.map(({ msg }) => msg);
    assert.ok(said.includes('the snapshot of the rooms was read'), said.join('\n'));
    const bad = server.lines.filter(({ level }) => level === 'warn' || level === 'error' || Number(level) >= 40);
    assert.deepEqual(bad, []);
  });

  it('agrees with itself: rooms of the server, snapshot, and the mirror, which goes on from its checkpoint', async () => {
    for (;;) if ((await mi('mirror_status')).state === 'live') break;
    const args = ['--data', server.data, ...domains, '--mi.http', `127.0.0.1:${server.mi}`];
    const { code, err } = await imcd(['verify', ...args]);
    assert.equal(code, 0, err);
    assert.match(err, /log: 4 rooms\n/);
    assert.match(err, /server: 4 rooms compared/);
    assert.match(err, /mirror: 4 rooms and 8 members compared.*\nno difference\n$/);
  });
});

describe('bindings of 0.1.0', () => {
  it('are read, with their contacts and ways', (t) => {
    const clock = createFakeClock(Date.parse('2026-11-25T15:34:00Z'));
    const file = openBindingsFile(join(dataWith('bindings.db'), 'bindings.db'));
    t.after(() => file.close());
    const location = openLocation({ clock, log: recordingLog(), file });
    const of = (user: string) => {
      const uri = `sip:${user}@fixture.test`;
      assert.ok(MemberUri.is(uri));
      return location.bindingsOf(memberKey(uri)).map(({ contact, target }) => `${contact} ${target.transport}`);
    };
    assert.deepEqual(of('alice').sort(), ['sip:alice@127.0.0.1:48753 udp', 'sip:alice@127.0.0.1:58546 udp']);
    assert.deepEqual(of('bob'), ['sip:Bob@127.0.0.1:53811 udp']);
    assert.deepEqual(of('carol').length, 2);
    assert.deepEqual(of('d%20ave'), ['sip:d%20ave@127.0.0.1:42269 udp']);
  });
});
