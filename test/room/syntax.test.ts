import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import type { Command } from '../../src/room/commands.ts';
import type { SyntaxContext } from '../../src/room/parameters.ts';
import type { Malformed } from '../../src/room/refusals.ts';
import { isCommand } from '../../src/room/syntax.ts';
import { reasonOf } from '../../src/room/texts.ts';
import { alice, bob, chat1, member, roomUri } from './scenario.ts';
import { bytes, parsed } from './syntax-world.ts';

const chat2 = roomUri('sip:chat-2@example.org');

const reads = (body: string, command: Command, change: Partial<SyntaxContext> = {}): void =>
  assert.deepEqual(parsed(body, change), E.right(command), JSON.stringify(body));
const refuses = (body: string, refusal: Malformed, change: Partial<SyntaxContext> = {}): void =>
  assert.deepEqual(parsed(body, change), E.left(refusal), JSON.stringify(body));

describe('A body whose first character is imc_cmd_start_char is a command; anything else is a chat message', () => {
  it('looks at the first byte alone', () => {
    assert.ok(isCommand(bytes('#help'), '#'));
    assert.ok(isCommand(bytes('#'), '#'));
    assert.ok(isCommand(bytes('!help'), '!'));
    for (const chat of ['', ' #help', 'help', '!help', '\xff#']) assert.ok(!isCommand(bytes(chat), '#'), chat);
  });
});

describe('One line: the command ends at the first CR or LF or at the end of the body', () => {
  const list = { type: 'ListMembers', room: chat1, actor: alice } as const;
  it('reads no further', () => {
    for (const body of ['#list', '#list\n', '#list\r\n', '#list\rnonsense', '#list\nchat-2 more', '#list \t\n'])
      reads(body, list);
  });
  it('Words are separated by spaces or tabs', () => {
    reads('#invite\tbob \t chat-2  ', { type: 'InviteMember', room: chat2, actor: alice, member: bob });
  });
  it('other blanks separate nothing', () => {
    refuses('#list\x0bchat-2', { reason: 'UnknownCommand', name: 'list\x0bchat-2' });
    refuses('#list\xa0chat-2', { reason: 'UnknownCommand', name: 'list%A0chat-2' });
  });
});

describe('Command names are matched without regard to case. A start character followed by nothing is a malformed command', () => {
  it('matches', () => {
    for (const body of ['#LIST', '#List', '#MEMBERS']) reads(body, { type: 'ListMembers', room: chat1, actor: alice });
  });
  it('`#` and `# list` are malformed', () => {
    for (const body of ['#', '# ', '# list', '#\tlist', '#\r\nlist', '#\n'])
      refuses(body, { reason: 'MissingCommandName' });
  });
});

describe("Unknown command: `invalid command 'NAME' - send '#help' for details`, with the configured start character", () => {
  it('names it as written', () => {
    const found = parsed('!Frob chat-1', { startChar: '!' });
    assert.ok(E.isLeft(found));
    assert.equal(reasonOf(found.left, '!'), "invalid command 'Frob' - send '!help' for details");
  });
  it('knows no command of JavaScript', () => {
    for (const name of ['constructor', '__proto__', 'tostring'])
      refuses(`#${name}`, { reason: 'UnknownCommand', name });
  });
});

describe('More words than the command takes, or more than 5: 400', () => {
  it('counts', () => {
    refuses('#help join me', { reason: 'TooManyArguments', command: 'help', most: 1 });
    refuses('#rooms all', { reason: 'TooManyArguments', command: 'rooms', most: 0 });
    refuses('#leave chat-1 now', { reason: 'TooManyArguments', command: 'leave', most: 1 });
    refuses('#invite bob chat-1 now', { reason: 'TooManyArguments', command: 'invite', most: 2 });
    refuses('#create chat-1 private now', { reason: 'TooManyArguments', command: 'create', most: 2 });
    refuses('#modify bob admin chat-1 now', { reason: 'TooManyArguments', command: 'modify', most: 3 });
    refuses(`#join${' a'.repeat(30_000)}`, { reason: 'TooManyArguments', command: 'join', most: 1 });
  });
});

describe('each command, its arguments and aliases', () => {
  const actor = alice;
  const sips = { scheme: 'sips' } as const;
  it('create NAME [private]', () => {
    reads('#create chat-2', { type: 'CreateRoom', room: chat2, actor, private: false });
    reads('#create chat-2 PRIVATE', { type: 'CreateRoom', room: chat2, actor, private: true });
    reads('#create chat-2', { type: 'CreateRoom', room: chat2, actor, private: false, scheme: 'sips' }, sips);
    refuses('#create', { reason: 'MissingArgument', command: 'create', argument: "the room's name" });
    refuses('#create chat-2 secret', {
      reason: 'BadArgument',
      command: 'create',
      argument: 'the second argument',
      found: 'secret',
      allowed: 'private',
    });
  });
  it('join, accept, deny, exit, destroy, list [ROOM]', () => {
    for (const [name, type] of [
      ['join', 'JoinRoom'],
      ['accept', 'AcceptInvitation'],
      ['deny', 'DenyInvitation'],
      ['reject', 'DenyInvitation'],
      ['exit', 'ExitRoom'],
      ['leave', 'ExitRoom'],
      ['destroy', 'DestroyRoom'],
      ['list', 'ListMembers'],
      ['members', 'ListMembers'],
    ] as const) {
      reads(`#${name}`, { type, room: chat1, actor });
      reads(`#${name} chat-2`, { type, room: chat2, actor }, { addressed: 'manager' });
    }
  });
  it('sips: of the sender is remembered by what makes a member', () => {
    reads('#join', { type: 'JoinRoom', room: chat1, actor, scheme: 'sips' }, sips);
    reads('#accept', { type: 'AcceptInvitation', room: chat1, actor, scheme: 'sips' }, sips);
    reads('#list', { type: 'ListMembers', room: chat1, actor }, sips);
  });
  it('invite, add, remove USER [ROOM]', () => {
    for (const [name, type] of [
      ['invite', 'InviteMember'],
      ['add', 'AddMember'],
      ['remove', 'RemoveMember'],
    ] as const) {
      reads(`#${name} bob`, { type, room: chat1, actor, member: bob });
      reads(`#${name} sip:bob@example.org sip:chat-2@example.org`, { type, room: chat2, actor, member: bob });
      refuses(`#${name}`, { reason: 'MissingArgument', command: name, argument: 'a user' });
    }
    reads('#invite sips:bob@x.org', {
      type: 'InviteMember',
      room: chat1,
      actor,
      member: member('sip:bob@x.org'),
      scheme: 'sips',
    });
    reads('#remove sips:bob@x.org', { type: 'RemoveMember', room: chat1, actor, member: member('sip:bob@x.org') });
  });
  it('modify USER owner|admin|member [ROOM]', () => {
    for (const role of ['owner', 'admin', 'member'] as const) {
      reads(`#modify bob ${role.toUpperCase()}`, { type: 'ChangeRole', room: chat1, actor, member: bob, role });
      reads(`#modify bob ${role} chat-2`, { type: 'ChangeRole', room: chat2, actor, member: bob, role });
    }
    refuses('#modify', { reason: 'MissingArgument', command: 'modify', argument: 'a user and a role' });
    refuses('#modify bob', {
      reason: 'MissingArgument',
      command: 'modify',
      argument: 'a role: owner, admin or member',
    });
    refuses('#modify bob invited', {
      reason: 'BadArgument',
      command: 'modify',
      argument: 'the role',
      found: 'invited',
      allowed: 'owner, admin or member',
    });
  });
  it('rooms, help', () => {
    reads('#rooms', { type: 'ListRooms', actor }, { addressed: 'manager' });
    reads('#Help', { type: 'Help', actor }, { addressed: 'manager' });
  });
  it('help [WORD]: a name or an alias, in any case, the start character before it or not', () => {
    for (const word of ['exit', 'LEAVE', '#exit', '#Leave'])
      reads(`#help ${word}`, { type: 'Help', actor, about: 'exit' });
    reads('!help !join', { type: 'Help', actor, about: 'join' }, { startChar: '!' });
  });
  it('help of a WORD that is no command is refused as that command would be', () => {
    for (const [word, name] of [
      ['me', 'me'],
      ['#me', 'me'],
      ['##join', '#join'],
      ['#', ''],
      ['constructor', 'constructor'],
      ['x'.repeat(100), 'x'.repeat(80)],
    ] as const)
      refuses(`#help ${word}`, { reason: 'UnknownCommand', name });
  });
});

describe('topic [TEXT]: the rest of the line, UTF-8, blanks kept', () => {
  const set = (topic: string) => ({ type: 'SetTopic', room: chat1, actor: alice, topic }) as const;
  /** A body in UTF-8. */
  const utf8 = (text: string) => Buffer.from(text).toString('latin1');

  it('the name alone asks', () => {
    for (const body of ['#topic', '#TOPIC\r\n', '#topic\nlunch'])
      reads(body, { type: 'ShowTopic', room: chat1, actor: alice });
  });
  it('one blank separates, the rest is the text as it stands', () => {
    reads('#topic lunch', set('lunch'));
    reads('#topic\tlunch', set('lunch'));
    reads('#topic  two  blanks\tand a tab \r\nmore', set(' two  blanks\tand a tab '));
    reads('#topic #list', set('#list'));
    reads('#topic one two three four five six seven', set('one two three four five six seven'));
    reads('#topic "quoted"', set('"quoted"'));
  });
  it('is UTF-8', () => {
    for (const topic of ['\u00fcber', '\u043e\u0431\u0435\u0434', '\u{1f355}\u200d', '\ufefflunch'])
      reads(utf8(`#topic ${topic}`), set(topic));
    for (const bad of ['\xff', 'caf\xe9', '\xc3', '\xed\xa0\x80', '\xc0\xaf', 'x\xf5\x80\x80\x80'])
      refuses(`#topic ${bad}`, { reason: 'BadText', what: 'The topic', holds: 'NotUtf8' });
  });
  it('nothing or only blanks after the blank, or `""`, takes it away', () => {
    for (const text of ['', ' ', ' \t  ', '""', ' "" ', ' '.repeat(10_000)]) reads(`#topic ${text}\r\n`, set(''));
  });
  it('at most 256 bytes', () => {
    reads(utf8(`#topic ${'\u00fc'.repeat(128)}`), set('\u00fc'.repeat(128)));
    const tooLong = (found: number) =>
      ({ reason: 'TooLong', what: 'The topic', found, most: 256, unit: 'bytes' }) as const;
    refuses(utf8(`#topic ${'\u00fc'.repeat(128)}x`), tooLong(257));
    refuses(`#topic ${'x'.repeat(60_000)}`, tooLong(60_000));
  });
  it('control characters but the tab are refused, and what breaks a line', () => {
    for (const bad of ['\0', '\x1b[2J', '\x0b', '\x7f', '\u0085', '\u2028', '\u2029'])
      refuses(utf8(`#topic a${bad}b`), { reason: 'BadText', what: 'The topic', holds: 'ControlCharacter' });
  });
  it('sent to the manager is malformed (400)', () => {
    for (const body of ['#topic', '#topic ', '#topic lunch', '#topic chat-2'])
      refuses(body, { reason: 'RoomNeeded', command: 'topic' }, { addressed: 'manager' });
  });
});

describe('which room', () => {
  it('sent to the manager without a room argument is malformed (400): the manager is no room', () => {
    for (const command of ['join', 'accept', 'deny', 'exit', 'destroy', 'list'])
      refuses(`#${command}`, { reason: 'RoomNeeded', command }, { addressed: 'manager' });
    for (const command of ['invite', 'add', 'remove'])
      refuses(`#${command} bob`, { reason: 'RoomNeeded', command }, { addressed: 'manager' });
    refuses('#modify bob admin', { reason: 'RoomNeeded', command: 'modify' }, { addressed: 'manager' });
  });
  it("A room's name must match the routing rule and its domain must be one of `domains`; else 400", () => {
    for (const command of ['create', 'join', 'invite bob']) {
      refuses(`#${command} lobby`, { reason: 'NotARoom', found: 'lobby' });
      refuses(`#${command} chat-manager`, { reason: 'NotARoom', found: 'chat-manager' });
      refuses(`#${command} chat-1@elsewhere`, { reason: 'ForeignDomain', found: 'elsewhere' });
    }
    reads('#join chat-3@[::1]', { type: 'JoinRoom', room: roomUri('sip:chat-3@[::1]'), actor: alice });
    reads('#join chat-3@EXAMPLE.org', { type: 'JoinRoom', room: roomUri('sip:chat-3@EXAMPLE.org'), actor: alice });
  });
  it('escapes are undone: `chat%2d1` is `chat-1`', () => {
    reads('#join chat%2d1', { type: 'JoinRoom', room: chat1, actor: alice });
    reads('#invite a%6Ena', {
      type: 'InviteMember',
      room: chat1,
      actor: alice,
      member: member('sip:anna@example.org'),
    });
  });
  it('bytes beyond ASCII keep their identity, UTF-8 or not', () => {
    const invited = (user: string) =>
      ({ type: 'InviteMember', room: chat1, actor: alice, member: member(`sip:${user}@example.org`) }) as const;
    reads('#invite j\xc3\xb6rg', invited('j%C3%B6rg'));
    reads('#invite j%c3%b6rg', invited('j%C3%B6rg'));
    reads('#invite j\xf6rg', invited('j%F6rg'));
    refuses('#invite bob\0', { reason: 'BadAddress', found: 'bob\0' });
  });
});
