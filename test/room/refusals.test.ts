import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import type { RoomCommand } from '../../src/room/commands.ts';
import { decide } from '../../src/room/decide.ts';
import type { RoomEvent } from '../../src/room/events.ts';
import type { Malformed, Refusal } from '../../src/room/refusals.ts';
import { reasonOf } from '../../src/room/texts.ts';
import { alice, bob, carol, defaults, invited, joined, made, madePrivate, role, stateOf, to } from './scenario.ts';
import { parsed } from './syntax-world.ts';

type Case = readonly [history: readonly RoomEvent[], command: RoomCommand, checkOnCreate?: boolean];

/** One way to each refusal: the compiler names the one that is missing. */
const refused: Readonly<Record<Refusal['reason'], Case>> = {
  NoSuchRoom: [[], to({ type: 'ExitRoom', actor: alice })],
  NoSuchMember: [[made()], to({ type: 'RemoveMember', actor: alice, member: bob })],
  NotMember: [[made()], to({ type: 'ListMembers', actor: bob })],
  NotInvited: [[made()], to({ type: 'DenyInvitation', actor: bob })],
  NotOwner: [[made(), joined(bob)], to({ type: 'DestroyRoom', actor: bob })],
  NotOwnerOrAdmin: [[made(), joined(bob)], to({ type: 'InviteMember', actor: bob, member: carol })],
  OwnerCannotBeRemoved: [
    [made(), joined(bob), role(bob, 'admin')],
    to({ type: 'RemoveMember', actor: bob, member: alice }),
  ],
  OwnerCannotBeDemoted: [[made()], to({ type: 'ChangeRole', actor: alice, member: alice, role: 'admin' })],
  RoomIsPrivate: [[madePrivate(), invited(bob)], to({ type: 'CreateRoom', actor: bob, private: true })],
  AlreadyMember: [[made(), joined(bob)], to({ type: 'AddMember', actor: alice, member: bob })],
  RoomExists: [[made()], to({ type: 'CreateRoom', actor: bob, private: false }), true],
};

/** One body that leads to each refusal of the grammar; undefined for those that the engine makes. */
const malformed: Readonly<Record<Malformed['reason'], string | undefined>> = {
  UnknownCommand: '#frobnicate\x07\xff',
  MissingCommandName: '#',
  MissingArgument: '#invite',
  TooManyArguments: '#help join me',
  BadArgument: '#modify bob king',
  BadAddress: '#invite <bob',
  TooLong: `#invite ${'b'.repeat(65)}`,
  BadText: '#topic \xff',
  NotARoom: '#create lobby',
  ForeignDomain: '#create chat-1@elsewhere.example',
  RoomNeeded: '#join',
  ManagerTakesNoChat: undefined,
};

/** A Reason-Phrase and a line of chat at once: printable ASCII, one line, not longer than a reader's. */
const isPresentable = (text: string): boolean => /^[ -~]{1,160}$/.test(text);

describe('5. the reasons are one list', () => {
  for (const [reason, [history, command, checkOnCreate = false]] of Object.entries(refused)) {
    it(`${reason} is given, and worded`, () => {
      const decided = decide({ ...defaults, checkOnCreate })(command)(stateOf(history));
      assert.ok(E.isLeft(decided));
      assert.equal(decided.left.reason, reason);
      assert.ok(isPresentable(reasonOf(decided.left, '#')), reasonOf(decided.left, '#'));
    });
  }

  for (const [reason, body] of Object.entries(malformed)) {
    if (body === undefined) continue;
    it(`${reason} is given, and worded`, () => {
      const found = parsed(body, { addressed: 'manager' });
      assert.ok(E.isLeft(found));
      assert.equal(found.left.reason, reason);
      assert.ok(isPresentable(reasonOf(found.left, '#')), reasonOf(found.left, '#'));
    });
  }

  it('words are different for different reasons', () => {
    const left = (found: E.Either<Refusal | Malformed, unknown>) =>
      E.isLeft(found) ? [reasonOf(found.left, '#')] : [];
    const all = [
      ...Object.values(refused).flatMap(([history, command, checkOnCreate = false]) =>
        left(decide({ ...defaults, checkOnCreate })(command)(stateOf(history))),
      ),
      ...Object.values(malformed).flatMap((body) =>
        body === undefined ? [] : left(parsed(body, { addressed: 'manager' })),
      ),
      reasonOf({ reason: 'ManagerTakesNoChat' }, '#'),
    ];
    assert.equal(new Set(all).size, Object.keys(refused).length + Object.keys(malformed).length);
  });

  it('what somebody wrote is escaped and cut: no control character, no line end, not too long', () => {
    const evil = `\r\nVia: x\x00\x1b[31m\u{1f600}\ud800${'a'.repeat(500)}`;
    const all: readonly Malformed[] = [
      { reason: 'UnknownCommand', name: evil },
      { reason: 'BadArgument', command: 'modify', argument: 'the role', found: evil, allowed: 'owner' },
      { reason: 'BadAddress', found: evil },
      { reason: 'NotARoom', found: evil },
      { reason: 'ForeignDomain', found: evil },
    ];
    for (const refusal of all) assert.ok(isPresentable(reasonOf(refusal, '#')), refusal.reason);
    assert.match(reasonOf({ reason: 'BadAddress', found: 'a\r\nb\u00e9' }, '#'), /^a%0D%0Ab%C3%A9 is/);
  });
});
