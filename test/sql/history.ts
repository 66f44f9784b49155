import { randomUUID } from 'node:crypto';
import * as E from 'fp-ts/lib/Either.js';
import type { EventStore } from '../../src/ports/event-store.ts';
import { MemberUri, memberKey, RoomUri, roomKey } from '../../src/room/address.ts';
import type { RoomEvent } from '../../src/room/events.ts';
import { applyInPlace } from '../../src/room/fold.ts';
import type { Room, RoomState } from '../../src/room/room.ts';
import { streamOf } from '../../src/room/stream.ts';

/** Histories of rooms for the tests of the mirror: made up event by event, each possible after the one before. */

export const roomUri = (text: string): RoomUri => {
  if (RoomUri.is(text)) return text;
  throw new Error(`${text} is no room's URI`);
};
export const memberUri = (text: string): MemberUri => {
  if (MemberUri.is(text)) return text;
  throw new Error(`${text} is no user's URI`);
};

export const roomCreated = (room: RoomUri, owner: MemberUri, isPrivate = false): RoomEvent => ({
  type: 'RoomCreated',
  data: { room, owner, private: isPrivate, cause: 'create' },
});
export const memberJoined = (room: RoomUri, member: MemberUri): RoomEvent => ({
  type: 'MemberJoined',
  data: { room, member },
});
export const memberExited = (room: RoomUri, member: MemberUri): RoomEvent => ({
  type: 'MemberExited',
  data: { room, member },
});

/** Appends events, one by one, each to its room's stream. */
export const append = async (store: EventStore, ...events: readonly RoomEvent[]): Promise<void> => {
  for (const event of events) await appendTo(store, event);
};

const appendTo = async (store: EventStore, { type, data }: RoomEvent): Promise<void> => {
  const stream = streamOf(roomKey(data.room));
  const last = await store.lastRevision(stream)();
  if (E.isLeft(last)) throw new Error(last.left.message);
  const metadata = {
    $correlationId: 'test',
    $causationId: 'test',
    version: 1,
    actor: 'operator:test',
    source: 'test',
    node: 'test',
    time: new Date().toISOString(),
  };
  const done = await store.append(stream, last.right ?? 'no_stream', [{ id: randomUUID(), type, data, metadata }])();
  if (E.isLeft(done)) throw new Error(`${done.left.kind}`);
};

/** Numbers from 0 up to `below`, always the same for a seed (mulberry32). */
export type Dice = (below: number) => number;

export const diceOf = (seed: number): Dice => {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
};

/** An endless history of `rooms` rooms with up to `users` users: everything that can happen, in any order that can be. */
export function* randomHistory(dice: Dice, rooms = 5, users = 8): Generator<RoomEvent> {
  const states: RoomState[] = Array.from({ length: rooms }, () => undefined);
  for (;;) {
    const n = dice(rooms);
    const event = possible(dice, roomUri(`sip:Chat-${n}@imc.test`), states[n], users);
    states[n] = applyInPlace(states[n], event, new Date(0).toISOString());
    yield event;
  }
}

const possible = (dice: Dice, room: RoomUri, state: RoomState, users: number): RoomEvent => {
  const someone = memberUri(`sip:User${dice(users)}@${dice(2) === 0 ? 'imc.test' : 'example.org'}`);
  if (state === undefined) return roomCreated(room, someone, dice(3) === 0);
  const place = state.members.get(memberKey(someone));
  const by = 'operator:test' as never;
  if (place === undefined) {
    const events: readonly RoomEvent[] = [
      memberJoined(room, someone),
      { type: 'MemberInvited', data: { room, member: someone, by } },
      { type: 'MemberAdded', data: { room, member: someone, by } },
    ];
    return events[dice(events.length)] ?? memberJoined(room, someone);
  }
  const { uri: member } = place;
  if (place.role === 'invited') {
    const events: readonly RoomEvent[] = [
      { type: 'InvitationAccepted', data: { room, member } },
      { type: 'InvitationDenied', data: { room, member, inviter: by } },
      { type: 'InvitationWithdrawn', data: { room, member, inviter: by, by, cause: 'undeliverable' } },
      { type: 'MemberAdded', data: { room, member, by } },
    ];
    return events[dice(events.length)] ?? memberExited(room, member);
  }
  return ofMember(dice, state, member);
};

const ofMember = (dice: Dice, { uri: room, owner, members }: Room, member: MemberUri): RoomEvent => {
  const by = 'operator:test' as never;
  if (memberKey(member) === owner) {
    return { type: 'RoomDestroyed', data: { room, by, cause: dice(2) === 0 ? 'exit' : 'destroy' } };
  }
  const isAdmin = members.get(memberKey(member))?.role === 'admin';
  const events: readonly RoomEvent[] = [
    memberExited(room, member),
    { type: 'MemberRemoved', data: { room, member, by } },
    { type: 'RoleChanged', data: { room, member, role: isAdmin ? 'member' : 'admin', by } },
    { type: 'RoleChanged', data: { room, member, role: 'owner', by } },
    { type: 'TopicChanged', data: { room, topic: member, by } },
  ];
  return events[dice(events.length)] ?? memberExited(room, member);
};
