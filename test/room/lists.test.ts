import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RoomEvent } from '../../src/room/events.ts';
import { fold } from '../../src/room/fold.ts';
import type { Room } from '../../src/room/room.ts';
import { help, roomList } from '../../src/room/texts.ts';
import {
  accepted,
  added,
  alice,
  bob,
  carol,
  dave,
  given,
  invited,
  joined,
  made,
  madePrivate,
  role,
  roomUri,
  stateOf,
} from './scenario.ts';

const listing = (...lines: readonly string[]): string => ['Members:', ...lines].join('\n');

describe('list [ROOM] | member (not invited-only) | none', () => {
  const list = (actor: typeof alice) => ({ type: 'ListMembers', actor }) as const;

  it('`Members:` then a line each, `*` before the owner, `~` before an admin, no newline after the last', () => {
    given(made(), joined(bob), joined(carol), role(carol, 'admin'))
      .when(list(bob))
      .thenNothing()
      .andTells(`bob < ${listing('*sip:alice@example.org', 'sip:bob@example.org', '~sip:carol@example.org')}`);
  });

  it('owner first, then in the order of joining, invited ones not shown', () => {
    given(made(), invited(dave), joined(bob), invited(carol), accepted(dave), role(bob, 'owner'))
      .when(list(alice))
      .thenNothing()
      .andTells(`alice < ${listing('*sip:bob@example.org', '~sip:alice@example.org', 'sip:dave@example.org')}`);
  });

  it('one who is added stands where members who join now stand', () => {
    given(made(), invited(bob), joined(carol), added(bob))
      .when(list(alice))
      .thenNothing()
      .andTells(`alice < ${listing('*sip:alice@example.org', 'sip:carol@example.org', 'sip:bob@example.org')}`);
  });

  it('is refused 403 to the invited and to strangers, 404 without a room', () => {
    given(made(), invited(bob)).when(list(bob)).thenRefused('NotMember');
    given(made()).when(list(bob)).thenRefused('NotMember');
    given().when(list(bob)).thenRefused('NoSuchRoom');
  });
});

describe('rooms (public rooms, and the private ones the sender is in)', () => {
  const room = (name: string, ...events: readonly RoomEvent[]): Room => {
    const uri = roomUri(`sip:${name}@example.org`);
    const state = stateOf(events);
    assert.ok(state !== undefined);
    return { ...state, uri };
  };
  const rooms = [
    room('chat-001', made(), joined(bob), invited(dave), joined(carol)),
    room('chat-002', madePrivate(), invited(dave)),
    room('chat-003', made()),
  ];

  it('`Rooms:` then a line each, the number of members after the URI, ` private` after that for a private one', () => {
    const lines = [
      'Rooms:',
      'sip:chat-001@example.org 3',
      'sip:chat-002@example.org 1 private',
      'sip:chat-003@example.org 1',
    ];
    assert.equal(roomList(rooms, alice), lines.join('\n'));
  });

  it('hides private rooms from strangers and from those who are only invited', () => {
    const lines = ['Rooms:', 'sip:chat-001@example.org 3', 'sip:chat-003@example.org 1'];
    assert.equal(roomList(rooms, bob), lines.join('\n'));
    assert.equal(roomList(rooms, dave), lines.join('\n'));
  });

  it('is a heading where there is none', () => assert.equal(roomList([], alice), 'Rooms:'));
});

describe('help | anyone | to sender: the commands, one a line, with the configured start character', () => {
  it('has a line for each command of the behaviour page', () => {
    const commands = 'create join invite add accept deny remove modify list topic rooms exit destroy help';
    const lines = help('!').split('\n');
    assert.deepEqual(lines.map((line) => /^!([a-z]+)/.exec(line)?.[1]).toSorted(), commands.split(' ').toSorted());
    assert.doesNotMatch(help('!'), /#/);
    for (const alias of ['!reject', '!leave', '!members']) assert.ok(help('!').includes(alias), alias);
  });
  it("with a command's name, its parameters and one sentence", () => {
    assert.equal(
      help('!', 'modify'),
      '!modify USER owner|admin|member [ROOM]\n' +
        'The owner and admins give a member a role; only the owner makes another the owner, and becomes an admin.',
    );
    assert.equal(
      help('!', 'exit'),
      '!exit [ROOM] (also !leave)\nYou leave the room; when its owner leaves, the room is destroyed.',
    );
  });
});

describe('the fold that the lists are made from', () => {
  it('keeps when each place began', () => {
    const at = (minute: string) => `2026-11-22T14:${minute}:00.000Z`;
    const events = [made(), invited(bob), joined(carol), accepted(bob), role(bob, 'admin')];
    const state = fold(
      undefined,
      events.map((event, i) => ({ event, time: at(`0${i}`) })),
    );
    assert.deepEqual(
      [...(state?.members.values() ?? [])].map(({ uri, since }) => [uri, since]),
      [
        [alice, at('00')],
        [carol, at('02')],
        [bob, at('03')],
      ],
    );
  });
});
