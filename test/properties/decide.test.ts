import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import { memberKey, roomKey } from '../../src/room/address.ts';
import { announce } from '../../src/room/announce.ts';
import type { RoomCommand } from '../../src/room/commands.ts';
import { type Change, decide } from '../../src/room/decide.ts';
import { type RoomEvent, roomEvents } from '../../src/room/events.ts';
import { evolve } from '../../src/room/fold.ts';
import { Refusal } from '../../src/room/refusals.ts';
import { type RoomState, recipientsOf } from '../../src/room/room.ts';
import { anyCommand, anyCommands, anyPolicy, run } from './arbitraries.ts';

/** Any policy, any room that commands can lead to, and one command more. */
const anySituation = fc
  .tuple(anyPolicy, anyCommands, anyCommand)
  .map(([policy, commands, command]) => ({ policy, command, room: run(policy, commands).room }));

const time = '2026-11-23T00:00:00.000Z';

/**
 * How a command ends that comes again after it was done, as a client's repetition does when the answer was lost:
 * `done` again, or refused since the place that it took away is gone.
 */
const secondTime: Readonly<Record<RoomCommand['type'], 'done' | 'refused' | 'either'>> = {
  CreateRoom: 'either', // refused with check_on_create, and to one who is invited to a private room
  JoinRoom: 'done',
  InviteMember: 'done',
  AcceptInvitation: 'done',
  DenyInvitation: 'refused',
  RemoveMember: 'refused',
  ExitRoom: 'refused',
  DestroyRoom: 'refused',
  ListMembers: 'done',
  AddMember: 'refused',
  ShowTopic: 'done',
  SetTopic: 'done',
  ChangeRole: 'either', // refused where the first took away the right to it: hand over, step down
  WithdrawInvitation: 'done',
};

describe('the same command twice appends nothing the second time', () => {
  it('holds for every command; it is done again, or refused, as the table says', () => {
    fc.assert(
      fc.property(anySituation, ({ policy, command, room }) => {
        const first = decide(policy)(command)(room);
        fc.pre(E.isRight(first));
        let after: RoomState = room;
        for (const event of first.right) after = evolve(after, event, time);
        const second = decide(policy)(command)(after);
        const expected = secondTime[command.type];
        if (E.isRight(second)) assert.deepEqual(second.right, []);
        if (expected !== 'either') assert.equal(E.isRight(second) ? 'done' : 'refused', expected);
      }),
      { numRuns: 2000 },
    );
  });
});

/** All of a room that an event may change. */
const seen = (room: RoomState) => (room === undefined ? undefined : [room.topic, ...room.members]);

describe('each accepted command that changes something is one event (none where nothing changes)', () => {
  it('cannot be two events: the second would be told of, and never written', () => {
    const two: [RoomEvent, RoomEvent] extends Change ? true : false = false;
    assert.equal(two, false);
  });
  it('gives at most one event, it changes the room, and its codec knows it', () => {
    fc.assert(
      fc.property(anySituation, ({ policy, command, room }) => {
        const decided = decide(policy)(command)(room);
        if (E.isLeft(decided)) return assert.ok(Refusal.is(decided.left));
        assert.ok(decided.right.length <= 1);
        for (const event of decided.right) {
          assert.ok(roomEvents[event.type].data.is(event.data));
          assert.equal(roomKey(event.data.room), roomKey(command.room));
          const after = evolve(room, event, time);
          assert.notDeepEqual(seen(after), seen(room));
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('events name room and member in the case first seen', () => {
    fc.assert(
      fc.property(anySituation, ({ policy, command, room }) => {
        const decided = decide(policy)(command)(room);
        if (E.isLeft(decided) || room === undefined) return;
        for (const { data } of decided.right) {
          assert.equal(data.room, room.uri);
          if (!('member' in data)) continue;
          assert.equal(data.member, room.members.get(memberKey(data.member))?.uri ?? data.member);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('leaves the room that it looks at as it was', () => {
    fc.assert(
      fc.property(anySituation, ({ policy, command, room }) => {
        const before = structuredClone(room);
        const decided = decide(policy)(command)(room);
        if (E.isRight(decided)) announce(room, command, decided.right, { startChar: '#' });
        assert.deepEqual(room, before);
      }),
    );
  });
});

describe('announcements', () => {
  it('come from the room, reach members, the invited and who is concerned, each once, and no operator', () => {
    fc.assert(
      fc.property(anySituation, ({ policy, command, room }) => {
        const decided = decide(policy)(command)(room);
        if (E.isLeft(decided)) return;
        for (const { from, recipients, kind, text } of announce(room, command, decided.right, { startChar: '#' })) {
          assert.equal(from, room?.uri ?? command.room);
          assert.equal(new Set(recipients.map(memberKey)).size, recipients.length);
          assert.ok(recipients.every((uri) => uri.startsWith('sip:')));
          assert.ok(text.length > 0);
          if (kind !== 'broadcast') assert.equal(recipients.length, 1);
          const known = new Set(room === undefined ? [] : recipientsOf(room).map(memberKey));
          const strangers = recipients.filter((uri) => !known.has(memberKey(uri)));
          assert.ok(strangers.length <= 1, 'who joins, is invited, denies or is removed; nobody else');
        }
      }),
      { numRuns: 1000 },
    );
  });
});
