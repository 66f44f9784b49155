import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as t from 'io-ts';
import { MemberUri, RoomUri } from '../../src/room/address.ts';
import { fieldsOf } from '../../src/room/codec-fields.ts';
import { define, type EventTable } from '../../src/room/event-definition.ts';
import { roomEvents } from '../../src/room/events.ts';
import { EventMetadata, timeIn, versionIn } from '../../src/room/metadata.ts';
import { transcriptEvents } from '../../src/room/transcript.ts';
import { decode, decodeWith, shownData, Undecodable } from '../../src/room/upcast.ts';
import { fixtures } from './fixtures.ts';
import { bob, joined, time } from './scenario.ts';

const table: EventTable = roomEvents;
const ofRooms = fixtures.filter(({ type }) => type !== 'MessageSent');
const messageOf = (found: unknown): string =>
  found instanceof Undecodable ? found.message : assert.fail('it was decoded');

describe('fixtures: one stored event of each type and age, which must decode for ever', () => {
  it('has each type, and each optional field', () => {
    const fields = new Map<string, Set<string>>();
    for (const { type, data, metadata } of ofRooms) {
      const ofType = fields.get(type) ?? new Set();
      fields.set(type, ofType);
      if (versionIn(metadata) === table[type]?.version) for (const name of Object.keys(Object(data))) ofType.add(name);
    }
    const wanted = Object.entries(roomEvents).map(([type, { data }]) => [
      type,
      fieldsOf(data)
        .map(([name]) => name)
        .sort(),
    ]);
    const found = [...fields].map(([type, names]) => [type, [...names].sort()]);
    const sorted = (list: readonly (readonly unknown[])[]) => list.map((row) => JSON.stringify(row)).sort();
    assert.deepEqual(sorted(found), sorted(wanted));
  });

  for (const { file, type, data, metadata } of ofRooms) {
    it(`${file} is today's event`, () => {
      const event = decode({ type, data, metadata });
      const version = versionIn(metadata);
      if (version === table[type]?.version) assert.deepEqual(event, { type, data });
      else assert.ok(!(event instanceof Undecodable));
      assert.ok(EventMetadata.is(metadata));
      assert.match(timeIn(metadata), /^2026-11-22T14:0\d:00\.000Z$/);
      assert.ok(file.endsWith(`.v${version}.json`));
    });
  }

  it('has recorded messages', () => {
    const messages = fixtures.filter(({ type }) => type === 'MessageSent');
    assert.equal(messages.length, 2);
    for (const { data, metadata } of messages) {
      assert.ok(transcriptEvents.MessageSent.data.is(data));
      assert.ok(EventMetadata.is(metadata));
    }
  });
});

describe('an event of a type or version that this node does not know', () => {
  const event = joined(bob);
  it('is undecodable, and says which type', () => {
    assert.equal(
      messageOf(decode({ ...event, type: 'RoomPainted', metadata: {} })),
      'event type RoomPainted is not known here',
    );
    assert.match(messageOf(decode({ ...event, type: 'constructor', metadata: {} })), /constructor is not known/);
  });
  it('says which version, even where its data looks right', () => {
    const message = 'MemberJoined has version 2, and 1 is the newest known here';
    assert.equal(messageOf(decode({ ...event, metadata: { version: 2 } })), message);
    assert.equal(messageOf(decode({ ...event, version: 2, metadata: undefined })), message);
    assert.match(messageOf(decode({ ...event, metadata: { version: '1' } })), /version NaN/);
    for (const version of [0, -1, 0.5, Number.POSITIVE_INFINITY])
      assert.match(messageOf(decode({ ...event, version, metadata: undefined })), /^MemberJoined has version /);
  });
  it('says where the shape is not that of its type', () => {
    for (const data of [undefined, null, {}, [], { ...event.data, member: 'bob' }])
      assert.equal(
        messageOf(decode({ type: event.type, data, metadata: {} })),
        'the data of MemberJoined does not have its shape',
      );
  });
  it('is shown as it stands', () => {
    const data = { colour: 'red' };
    assert.equal(shownData({ type: 'RoomPainted', data, metadata: {} }), data);
  });
});

describe('an event of an earlier time', () => {
  it('without a version is of the first', () => {
    for (const metadata of [undefined, null, {}, 'text'])
      assert.deepEqual(decode({ ...joined(bob), metadata }), joined(bob));
  });
  it('with fields more than its type has is read for those it has', () => {
    const { type, data } = joined(bob);
    const read = decode({ type, data: { ...data, mood: 'good' }, metadata: {} });
    assert.ok(!(read instanceof Undecodable) && read.type === 'MemberJoined');
    assert.equal(read.data.member, bob);
  });
  it('does not have its metadata parsed where the store knows the version', () => {
    const stored = {
      ...joined(bob),
      version: 1,
      get metadata(): unknown {
        return assert.fail('parsed');
      },
    };
    assert.ok(!(decode(stored) instanceof Undecodable));
  });
});

/** Version 1 had `who`, version 2 a `member`, version 3 says whether it was polite. */
const madeUp = {
  RoomLeft: define({
    meaning: 'Somebody left.',
    data: t.type({ room: RoomUri, member: MemberUri, polite: t.boolean }),
    upcasts: [
      ({ who, ...rest }) => ({ ...rest, member: String(who).toLowerCase() }),
      (second) => ({ ...second, polite: true }),
    ],
  }),
};

describe('a table with older versions', () => {
  const read = decodeWith(madeUp);
  const room = 'sip:chat-1@example.org';
  const member = 'sip:bob@example.org';
  const today = { type: 'RoomLeft', data: { room, member, polite: true } };
  const left = (version: number | undefined, data: unknown) =>
    read({ type: 'RoomLeft', version, data, metadata: undefined });

  it('has the version that its upcasts lead to', () => {
    assert.equal(madeUp.RoomLeft.version, 3);
    assert.equal(roomEvents.MemberJoined.version, 1);
  });
  it('knows by the codec which fields name a user', () => {
    assert.deepEqual(madeUp.RoomLeft.users, ['member']);
    assert.deepEqual(roomEvents.InvitationWithdrawn.users, ['member', 'inviter', 'by']);
    assert.deepEqual(roomEvents.RoomCreated.users, ['owner']);
  });
  it('brings an event up from where it is, step by step', () => {
    assert.deepEqual(left(1, { room, who: 'sip:BOB@example.org' }), today);
    assert.deepEqual(left(undefined, { room, who: 'sip:BOB@example.org' }), today);
    assert.deepEqual(left(2, { room, member }), today);
    assert.deepEqual(left(3, today.data), today);
  });
  it('gives the newest as it was read, not a copy', () => {
    const found = left(3, today.data);
    assert.ok(!(found instanceof Undecodable));
    assert.equal(found.data, today.data);
  });
  it('looks at what came out: data that never had their version’s shape are none of it', () => {
    const message = 'the data of RoomLeft does not have its shape';
    for (const data of [undefined, null, 7, 'text', [], {}, { room, who: 'bob' }, { room, who: Symbol.iterator }])
      assert.equal(messageOf(left(1, data)), message);
    // Of the third version's shape already, but said to be of the first.
    assert.equal(messageOf(left(1, today.data)), message);
  });
  it('takes a step that throws for a shape that is none', () => {
    const broken = decodeWith({ X: define({ meaning: '', data: t.type({}), upcasts: [() => assert.fail('thrown')] }) });
    assert.match(messageOf(broken({ type: 'X', data: {}, metadata: {} })), /does not have its shape/);
  });
  it('does not know a version that none of its steps starts from', () => {
    for (const version of [0, 1.5, 4, Number.NaN])
      assert.equal(
        messageOf(left(version, today.data)),
        `RoomLeft has version ${version}, and 3 is the newest known here`,
      );
  });
});

describe('metadata', () => {
  const [first] = fixtures;
  it('that is not whole is none', () => {
    assert.ok(typeof first?.metadata === 'object');
    assert.ok(!EventMetadata.is({ ...first.metadata, actor: 'bob' }));
    assert.ok(!EventMetadata.is({ ...first.metadata, node: undefined }));
    assert.ok(!EventMetadata.is({ ...first.metadata, callId: 7 }));
    assert.ok(!EventMetadata.is(null));
  });
  it('has no time where there is none', () => {
    for (const metadata of [undefined, null, {}, { time: 7 }]) assert.equal(timeIn(metadata), '');
    assert.equal(timeIn({ time }), time);
  });
});
