import fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import { type Actor, Operator } from '../../src/room/actor.ts';
import { type MemberKey, MemberUri, memberKey, RoomUri } from '../../src/room/address.ts';
import type { RoomCommand } from '../../src/room/commands.ts';
import { decide, type Policy } from '../../src/room/decide.ts';
import { type RoomEvent, roomEvents } from '../../src/room/events.ts';
import { applyInPlace } from '../../src/room/fold.ts';
import { Enrolled, Member, type Room, RoomProperties, type RoomState } from '../../src/room/room.ts';
import { arbitraryOf, type BrandArbitraries } from './codec-arbitrary.ts';

/** Objects as JSON.parse makes them: fast-check's own have no prototype at times. */
const record = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record<T>(model, { noNullPrototype: true });

/** Few users, in more than one case, so that they meet. */
const users = ['alice', 'Alice', 'bob', 'carol', 'CAROL', 'dave'].map((user) => `sip:${user}@example.org`);

const escaped = (byte: number): string => {
  const char = String.fromCharCode(byte);
  if (/[A-Za-z0-9\-_.!~*'()&=+$,;?/]/.test(char)) return char;
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
};
const anyUser = fc.array(fc.nat(255), { minLength: 1, maxLength: 20 }).map((bytes) => bytes.map(escaped).join(''));
const anyDomain = fc.constantFrom('example.org', 'X.org', '127.0.0.1', '[::1]', '[2001:DB8::7]', 'localhost');

/** Any canonical URI that the limits allow. */
export const anyMember: fc.Arbitrary<MemberUri> = fc
  .tuple(anyUser, anyDomain)
  .map(([user, domain]) => `sip:${user}@${domain}`)
  .filter(MemberUri.is);
export const anyRoom: fc.Arbitrary<RoomUri> = fc
  .tuple(anyUser, anyDomain)
  .map(([user, domain]) => `sip:${user}@${domain}`)
  .filter(RoomUri.is);

export const someone: fc.Arbitrary<MemberUri> = fc.constantFrom(...users.filter(MemberUri.is));
const room: fc.Arbitrary<RoomUri> = fc.constantFrom(
  ...['sip:chat-1@example.org', 'sip:Chat-1@Example.org'].filter(RoomUri.is),
);
const operator: fc.Arbitrary<Operator> = fc.constantFrom(...['operator:root', 'operator:imcd'].filter(Operator.is));
const actor: fc.Arbitrary<Actor> = fc.oneof({ weight: 5, arbitrary: someone }, { weight: 1, arbitrary: operator });
const role = fc.constantFrom('owner', 'admin', 'member');
const scheme = fc.option(record({ scheme: fc.constant('sips' as const) }), { nil: {} });
const is = <T extends string>(type: T) => fc.constant(type);

const with_ = <A extends object, B extends object>(a: fc.Arbitrary<A>, b: fc.Arbitrary<B>) =>
  fc.tuple(a, b).map(([left, right]): A & B => ({ ...left, ...right }));

/** Few topics, so that one is set again; and some that nobody would. */
const topic = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('', 'lunch', ' two  blanks ') },
  fc.string({ unit: 'binary' }),
);

type Asked<T extends RoomCommand['type']> = Extract<RoomCommand, { type: T }>;

/** Commands to one room, spelled in two ways. A type without a row does not compile. */
const commands: { readonly [T in RoomCommand['type']]: fc.WeightedArbitrary<Asked<T>> } = {
  CreateRoom: {
    weight: 1,
    arbitrary: with_(record({ type: is('CreateRoom'), room, actor: someone, private: fc.boolean() }), scheme),
  },
  JoinRoom: { weight: 3, arbitrary: with_(record({ type: is('JoinRoom'), room, actor: someone }), scheme) },
  InviteMember: {
    weight: 3,
    arbitrary: with_(record({ type: is('InviteMember'), room, actor, member: someone }), scheme),
  },
  AcceptInvitation: {
    weight: 2,
    arbitrary: with_(record({ type: is('AcceptInvitation'), room, actor: someone }), scheme),
  },
  DenyInvitation: { weight: 1, arbitrary: record({ type: is('DenyInvitation'), room, actor: someone }) },
  RemoveMember: { weight: 1, arbitrary: record({ type: is('RemoveMember'), room, actor, member: someone }) },
  ExitRoom: { weight: 1, arbitrary: record({ type: is('ExitRoom'), room, actor: someone }) },
  DestroyRoom: { weight: 1, arbitrary: record({ type: is('DestroyRoom'), room, actor }) },
  ListMembers: { weight: 1, arbitrary: record({ type: is('ListMembers'), room, actor: someone }) },
  AddMember: { weight: 2, arbitrary: with_(record({ type: is('AddMember'), room, actor, member: someone }), scheme) },
  ChangeRole: { weight: 3, arbitrary: record({ type: is('ChangeRole'), room, actor, member: someone, role }) },
  ShowTopic: { weight: 1, arbitrary: record({ type: is('ShowTopic'), room, actor: someone }) },
  SetTopic: { weight: 2, arbitrary: record({ type: is('SetTopic'), room, actor, topic }) },
  WithdrawInvitation: {
    weight: 1,
    arbitrary: record({ type: is('WithdrawInvitation'), room, actor: operator, member: someone }),
  },
};
export const anyCommand: fc.Arbitrary<RoomCommand> = fc.oneof(...Object.values(commands));
export const anyCommands = fc.array(anyCommand, { maxLength: 60 });

export const anyPolicy: fc.Arbitrary<Policy> = record({ createOnJoin: fc.boolean(), checkOnCreate: fc.boolean() });

export interface Fact {
  readonly event: RoomEvent;
  readonly time: string;
}

/** What commands lead to, one after the other: the events, and the room at their end. */
export const run = (
  policy: Policy,
  commands: readonly RoomCommand[],
): { readonly facts: readonly Fact[]; readonly room: RoomState } => {
  const facts: Fact[] = [];
  let state: RoomState;
  for (const [i, command] of commands.entries()) {
    const decided = decide(policy)(command)(state);
    if (E.isLeft(decided)) continue;
    const time = new Date(Date.UTC(2026, 10, 22) + i * 1000).toISOString();
    for (const event of decided.right) {
      facts.push({ event, time });
      state = applyInPlace(state, event, time);
    }
  }
  return { facts, room: state };
};

const brands: BrandArbitraries = { RoomUri: anyRoom, MemberUri: anyMember, Operator: operator };

const isRoomEvent = (event: { readonly type: string; readonly data: unknown }): event is RoomEvent =>
  Object.entries(roomEvents).some(([type, row]) => type === event.type && row.data.is(event.data));

/** Any event that the table knows, whether or not a room could have it. */
export const anyEvent: fc.Arbitrary<RoomEvent> = fc
  .oneof(
    ...Object.entries(roomEvents).map(([type, { data }]) =>
      record({ type: fc.constant(type), data: arbitraryOf(data, brands) }),
    ),
  )
  .filter(isRoomEvent);

const anyOwner = arbitraryOf(Enrolled, brands).map((member): Enrolled => ({ ...member, role: 'owner' }));
const anyOther = arbitraryOf(Member, brands).filter(({ role }) => role !== 'owner');

/** Any living room: every field of the room's codecs there or absent, whether or not events could lead to it. */
export const anyLivingRoom: fc.Arbitrary<Room> = fc
  .tuple(arbitraryOf(RoomProperties, brands), anyOwner, fc.array(anyOther), fc.array(anyOther))
  .map(([properties, owner, before, after]) => {
    const members = new Map(before.map((member): [MemberKey, Member] => [memberKey(member.uri), member]));
    members.set(memberKey(owner.uri), owner);
    for (const member of after) if (!members.has(memberKey(member.uri))) members.set(memberKey(member.uri), member);
    return { ...properties, owner: memberKey(owner.uri), members };
  });
