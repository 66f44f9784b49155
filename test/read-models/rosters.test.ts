import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Roster } from '../../src/ports/courier.ts';
import { createRooms } from '../../src/read-models/rooms.ts';
import { roomKey } from '../../src/room/address.ts';
import type { RoomEvent } from '../../src/room/events.ts';
import { recipientsOf } from '../../src/room/room.ts';
import {
  accepted,
  added,
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
  removed,
  role,
  time,
  withdrawn,
} from '../room/scenario.ts';

const key = roomKey(chat1);
const now = Date.parse(time);

/** A room of the read model, changed by the events that are given. */
const roomOf = (...events: readonly RoomEvent[]) => {
  const rooms = createRooms(4);
  let revision = -1;
  const apply = (event: RoomEvent): void => {
    revision += 1;
    const metadata = {
      actor: alice,
      node: 'n',
      time,
      version: 1,
      source: 'test',
      $correlationId: 'c',
      $causationId: 'c',
    };
    assert.equal(rooms.applyOwn(key, BigInt(revision), event, metadata, now), 'applied', event.type);
  };
  for (const event of events) apply(event);
  const roster = (): Roster => {
    const [found, room] = [rooms.roster(key), rooms.get(key)];
    assert.ok(found !== undefined && room !== undefined);
    assert.deepEqual(found.uris, recipientsOf(room));
    assert.equal(found.room, chat1);
    return found;
  };
  return { rooms, apply, roster, revision: () => revision };
};

describe('the roster of a room', () => {
  it('is the same object for as long as the recipients are the same', () => {
    const { apply, roster } = roomOf(made(), joined(bob), invited(dave));
    const before = roster();
    assert.equal(before.revision, 2);
    for (const event of [
      invited(carol),
      deniedBy(carol),
      invited(carol),
      withdrawn(carol),
      role(bob, 'admin'),
      role(bob, 'member'),
    ]) {
      apply(event);
      assert.equal(roster(), before, event.type);
      assert.equal(roster(), before, event.type);
    }
  });

  it('is another, with the revision that it was made at, after each event that changes them', () => {
    const { apply, roster, revision } = roomOf(made(), joined(bob), invited(dave));
    let before = roster();
    for (const event of [
      joined(carol),
      accepted(dave),
      removed(bob),
      exited(dave),
      added(dave),
      role(carol, 'owner'), // The owner stands first.
    ]) {
      const kept = structuredClone(before);
      apply(event);
      const after = roster();
      assert.notEqual(after, before, event.type);
      assert.equal(after.revision, revision(), event.type);
      assert.deepEqual(before, kept, 'one that was handed out is never changed');
      before = after;
    }
  });

  it('is made once for all that has changed since it was last asked for', () => {
    const { apply, roster } = roomOf(made());
    const before = roster();
    apply(joined(bob));
    apply(exited(bob));
    assert.equal(roster(), before);
  });

  it('is none of a room that is not there, and another of a room that is made again', () => {
    const { rooms, apply, roster } = roomOf(made(), joined(bob));
    const before = roster();
    apply(destroyed());
    assert.equal(rooms.roster(key), undefined);
    apply(made());
    apply(joined(bob));
    const after = roster();
    assert.deepEqual(after.uris, before.uris);
    assert.notEqual(after.revision, before.revision);
    rooms.forget(key);
    assert.equal(rooms.roster(key), undefined);
  });

  it('is that of the record, where a room was read from a snapshot', () => {
    const { rooms, roster, revision } = roomOf(made(), joined(bob));
    roster();
    const other = roomOf(made(), joined(carol), joined(dave)).rooms.get(key);
    rooms.load({ key, revision: revision() + 1, room: other });
    assert.deepEqual(roster().uris, [alice, carol, dave]);
    assert.equal(roster().revision, 2);
  });
});
