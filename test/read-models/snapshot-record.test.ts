import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseRecord, recordLine } from '../../src/read-models/snapshot-record.ts';
import { roomKey } from '../../src/room/address.ts';
import { anyLivingRoom } from '../properties/arbitraries.ts';

/** As imcd 0.1.0 wrote it. */
const line = JSON.stringify([
  'chat-1@example.org',
  7,
  'sip:Chat-1@example.org',
  1,
  [
    ['sip:alice@example.org', 'owner', '2026-11-22T14:00:00.000Z', 'sips'],
    ['sip:bob@example.org', 'admin', '2026-11-22T14:01:00.000Z'],
    ['sip:carol@example.org', 'invited', '2026-11-22T14:02:00.000Z', 'sip:alice@example.org'],
    ['sip:dave@example.org', 'invited', '2026-11-22T14:03:00.000Z', 'operator:mi', 'sips'],
  ],
]);

describe('a record of a snapshot', () => {
  it('keeps every field that the codecs of room.ts know', () => {
    fc.assert(
      fc.property(anyLivingRoom, fc.nat(), (room, revision) => {
        const record = { key: roomKey(room.uri), revision, room };
        const read = parseRecord(recordLine(record));
        assert.deepEqual(read, record);
        assert.deepEqual([...(read?.room?.members ?? [])], [...room.members], 'in the same order');
      }),
    );
  });

  it('is written as it was before', () => {
    const read = parseRecord(line);
    assert.ok(read?.room !== undefined);
    assert.equal(recordLine(read), line);
    assert.equal(recordLine({ ...read, room: undefined }), '["chat-1@example.org",7]');
    assert.equal(read.room.private, true);
    const withTopic = `${line.slice(0, -1)},"lunch"]`;
    assert.deepEqual(parseRecord(withTopic), { ...read, room: { ...read.room, topic: 'lunch' } });
    assert.equal(recordLine({ ...read, room: { ...read.room, topic: 'lunch' } }), withTopic);
    assert.deepEqual(read.room.members.get('dave@example.org' as never), {
      uri: 'sip:dave@example.org',
      role: 'invited',
      since: '2026-11-22T14:03:00.000Z',
      inviter: 'operator:mi',
      scheme: 'sips',
    });
  });

  it('is none where a field is not what it should be', () => {
    const spoilt: readonly [found: string, instead: string][] = [
      ['"sip:Chat-1@', '"sip:Chat-2@'],
      ['"owner"', '"admin"'],
      ['"admin"', '"king"'],
      ['"operator:mi"', '"mi"'],
      ['sip:bob@', 'bob@'],
      ['"2026-11-22T14:01:00.000Z"', '7'],
      [',7,', ',"7",'],
    ];
    for (const [found, instead] of spoilt) {
      assert.ok(line.includes(found));
      assert.equal(parseRecord(line.replace(found, instead)), undefined, instead);
    }
    assert.equal(parseRecord('{}'), undefined);
    assert.equal(parseRecord(`${line.slice(0, -1)},7]`), undefined, 'a topic that is no text');
  });
});
