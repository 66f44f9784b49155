import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import { EventMetadata, eventCodecs } from '../../src/room/events.ts';
import { MessageSent } from '../../src/room/transcript.ts';
import { metadataOf, timeOf, upcast, versionOf } from '../../src/room/upcast.ts';
import { fixtures } from './fixtures.ts';
import { bob, joined, time } from './scenario.ts';

const ofRooms = fixtures.filter(({ type }) => type !== 'MessageSent');
const leftOf = (found: E.Either<{ readonly message: string }, unknown>): string =>
  E.isLeft(found) ? found.left.message : assert.fail('it was decoded');

describe('fixtures: one stored event of each type and age, which must decode for ever', () => {
  it('has each type, and each optional field', () => {
    const types = new Set(ofRooms.map(({ type }) => type));
    assert.deepEqual([...types].toSorted(), Object.keys(eventCodecs).toSorted());
    const sips = ofRooms.filter(({ data }) => typeof data === 'object' && data !== null && 'scheme' in data);
    assert.deepEqual(sips.map(({ type }) => type).toSorted(), [
      'InvitationAccepted',
      'MemberAdded',
      'MemberInvited',
      'MemberJoined',
      'RoomCreated',
    ]);
  });

  for (const { file, type, data, metadata } of ofRooms) {
    it(`${file} is today's event`, () => {
      assert.deepEqual(upcast({ type, data, metadata }), E.right({ type, data }));
      assert.deepEqual(metadataOf(metadata), E.right(metadata));
      assert.match(timeOf(metadata), /^2026-11-22T14:0\d:00\.000Z$/);
      assert.equal(versionOf(metadata), 1);
    });
  }

  it('has recorded messages', () => {
    const messages = fixtures.filter(({ type }) => type === 'MessageSent');
    assert.equal(messages.length, 2);
    for (const { type, data, metadata } of messages) {
      assert.ok(MessageSent.is({ type, data }));
      assert.ok(EventMetadata.is(metadata));
    }
  });
});

describe('an event of a type or version that this node does not know', () => {
  const event = joined(bob);
  it('is a Left that says which type', () => {
    assert.equal(
      leftOf(upcast({ ...event, type: 'RoomPainted', metadata: {} })),
      'event type RoomPainted is not known here',
    );
    assert.match(leftOf(upcast({ ...event, type: 'constructor', metadata: {} })), /constructor is not known/);
  });
  it('is a Left that says which version, even where its data looks right', () => {
    const message = 'MemberJoined has version 2, and 1 is the newest known here';
    assert.equal(leftOf(upcast({ ...event, metadata: { version: 2 } })), message);
    assert.equal(leftOf(upcast({ ...event, version: 2, metadata: undefined })), message);
    assert.match(leftOf(upcast({ ...event, metadata: { version: '1' } })), /version NaN/);
  });
  it('is a Left that says where the shape is not that of its type', () => {
    for (const data of [undefined, null, {}, [], { ...event.data, member: 'bob' }])
      assert.equal(
        leftOf(upcast({ type: event.type, data, metadata: {} })),
        'the data of MemberJoined does not have its shape',
      );
  });
});

describe('an event of an earlier time', () => {
  it('without a version is of the first', () => {
    for (const metadata of [undefined, null, {}, 'text'])
      assert.deepEqual(upcast({ ...joined(bob), metadata }), E.right(joined(bob)));
  });
  it('with fields more than its type has is read for those it has', () => {
    const { type, data } = joined(bob);
    const read = upcast({ type, data: { ...data, mood: 'good' }, metadata: {} });
    assert.ok(E.isRight(read) && read.right.type === 'MemberJoined');
    assert.equal(read.right.data.member, bob);
  });
  it('does not have its metadata parsed where the store knows the version', () => {
    const stored = {
      ...joined(bob),
      version: 1,
      get metadata(): unknown {
        return assert.fail('parsed');
      },
    };
    assert.ok(E.isRight(upcast(stored)));
  });
});

describe('metadata', () => {
  it('that is not whole names what is missing or wrong', () => {
    const [first] = fixtures;
    assert.ok(typeof first?.metadata === 'object');
    assert.equal(
      leftOf(metadataOf({ ...first.metadata, actor: 'bob', node: undefined })),
      'metadata without a right actor, node',
    );
    assert.match(leftOf(metadataOf({ ...first.metadata, callId: 7 })), /callId/);
    assert.equal(leftOf(metadataOf(null)), 'the metadata is no object');
  });
  it('has no time where there is none', () => {
    for (const metadata of [undefined, null, {}, { time: 7 }]) assert.equal(timeOf(metadata), '');
    assert.equal(timeOf({ time }), time);
  });
});
