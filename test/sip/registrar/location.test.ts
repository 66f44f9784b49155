import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, beforeEach, describe, it } from 'node:test';
import { type MemberKey, MemberUri, memberKey } from '../../../src/room/address.ts';
import type { Binding } from '../../../src/sip/registrar/binding.ts';
import { type BindingsFile, openBindingsFile } from '../../../src/sip/registrar/bindings-file.ts';
import { type Location, openLocation } from '../../../src/sip/registrar/location.ts';
import { atEnd } from '../../support/at-end.ts';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { until, untilItAnswers } from '../../support/until.ts';
import { recordingLog } from '../../support/world.ts';
import { tcpSource } from '../support/requests.ts';

const keyOf = (user: string): MemberKey => {
  const uri = `sip:${user}@localhost`;
  assert.ok(MemberUri.is(uri));
  return memberKey(uri);
};
const alice = keyOf('alice');
const bob = keyOf('bob');

let clock: FakeClock;
const binding = (contact: string, seconds = 60, more: Partial<Binding> = {}): Binding => ({
  contact,
  identity: contact,
  callId: '1',
  cseq: 1,
  expires: clock.now() + seconds * 1_000,
  q: undefined,
  target: { transport: 'udp', host: '192.0.2.7', port: 5060 },
  fallback: undefined,
  ...more,
});
const contacts = (location: Location, key: MemberKey): readonly string[] =>
  location.reachable(key).map(({ contact }) => contact);

beforeEach(() => {
  clock = createFakeClock();
});

describe('bindings in memory', () => {
  let location: Location;
  beforeEach(() => {
    location = openLocation({ clock, log: recordingLog(), file: undefined });
  });
  const put = (key: MemberKey, ...bindings: Binding[]): void =>
    location.replace(key, bindings, (written) => assert.ok(written));

  it('end when their time is over, each by itself', () => {
    put(alice, binding('sip:a@h', 60), binding('sip:b@h', 90));
    put(bob, binding('sip:c@h', 61));
    clock.advance(59_000);
    assert.deepEqual(contacts(location, alice), ['sip:a@h', 'sip:b@h']);
    clock.advance(3_000);
    assert.deepEqual(contacts(location, alice), ['sip:b@h']);
    assert.deepEqual(contacts(location, bob), []);
    assert.equal(location.counters.expired, 2);
    clock.advance(60_000);
    assert.equal(location.counters.bindings, 0);
    assert.equal(clock.pending(), 0);
  });

  it('live on when they are renewed in time', () => {
    put(alice, binding('sip:a@h', 60));
    clock.advance(50_000);
    put(alice, binding('sip:a@h', 60));
    clock.advance(50_000);
    assert.deepEqual(contacts(location, alice), ['sip:a@h']);
  });

  it('are the same array for as long as they are the same', () => {
    put(alice, binding('sip:a@h'));
    const first = location.reachable(alice);
    put(bob, binding('sip:b@h'));
    assert.equal(location.reachable(alice), first);
    put(alice, binding('sip:a@h'));
    assert.notEqual(location.reachable(alice), first);
  });
});

describe('bindings on disk', () => {
  const folder = mkdtempSync(join(tmpdir(), 'imcd-bindings-'));
  after(() => rmSync(folder, { recursive: true }));
  let files = 0;
  const path = (): string => {
    files += 1;
    return join(folder, `bindings${files}.db`);
  };
  const open = (at: string): Location => {
    const location = openLocation({ clock, log: recordingLog(), file: openBindingsFile(at) });
    atEnd(() => location.close());
    return location;
  };

  it('are answered for when they are written, in groups, and are there for another process at once', () => {
    const at = path();
    const location = open(at);
    const done: string[] = [];
    location.replace(alice, [binding('sip:a@h')], () => done.push('alice'));
    location.replace(bob, [binding('sip:b@h')], () => done.push('bob'));
    location.replace(alice, [binding('sip:a2@h')], () => done.push('alice again'));
    assert.deepEqual(done, []);
    clock.advance(50);
    assert.deepEqual(done.toSorted(), ['alice', 'alice again', 'bob']);
    // As after a kill -9: nobody has closed the file.
    const reader = new DatabaseSync(at, { readOnly: true });
    const rows = reader.prepare('SELECT contact FROM bindings ORDER BY aor').all();
    reader.close();
    assert.deepEqual(
      rows.map(({ contact }) => contact),
      ['sip:a2@h', 'sip:b@h'],
    );
    location.close();
  });

  it('come back after a restart, those that have not expired, a connection as the contact behind it', () => {
    const at = path();
    const first = open(at);
    const target = tcpSource();
    const fallback = { transport: 'tcp', host: '192.0.2.7', port: 5071 } as const;
    first.replace(alice, [binding('sip:a@h', 60), binding('sip:b@h', 600, { target, fallback, q: '0.5' })], () => {});
    first.close();
    clock.advance(100_000);
    const second = open(at);
    assert.deepEqual(second.reachable(alice), [{ contact: 'sip:b@h', target: fallback }]);
    assert.deepEqual(second.bindingsOf(alice)[0]?.q, '0.5');
    assert.equal(second.counters.bindings, 1);
    second.close();
  });

  it('that cannot be written are not there, and the client is told', () => {
    const file: BindingsFile = {
      load: () => [],
      write: (changes) => {
        if (changes.has(bob)) throw new Error('disk full');
      },
      close: () => {},
    };
    const log = recordingLog();
    const location = openLocation({ clock, log, file });
    const written: boolean[] = [];
    location.replace(alice, [binding('sip:a@h')], (ok) => written.push(ok));
    clock.advance(50);
    location.replace(alice, [binding('sip:x@h')], (ok) => written.push(ok));
    location.replace(bob, [binding('sip:b@h')], (ok) => written.push(ok));
    clock.advance(50);
    assert.deepEqual(written, [true, false, false]);
    assert.deepEqual(contacts(location, alice), ['sip:a@h']);
    assert.deepEqual(contacts(location, bob), []);
    assert.match(String(log.lines[0]?.fields.error), /disk full/);
  });

  it('do not grow the WAL without end, and lose nothing by it', async () => {
    const at = path();
    const location = open(at);
    const wal = (): number => statSync(`${at}-wal`).size;
    /** SQLite's WAL index: the last frame of the WAL, and the last that is in the file. */
    const isMoved = (): boolean => {
      const index = readFileSync(`${at}-shm`);
      return index.readUInt32LE(96) >= index.readUInt32LE(16);
    };
    let largest = 0;
    for (let i = 0; i < 4_000; i += 1) {
      location.replace(keyOf(`user${i % 50}`), [binding(`sip:a${i}@h`, 3_600)], () => {});
      location.flush();
      largest = Math.max(largest, wal());
      // The other thread has the disk to wait for: it moves the WAL into the file every 400 writes.
      if (i % 400 !== 399) continue;
      await until('the WAL is moved', isMoved);
    }
    assert.ok(largest < 4_000 * 4_096, `${largest} bytes of WAL after 4,000 writes of 4 KB or more each`);
    location.close();
    let again = location;
    // The thread of the one that was closed is in this process still, and may hold a lock while it ends.
    await untilItAnswers(async () => {
      again = open(at);
    });
    assert.deepEqual(contacts(again, keyOf('user49')), ['sip:a3999@h']);
    assert.equal(again.counters.bindings, 50);
    again.close();
  });

  it('of a newer server, or in a file that is none, are a clear error and stay as they are', () => {
    const newer = path();
    const database = new DatabaseSync(newer);
    database.exec('PRAGMA user_version = 99');
    database.close();
    assert.throws(() => openBindingsFile(newer), /has format 99, this imcd knows 1/);
    const other = path();
    writeFileSync(other, 'no database at all, but long enough to be read as one'.repeat(100));
    assert.throws(() => openBindingsFile(other), /cannot be read: file is not a database/);
  });
});
