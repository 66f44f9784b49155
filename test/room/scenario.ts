import assert from 'node:assert/strict';
import * as E from 'fp-ts/lib/Either.js';
import { type Actor, Operator } from '../../src/room/actor.ts';
import { MemberUri, RoomUri } from '../../src/room/address.ts';
import { announce } from '../../src/room/announce.ts';
import type { RoomCommand } from '../../src/room/commands.ts';
import { type Change, decide, type Policy } from '../../src/room/decide.ts';
import type { RoomEvent } from '../../src/room/events.ts';
import { fold } from '../../src/room/fold.ts';
import type { Refusal } from '../../src/room/refusals.ts';
import type { RoomState } from '../../src/room/room.ts';

/** The words that the domain's tests are written in: given(events).when(command).then(events). */

export const member = (text: string): MemberUri => {
  assert.ok(MemberUri.is(text), `${text} is no member's URI`);
  return text;
};
export const roomUri = (text: string): RoomUri => {
  assert.ok(RoomUri.is(text), `${text} is no room's URI`);
  return text;
};
const operator = (text: string): Operator => {
  assert.ok(Operator.is(text), `${text} is no operator`);
  return text;
};

export const chat1 = roomUri('sip:chat-1@example.org');
export const alice = member('sip:alice@example.org');
export const bob = member('sip:bob@example.org');
export const carol = member('sip:carol@example.org');
export const dave = member('sip:dave@example.org');
export const root = operator('operator:root');
export const imcd = operator('operator:imcd');

export const time = '2026-11-22T14:00:00.000Z';

/** Events of chat-1. */
export const made = (owner: MemberUri = alice): RoomEvent => ({
  type: 'RoomCreated',
  data: { room: chat1, owner, private: false, cause: 'create' },
});
export const madePrivate = (owner: MemberUri = alice): RoomEvent => ({
  type: 'RoomCreated',
  data: { room: chat1, owner, private: true, cause: 'create' },
});
export const joined = (who: MemberUri): RoomEvent => ({ type: 'MemberJoined', data: { room: chat1, member: who } });
export const invited = (who: MemberUri, by: Actor = alice): RoomEvent => ({
  type: 'MemberInvited',
  data: { room: chat1, member: who, by },
});
export const accepted = (who: MemberUri): RoomEvent => ({
  type: 'InvitationAccepted',
  data: { room: chat1, member: who },
});
export const deniedBy = (who: MemberUri, inviter: Actor = alice): RoomEvent => ({
  type: 'InvitationDenied',
  data: { room: chat1, member: who, inviter },
});
export const added = (who: MemberUri, by: Actor = alice): RoomEvent => ({
  type: 'MemberAdded',
  data: { room: chat1, member: who, by },
});
export const removed = (who: MemberUri, by: Actor = alice): RoomEvent => ({
  type: 'MemberRemoved',
  data: { room: chat1, member: who, by },
});
export const exited = (who: MemberUri): RoomEvent => ({ type: 'MemberExited', data: { room: chat1, member: who } });
export const role = (who: MemberUri, to: 'owner' | 'admin' | 'member', by: Actor = alice): RoomEvent => ({
  type: 'RoleChanged',
  data: { room: chat1, member: who, role: to, by },
});
export const topic = (text: string, by: Actor = alice): RoomEvent => ({
  type: 'TopicChanged',
  data: { room: chat1, topic: text, by },
});
export const destroyed = (by: Actor = alice, cause: 'exit' | 'destroy' = 'destroy'): RoomEvent => ({
  type: 'RoomDestroyed',
  data: { room: chat1, by, cause },
});
export const withdrawn = (
  who: MemberUri,
  {
    by = alice,
    inviter = alice,
    cause = 'removed',
  }: Partial<{ by: Actor; inviter: Actor; cause: 'removed' | 'undeliverable' }> = {},
): RoomEvent => ({ type: 'InvitationWithdrawn', data: { room: chat1, member: who, inviter, by, cause } });

type Without<C> = C extends RoomCommand ? Omit<C, 'room'> : never;
/** A command to chat-1. */
export const to = (command: Without<RoomCommand>): RoomCommand => ({ room: chat1, ...command });

export const defaults: Policy = { createOnJoin: true, checkOnCreate: false };

export const stateOf = (events: readonly RoomEvent[]): RoomState =>
  fold(
    undefined,
    events.map((event) => ({ event, time })),
  );

/** Who is told what, a line each: `alice, bob < text`. All of it comes from the room, which is checked here. */
const told = (room: RoomState, command: RoomCommand, change: Change): readonly string[] =>
  announce(room, command, change, { startChar: '#' }).map(({ from, recipients, text }) => {
    assert.equal(from, room?.uri ?? command.room);
    return `${recipients.map((uri) => uri.slice(4, uri.indexOf('@'))).join(', ')} < ${text}`;
  });

export const given = (...history: readonly RoomEvent[]) => ({
  when: (command: Without<RoomCommand>, policy: Partial<Policy> = {}) => {
    const room = stateOf(history);
    const asked = to(command);
    const decided = decide({ ...defaults, ...policy })(asked)(room);
    const announcements = E.isRight(decided) ? told(room, asked, decided.right) : [];
    /** And these are told, in this order; nobody else is. */
    const telling = { andTells: (...lines: readonly string[]) => assert.deepEqual(announcements, lines) };
    return {
      // biome-ignore lint/suspicious/noThenProperty: the vocabulary of behaviour tests; nobody awaits this
      then: (...events: readonly RoomEvent[]) => {
        assert.deepEqual(decided, E.right(events));
        return telling;
      },
      thenNothing: () => {
        assert.deepEqual(decided, E.right([]));
        return telling;
      },
      thenRefused: (reason: Refusal['reason'], data: object = {}) =>
        assert.deepEqual(decided, E.left({ reason, ...data })),
    };
  },
});
