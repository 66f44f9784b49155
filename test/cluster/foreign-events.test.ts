import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { roomPrefix } from '../../src/room/stream.ts';
import { startDouble } from '../support/eventstoredb/server.ts';
import { startTestServer } from '../support/server.ts';
import { openUser } from '../support/sip-client.ts';
import { until } from '../support/until.ts';

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const metadata = {
  $correlationId: 'c',
  $causationId: 'c',
  version: 1,
  actor: 'sip:mallory@localhost',
  source: 'elsewhere',
  node: 'elsewhere',
  time: '2026-01-01T00:00:00.000Z',
};
const created = { room: 'sip:chat-1@localhost', owner: 'sip:mallory@localhost', private: false, cause: 'create' };

/** What somebody else may have written into a room's stream, with EventStoreDB's UI or another program. */
const strange = {
  'a type that imcd does not know': { type: 'RoomPainted', data: json({ colour: 'red' }), metadata: json(metadata) },
  'a newer version': { type: 'RoomCreated', data: json(created), metadata: json({ ...metadata, version: 99 }) },
  'data of another shape': { type: 'RoomCreated', data: json({ room: 5 }), metadata: json(metadata) },
  'data that is not JSON': { type: 'RoomCreated', data: Buffer.from([0xff, 0, 1]), metadata: json(metadata) },
};

describe('events in room-* that imcd cannot read', { timeout: 120_000 }, () => {
  it('stop their room on this node, with an alarm, before the start and after; the node and the other rooms go on', async (t) => {
    const store = await startDouble();
    t.after(() => store.stop());
    const write = (room: string, { type, data, metadata: meta }: (typeof strange)['a newer version']) =>
      store.log.append(`${roomPrefix}${room}@localhost`, 'any', [
        { id: randomUUID(), type, contentType: 'application/json', data, metadata: meta },
      ]);
    const rooms = Object.values(strange).map((event, n) => ({
      event,
      before: `chat-${n + 10}`,
      later: `chat-${n + 20}`,
    }));
    for (const { event, before } of rooms) write(before, event);
    const args = ['--store_url', store.url, '--db_url', 'none', '--domains', 'localhost'];
    const server = await startTestServer({ args });
    t.after(() => server.stop());
    const alarms = () => server.lines.filter(({ level, msg }) => level === 'error' && /room is stopped/.test(msg));
    assert.equal(alarms().length, rooms.length);

    const alice = await openUser({ host: '127.0.0.1', port: server.udp, domain: 'localhost' }, 'alice');
    t.after(() => alice.close());
    for (const { before } of rooms)
      assert.equal((await alice.say(`sip:${before}@localhost`, '#join')).status, 500, before);
    assert.equal((await alice.say('sip:chat-1@localhost', '#join')).status, 200);

    for (const { later, event } of rooms) {
      assert.equal((await alice.say(`sip:${later}@localhost`, '#join')).status, 200);
      write(later, event);
    }
    await until('the alarms', () => alarms().length === 2 * rooms.length);
    for (const { later } of rooms)
      assert.equal((await alice.say(`sip:${later}@localhost`, '#invite bob')).status, 500, later);
    assert.equal((await alice.say('sip:chat-1@localhost', '#invite bob')).status, 200);
  });
});
