import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import type { NewEvent } from '../../../src/ports/event-store.ts';
import type { SqliteLog } from '../../../src/store/sqlite/open.ts';
import { all, right } from '../../contract/event-store-kit.ts';
import { openLog, openReader, temporaryFolder } from './temporary-log.ts';

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();

const event = (second: number, actor: string, data: Readonly<Record<string, unknown>>): NewEvent => ({
  id: randomUUID(),
  type: `T${second}`,
  data: { room: 'sip:chat-1@a.org', ...data },
  metadata: { actor, time: at(second) },
});

describe('SQLite log: audit', () => {
  const { folder, remove } = temporaryFolder();
  const file = join(folder, 'log.db');
  let store: SqliteLog;
  let reader: SqliteLog;
  before(async () => {
    store = await openLog(file);
    const write = async (stream: string, revision: number, ...events: NewEvent[]): Promise<void> => {
      right(await store.append(stream, revision === -1 ? 'no_stream' : BigInt(revision), events)());
    };
    await write('room-chat-1@a.org', -1, event(0, 'sip:Alice@A.org', { owner: 'sip:Alice@A.org' }));
    await write('room-chat-2@a.org', -1, event(10, 'sip:bob@a.org', { owner: 'sip:bob@a.org' }));
    await write('transcript-chat-1@a.org', -1, event(15, 'sip:alice@a.org', { member: 'sip:alice@a.org' }));
    await write('room-chat-2@a.org', 0, event(20, 'sip:bob@a.org', { member: 'sip:alice@a.org', by: 'sip:bob@a.org' }));
    await write('room-chat-1@a.org', 0, event(30, 'operator:eve', { member: 'sip:bob@a.org', by: 'operator:eve' }));
    await write(
      'room-chat-1@a.org',
      1,
      event(40, 'sip:carol@a.org', { member: 'sip:carol@a.org', inviter: 'sip:ALICE@a.org' }),
    );
    reader = await openReader(file);
  });
  after(async () => {
    await reader.close();
    await store.close();
    remove();
  });

  const typesOf = async (user: string, log: SqliteLog = store): Promise<string[]> =>
    (await all(log.audit.eventsOfUser(user))).map(({ type }) => type);

  it('finds what a user did, or had done to them, across rooms, in any case, without what they said', async () => {
    assert.deepEqual(await typesOf('alice@a.org'), ['T0', 'T20', 'T40']);
    assert.deepEqual(await typesOf('bob@a.org'), ['T10', 'T20', 'T30']);
    assert.deepEqual(await typesOf('carol@a.org', reader), ['T40']);
    assert.deepEqual(await typesOf('nobody@a.org'), []);
    assert.deepEqual(await typesOf('alice@a.or'), []);
  });

  it('goes on after a position', async () => {
    const [first] = await all(store.audit.eventsOfUser('alice@a.org'));
    assert.ok(first);
    const rest = await all(store.audit.eventsOfUser('alice@a.org', first.position));
    assert.deepEqual(
      rest.map(({ type }) => type),
      ['T20', 'T40'],
    );
  });

  it('gives a user of many pages every event once', async () => {
    const stream = 'room-chat-3@a.org';
    const many = Array.from({ length: 2_500 }, (_, n) => event(100 + n, 'sip:dan@a.org', { member: 'sip:dan@a.org' }));
    right(await store.append(stream, 'no_stream', many.slice(0, 1_200))());
    right(await store.append(stream, 1_199n, many.slice(1_200))());
    const types = await typesOf('dan@a.org');
    assert.equal(types.length, 2_500);
    assert.equal(new Set(types).size, 2_500);
  });

  it('finds the position at a time', async () => {
    const events = await all(store.readAll());
    for (const one of events) {
      assert.equal(right(await store.audit.positionAt(one.time)()), one.position, one.time);
      const justAfter = one.time.replace('.000Z', '.500Z');
      assert.equal(right(await reader.audit.positionAt(justAfter)()), one.position, justAfter);
    }
    assert.equal(right(await store.audit.positionAt('2025-12-31T23:59:59.999Z')()), undefined);
    assert.equal(right(await store.audit.positionAt('9999-01-01T00:00:00.000Z')()), events.at(-1)?.position);
  });

  it('does not index an append that was refused', async () => {
    const used = event(5_000, 'sip:frank@a.org', { member: 'sip:frank@a.org' });
    right(await store.append('room-chat-4@a.org', 'no_stream', [used])());
    const again = [event(5_001, 'sip:grace@a.org', { member: 'sip:grace@a.org' }), used];
    assert.ok(E.isLeft(await store.append('room-chat-5@a.org', 'no_stream', again)()));
    right(await store.append('room-chat-5@a.org', 'no_stream', [event(5_002, 'sip:hal@a.org', {})])());
    assert.deepEqual(await typesOf('grace@a.org'), []);
    assert.deepEqual(await typesOf('frank@a.org'), ['T5000']);
    assert.deepEqual(await typesOf('hal@a.org'), ['T5002']);
  });
});
