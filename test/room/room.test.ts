import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memberKey } from '../../src/room/address.ts';
import type { RoomEvent } from '../../src/room/events.ts';
import { applyInPlace, evolve, fold } from '../../src/room/fold.ts';
import { memberCount, memberOf, type Room, recipientsOf } from '../../src/room/room.ts';
import {
  accepted,
  alice,
  bob,
  carol,
  chat1,
  dave,
  deniedBy,
  destroyed,
  exited,
  invited,
  joined,
  made,
  member,
  removed,
  role,
  root,
  stateOf,
  time,
  withdrawn,
} from './scenario.ts';

const living = (...events: Parameters<typeof stateOf>[0]): Room => {
  const room = stateOf(events);
  assert.ok(room !== undefined);
  return room;
};

describe('recipients of a room', () => {
  it('stay the same through invitations and roles that are not the owner', () => {
    const room = living(made(), joined(bob), invited(dave));
    const before = recipientsOf(room);
    for (const event of [
      invited(carol),
      deniedBy(carol),
      invited(carol),
      withdrawn(carol),
      role(bob, 'admin'),
      role(bob, 'member'),
    ]) {
      applyInPlace(room, event, time);
      assert.deepEqual(recipientsOf(room), before, event.type);
    }
  });

  it('are others after each event that changes them', () => {
    const room = living(made(), joined(bob), invited(dave));
    let before = recipientsOf(room);
    for (const [event, after] of [
      [joined(carol), [alice, bob, carol]],
      [accepted(dave), [alice, bob, carol, dave]],
      [removed(bob), [alice, carol, dave]],
      [exited(dave), [alice, carol]],
      [role(carol, 'owner'), [carol, alice]],
    ] as const) {
      const kept = [...before];
      applyInPlace(room, event, time);
      assert.deepEqual(recipientsOf(room), after, event.type);
      assert.notDeepEqual(recipientsOf(room), before);
      assert.deepEqual(before, kept, 'an array that was handed out is never changed');
      before = recipientsOf(room);
    }
  });
});

describe('fold and evolve leave the room as it was', () => {
  it('evolve gives another room', () => {
    const room = living(made(), joined(bob));
    const next = evolve(room, exited(bob), time);
    assert.deepEqual([...room.members.keys()].map(String), ['alice@example.org', 'bob@example.org']);
    assert.deepEqual(next, living(made()));
    assert.equal(evolve(room, destroyed(), time), undefined);
    assert.equal(room.members.size, 2);
  });

  it('fold of no events is an equal room of its own', () => {
    const room = living(made());
    const copy = fold(room, []);
    assert.deepEqual(copy, room);
    assert.notEqual(copy, room);
  });

  it('applyInPlace changes the room that it is given', () => {
    const room = living(made());
    assert.equal(applyInPlace(room, joined(bob), time), room);
    assert.equal(room.members.size, 2);
  });

  it('an event of a room that is not there changes nothing', () => {
    for (const event of [joined(bob), destroyed(), role(bob, 'owner')])
      assert.equal(evolve(undefined, event, time), undefined);
  });
});

describe('a room', () => {
  it('remembers sips: until the member is gone', () => {
    const data = { room: chat1, member: bob, by: root, scheme: 'sips' } as const;
    const invitedSecurely: RoomEvent = { type: 'MemberInvited', data };
    const room = living(made(), invitedSecurely, accepted(bob));
    assert.equal(memberOf(room, memberKey(bob))?.scheme, 'sips');
    assert.equal(
      memberOf(living(made(), invitedSecurely, deniedBy(bob), joined(bob)), memberKey(bob))?.scheme,
      undefined,
    );
  });

  it('keeps a user in the case first seen, whatever a later event says', () => {
    const room = living(made(), invited(bob), accepted(member('sip:BOB@Example.org')));
    assert.equal(memberOf(room, memberKey(bob))?.uri, bob);
  });

  it('counts members without the invited', () => {
    const room = living(made(), joined(bob), invited(carol));
    assert.equal(memberCount(room), 2);
    assert.equal(memberOf(room, memberKey(carol)), undefined);
    assert.equal(room.members.get(memberKey(carol))?.role, 'invited');
  });

  it('that was destroyed starts anew under its name', () => {
    assert.deepEqual(stateOf([made(), joined(bob), destroyed(), made(carol)]), living(made(carol)));
  });
});
