import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { memberKey } from '../../src/room/address.ts';
import { applyInPlace, evolve, fold } from '../../src/room/fold.ts';
import { memberCount, type Room, type RoomState, recipientsOf } from '../../src/room/room.ts';
import { anyCommands, anyEvent, anyPolicy, type Fact, run } from './arbitraries.ts';

/** Histories that commands can lead to, and such as no command would: a fold must not care. */
const possible = fc.tuple(anyPolicy, anyCommands).map(([policy, commands]) => run(policy, commands).facts);
const arbitrary = fc.array(fc.record({ event: anyEvent, time: fc.constant('2026-11-22T14:00:00.000Z') }), {
  maxLength: 30,
});
const anyFacts: fc.Arbitrary<readonly Fact[]> = fc.oneof(possible, arbitrary);

/** All of a room that can be seen, order included. */
const seen = (room: RoomState) =>
  room === undefined ? undefined : { ...room, members: [...room.members], recipients: recipientsOf(room) };

describe('fold = repeated evolve = applyInPlace', () => {
  it('from nothing, over any history', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        let evolved: RoomState;
        let applied: RoomState;
        for (const { event, time } of facts) {
          evolved = evolve(evolved, event, time);
          applied = applyInPlace(applied, event, time);
        }
        assert.deepEqual(seen(fold(undefined, facts)), seen(evolved));
        assert.deepEqual(seen(applied), seen(evolved));
      }),
    );
  });

  it('from any point on, and the room it starts from stays as it was', () => {
    fc.assert(
      fc.property(anyFacts, fc.nat(60), (facts, cut) => {
        const middle = fold(undefined, facts.slice(0, cut));
        const before = structuredClone(seen(middle));
        assert.deepEqual(seen(fold(middle, facts.slice(cut))), seen(fold(undefined, facts)));
        assert.deepEqual(seen(middle), before);
      }),
    );
  });
});

const owners = (room: Room) => [...room.members].filter(([, { role }]) => role === 'owner').map(([key]) => key);

describe('exactly one owner while a room lives', () => {
  it('whatever is asked of it', () => {
    fc.assert(
      fc.property(anyPolicy, anyCommands, (policy, commands) => {
        let room: RoomState;
        for (const { event, time } of run(policy, commands).facts) {
          room = applyInPlace(room, event, time);
          if (room === undefined) continue;
          assert.deepEqual(owners(room), [room.owner]);
          assert.equal(recipientsOf(room)[0], room.members.get(room.owner)?.uri);
        }
      }),
    );
  });

  it('and its table stands by identity; recipients are all but the invited, each once', () => {
    fc.assert(
      fc.property(anyPolicy, anyCommands, (policy, commands) => {
        let room: RoomState;
        for (const { event, time } of run(policy, commands).facts) {
          room = applyInPlace(room, event, time);
          if (room === undefined) continue;
          for (const [key, { uri }] of room.members) assert.equal(key, memberKey(uri));
          const recipients = recipientsOf(room);
          assert.equal(recipients.length, memberCount(room));
          assert.equal(new Set(recipients.map(memberKey)).size, recipients.length);
          for (const uri of recipients) assert.notEqual(room.members.get(memberKey(uri))?.role, 'invited');
        }
      }),
    );
  });
});
