import * as E from 'fp-ts/lib/Either.js';
import { withScheme } from './actor.ts';
import { type CommandRow, type CommandType, row } from './command-row.ts';
import { isPrivate, restOfLine, role, room, roomName, unknownCommand, user, type WordParameter } from './parameters.ts';
import { topicRule } from './parse-text.ts';

/**
 * The commands that people write, a row each (behaviour section 3), in the order of `#help`. Grammar (`syntax.ts`), `#help`
 * (`texts.ts`), completion (`completion.ts`) and the reference are made from it: nothing else knows how a command is spelt.
 */

/** `[WORD]` of `#help`: a command's name or alias, the start character before it or not. */
const commandName: WordParameter<'command', string | undefined> = {
  kind: 'command',
  shown: 'WORD',
  optional: true,
  what: 'a command',
  get words() {
    return commandNames;
  },
  read: (written, { startChar }) => {
    if (written === undefined) return E.right(undefined);
    const word = written.startsWith(startChar) ? written.slice(startChar.length) : written;
    const known = commandCalled(word);
    return known === undefined ? unknownCommand(word) : E.right(known.name);
  },
};

const rows = [
  row({
    name: 'create',
    parameters: [roomName, isPrivate],
    help: 'make a room; private: only those invited may join',
    sentence: 'You make a room and become its owner; a public room that is there already you join.',
    makes: ['CreateRoom'],
    make: (given, from) => ({
      type: 'CreateRoom',
      room: given.room,
      actor: from.sender,
      private: given.private,
      ...withScheme(from),
    }),
  }),
  row({
    name: 'join',
    parameters: [room],
    help: 'become a member; a room that is missing is made',
    sentence: 'You become a member: of a private room if you are invited, of a missing one as its owner.',
    makes: ['JoinRoom'],
    make: (given, from) => ({ type: 'JoinRoom', room: given.room, actor: from.sender, ...withScheme(from) }),
  }),
  row({
    name: 'invite',
    parameters: [user, room],
    help: 'invite a user',
    sentence: 'The owner and admins invite a user, who becomes a member by accepting.',
    makes: ['InviteMember'],
    make: (given, { sender }) => ({
      type: 'InviteMember',
      room: given.room,
      actor: sender,
      member: given.user.uri,
      ...withScheme(given.user),
    }),
  }),
  row({
    name: 'add',
    parameters: [user, room],
    help: 'make a user a member at once',
    sentence: 'The owner and admins make a user a member at once, without an invitation.',
    makes: ['AddMember'],
    make: (given, { sender }) => ({
      type: 'AddMember',
      room: given.room,
      actor: sender,
      member: given.user.uri,
      ...withScheme(given.user),
    }),
  }),
  row({
    name: 'accept',
    parameters: [room],
    help: 'accept an invitation',
    sentence: 'You accept the invitation to a room and become a member.',
    makes: ['AcceptInvitation'],
    make: (given, from) => ({ type: 'AcceptInvitation', room: given.room, actor: from.sender, ...withScheme(from) }),
  }),
  row({
    name: 'deny',
    aliases: ['reject'],
    parameters: [room],
    help: 'decline an invitation',
    sentence: 'You decline the invitation to a room; who invited you is told.',
    makes: ['DenyInvitation'],
    make: (given, { sender }) => ({ type: 'DenyInvitation', room: given.room, actor: sender }),
  }),
  row({
    name: 'remove',
    parameters: [user, room],
    help: 'remove a member, or withdraw an invitation',
    sentence: 'The owner and admins remove a member, or withdraw the invitation of one who has not answered it.',
    makes: ['RemoveMember'],
    make: (given, { sender }) => ({ type: 'RemoveMember', room: given.room, actor: sender, member: given.user.uri }),
  }),
  row({
    name: 'modify',
    parameters: [user, role, room],
    help: 'give a role; owner hands the room over',
    sentence:
      'The owner and admins give a member a role; only the owner makes another the owner, and becomes an admin.',
    makes: ['ChangeRole'],
    make: (given, { sender }) => ({
      type: 'ChangeRole',
      room: given.room,
      actor: sender,
      member: given.user.uri,
      role: given.role,
    }),
  }),
  row({
    name: 'list',
    aliases: ['members'],
    parameters: [room],
    help: 'show the members',
    sentence: 'Members see who is in the room: * stands before the owner, ~ before an admin.',
    makes: ['ListMembers'],
    make: (given, { sender }) => ({ type: 'ListMembers', room: given.room, actor: sender }),
  }),
  row({
    name: 'topic',
    parameters: [restOfLine(topicRule)],
    here: true,
    help: 'show what the room is about, or set it; "" takes it away',
    sentence:
      'Members see what the room is about; the owner and admins set it, at most 256 bytes, and "" takes it away.',
    makes: ['ShowTopic', 'SetTopic'],
    make: (given, { sender }) =>
      given.text === undefined
        ? { type: 'ShowTopic', room: given.room, actor: sender }
        : { type: 'SetTopic', room: given.room, actor: sender, topic: given.text },
  }),
  row({
    name: 'rooms',
    parameters: [],
    help: 'show the rooms',
    sentence: 'You see the public rooms, and the private ones that you are in, with the number of their members.',
    makes: ['ListRooms'],
    make: (_, { sender }) => ({ type: 'ListRooms', actor: sender }),
  }),
  row({
    name: 'exit',
    aliases: ['leave'],
    parameters: [room],
    help: 'leave; when the owner leaves the room is destroyed',
    sentence: 'You leave the room; when its owner leaves, the room is destroyed.',
    makes: ['ExitRoom'],
    make: (given, { sender }) => ({ type: 'ExitRoom', room: given.room, actor: sender }),
  }),
  row({
    name: 'destroy',
    parameters: [room],
    help: 'end the room',
    sentence: 'The owner ends the room; its members are told, and its name is free again.',
    makes: ['DestroyRoom'],
    make: (given, { sender }) => ({ type: 'DestroyRoom', room: given.room, actor: sender }),
  }),
  row({
    name: 'help',
    parameters: [commandName],
    help: 'show this text, or what the command WORD does',
    sentence: 'You see all commands, or what the one that you name takes and does.',
    makes: ['Help'],
    make: ({ command }, { sender }) => ({
      type: 'Help',
      actor: sender,
      ...(command === undefined ? {} : { about: command }),
    }),
  }),
];

/** What is never written: imcd's own consequence of an invitation that could not be delivered. */
type Unwritten = 'WithdrawInvitation';
type Forgotten = Exclude<CommandType, (typeof rows)[number]['makes'][number] | Unwritten>;
type Complete = [Forgotten] extends [never] ? unknown : { readonly noRowMakes: Forgotten };

/** Every row. A type of command that no row makes does not compile, and the message names it. */
export const commandTable: readonly CommandRow[] = rows satisfies Complete;

const byName: ReadonlyMap<string, CommandRow> = new Map(
  commandTable.flatMap((one) => [one.name, ...one.aliases].map((name): [string, CommandRow] => [name, one])),
);

/** All names and aliases. */
export const commandNames: readonly string[] = [...byName.keys()];

/** The row of a name or alias, in any case. */
export const commandCalled = (name: string): CommandRow | undefined => byName.get(name.toLowerCase());
