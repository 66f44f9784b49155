import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { historyOf } from '../../src/engine/history.ts';
import { importRooms } from '../../src/engine/import-rooms.ts';
import type { AppendFailure, EventStore, NewEvent } from '../../src/ports/event-store.ts';
import { MemberUri, memberKey, RoomUri, roomKey } from '../../src/room/address.ts';
import type { FoundRoom } from '../../src/room/import-tables.ts';
import type { Member } from '../../src/room/room.ts';
import { streamOf } from '../../src/room/stream.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { randomIds } from '../../src/runtime/ids.ts';
import { createMemoryStore } from '../../src/store/memory.ts';

const chat1 = 'sip:chat-1@example.org';
assert.ok(RoomUri.is(chat1));
const stream = streamOf(roomKey(chat1));
const user = (name: string): MemberUri => {
  const uri = `sip:${name}@example.org`;
  assert.ok(MemberUri.is(uri));
  return uri;
};

const roomOf = (...members: readonly (readonly [name: string, role: Member['role']])[]): FoundRoom => ({
  uri: chat1,
  private: false,
  origin: 'room chat-1',
  members: members.map(([name, role]) => ({ uri: user(name), role, origin: `member ${name}` })),
});

describe('the import of rooms', () => {
  let store: EventStore;
  beforeEach(() => {
    store = createMemoryStore(randomIds());
  });
  const importInto = (into: EventStore, room: FoundRoom) =>
    importRooms({ store: into, clock: systemClock, ids: randomIds(), node: 'test' }, { rooms: [room], left: [] })();
  const room = async () => (await historyOf(store).stateAt(roomKey(chat1), {})).room;

  /** A store whose n-th append, counted from 0, does what is said in its place. */
  const withAppend = (n: number, instead: (events: readonly NewEvent[]) => Promise<AppendFailure | undefined>) => {
    let appends = 0;
    const append: EventStore['append'] = (to, expected, events) => async () => {
      appends += 1;
      const failure = appends - 1 === n ? await instead(events) : undefined;
      return failure === undefined ? store.append(to, expected, events)() : E.left(failure);
    };
    return { ...store, append };
  };

  it("keeps an admin's role although it is broken off between two appends", async () => {
    // The 500th event makes bob a member and ends the first append; the 501st makes him admin.
    const plain = Array.from({ length: 498 }, (_, n) => [`user-${n}`, 'member'] as const);
    const found = roomOf(['alice', 'owner'], ...plain, ['bob', 'admin'], ['carol', 'member']);
    const away = withAppend(1, async () => ({ kind: 'StoreUnavailable', message: 'the disk is gone' }));
    const broken = await importInto(away, found);
    assert.ok(E.isLeft(broken));
    assert.equal(broken.left.message, `${stream}: the disk is gone`);
    assert.equal((await room())?.members.get(memberKey(user('bob')))?.role, 'member');

    const again = await importInto(store, found);
    assert.deepEqual(again, E.right({ rooms: 0, members: 1, already: 500, left: [] }));
    assert.equal((await room())?.members.get(memberKey(user('bob')))?.role, 'admin');
    assert.deepEqual(await importInto(store, found), E.right({ rooms: 0, members: 0, already: 501, left: [] }));
  });

  it('reads a room again that somebody changes meanwhile', async () => {
    const someone = withAppend(0, async () => {
      const event = {
        type: 'RoomCreated',
        data: { room: chat1, owner: user('dave'), private: false, cause: 'create' },
      };
      const made = await store.append(stream, 'no_stream', [{ id: randomIds().uuid(), ...event, metadata: {} }])();
      assert.ok(E.isRight(made));
      return undefined;
    });
    const imported = await importInto(someone, roomOf(['alice', 'owner'], ['bob', 'member']));
    const becomes = `member ${user('alice')} of ${chat1}: owner in the table, becomes admin: the room has another owner`;
    assert.deepEqual(imported, E.right({ rooms: 0, members: 2, already: 0, left: [becomes] }));
    const roles = [...((await room())?.members.values() ?? [])].map(({ uri, role }) => `${uri} ${role}`);
    assert.deepEqual(roles, [`${user('dave')} owner`, `${user('alice')} admin`, `${user('bob')} member`]);
  });

  it('gives up a room that is changed all the time, with a sentence', async () => {
    const wrong: AppendFailure = { kind: 'WrongExpectedRevision', stream, expected: 'no_stream', actual: 7n };
    const busy: EventStore = { ...store, append: () => TE.left(wrong) };
    const imported = await importInto(busy, roomOf(['alice', 'owner']));
    assert.deepEqual(imported, E.left({ message: `${chat1} is being changed all the time; repeat the import.` }));
  });

  it('stops at an event that it does not know', async () => {
    const foreign = { id: randomIds().uuid(), type: 'RoomPainted', data: {}, metadata: {} };
    assert.ok(E.isRight(await store.append(stream, 'no_stream', [foreign])()));
    const imported = await importInto(store, roomOf(['alice', 'owner']));
    assert.ok(E.isLeft(imported));
    assert.match(imported.left.message, /revision 0 of room-chat-1@example.org cannot be read: event type RoomPainted/);
  });
});
