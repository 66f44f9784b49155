import { type Actor, isOperator, type Role } from './actor.ts';
import { type MemberUri, memberKey, userOf, withoutScheme } from './address.ts';
import type { CommandRow } from './command-row.ts';
import { commandCalled, commandTable } from './command-table.ts';
import type { Malformed, Refusal } from './refusals.ts';
import { memberCount, memberOf, type Room, recipientsOf } from './room.ts';

/** The texts that reach people, to the letter: clients and scripts match on them (behaviour section 3). */

export const created = '*** room was created';
export const alreadyThere = '*** You are in the room already';
export const removed = 'You have been removed from this room';
export const destroyed = 'The room has been destroyed';
export const joined = (member: MemberUri): string => `*** <${member}> has joined the room`;
export const left = (member: MemberUri): string => `The user [${userOf(member)}] has left the room`;
export const denied = (member: MemberUri): string => `The user [${userOf(member)}] has denied the invitation`;
/** One space at the end. */
export const notRegistered = (member: MemberUri): string => `${withoutScheme(member)} is not registered. `;
export const roleChanged = (member: MemberUri, role: Role): string => `*** ${member} is now ${role}`;
export const topicChanged = (by: Actor, topic: string): string => `*** ${by} has set the topic: ${topic}`;
/** To one who asks, or who has become a member; empty: there is none. */
export const topicIs = (topic: string): string => (topic === '' ? '*** No topic is set' : `*** The topic is: ${topic}`);
export const invitation = (inviter: Actor, startChar: string): string => {
  const name = isOperator(inviter) ? inviter : withoutScheme(inviter);
  return `INVITE from: ${name}(Type: '${startChar}accept' or '${startChar}deny')`;
};

const marks = { owner: '*', admin: '~', member: '', invited: '' } as const;

/** The answer to `list`: owner first, then in the order of joining; no newline after the last. */
export const memberList = (room: Room): string =>
  [
    'Members:',
    ...recipientsOf(room).map((uri) => `${marks[room.members.get(memberKey(uri))?.role ?? 'member']}${uri}`),
  ].join('\n');

/** The answer to `rooms`: public rooms, and the private ones that the asker is in. */
export const roomList = (rooms: Iterable<Room>, asker: MemberUri): string => {
  const key = memberKey(asker);
  const lines = ['Rooms:'];
  for (const room of rooms) {
    if (room.private && memberOf(room, key) === undefined) continue;
    lines.push(`${room.uri} ${memberCount(room)}${room.private ? ' private' : ''}`);
  }
  return lines.join('\n');
};

/** As `#help` shows it: `#modify USER owner|admin|member [ROOM]`. */
export const usage = ({ name, parameters }: CommandRow, startChar: string): string =>
  [`${startChar}${name}`, ...parameters.map(({ shown, optional }) => (optional ? `[${shown}]` : shown))].join(' ');

const also = ({ aliases }: CommandRow, startChar: string): string =>
  aliases.length === 0 ? '' : ` (also ${aliases.map((alias) => `${startChar}${alias}`).join(', ')})`;

/** The answer to `help`: the commands, one a line; of one alone its parameters, and a sentence. */
export const help = (startChar: string, about?: string): string => {
  const row = about === undefined ? undefined : commandCalled(about);
  if (row !== undefined) return `${usage(row, startChar)}${also(row, startChar)}\n${row.sentence}`;
  return commandTable.map((one) => `${usage(one, startChar)} - ${one.help}${also(one, startChar)}`).join('\n');
};

/** What somebody wrote, for a sentence: printable ASCII only, the rest as escapes of a URI, and not too much of it. */
const shown = (text: string): string => {
  const clean = text.toWellFormed().replace(/[^\x20-\x7e]/gu, encodeURIComponent);
  return clean.length > 64 ? `${clean.slice(0, 61)}...` : clean;
};

const textFault = {
  NotUtf8: 'bytes that are not UTF-8',
  ControlCharacter: 'a control character or a line end',
} as const;

/**
 * The one list of reasons: the text after `*** ` in a MESSAGE, and the Reason phrase of the answer. Printable ASCII without
 * line ends. An unknown command's is the module's own text.
 */
export const reasonOf = (refusal: Refusal | Malformed, startChar: string): string => {
  switch (refusal.reason) {
    case 'NoSuchRoom':
      return 'No such room';
    case 'NoSuchMember':
      return `${withoutScheme(refusal.member)} is not a member of this room`;
    case 'NotMember':
      return 'You are not a member of this room';
    case 'NotInvited':
      return 'You are not invited to this room';
    case 'NotOwner':
      return 'Only the owner may do this';
    case 'NotOwnerOrAdmin':
      return 'Only the owner and admins may do this';
    case 'OwnerCannotBeRemoved':
      return 'The owner cannot be removed';
    case 'OwnerCannotBeDemoted':
      return 'The owner must hand the room over first';
    case 'RoomIsPrivate':
      return 'The room exists and is private';
    case 'AlreadyMember':
      return `${withoutScheme(refusal.member)} is a member already`;
    case 'RoomExists':
      return 'The room exists already';
    case 'UnknownCommand':
      return `invalid command '${shown(refusal.name)}' - send '${startChar}help' for details`;
    case 'MissingCommandName':
      return `A command's name must follow ${startChar} at once`;
    case 'MissingArgument':
      return `${refusal.command} needs ${refusal.argument}`;
    case 'TooManyArguments':
      return `${refusal.command} takes at most ${refusal.most} arguments`;
    case 'BadArgument':
      return `${refusal.command}: ${refusal.argument} is ${shown(refusal.found)}, allowed is ${refusal.allowed}`;
    case 'BadAddress':
      return `${shown(refusal.found)} is not a SIP address`;
    case 'TooLong':
      return `${refusal.what} has ${refusal.found} ${refusal.unit ?? 'characters'}, allowed are ${refusal.most}`;
    case 'BadText':
      return `${refusal.what} holds ${textFault[refusal.holds]}`;
    case 'NotARoom':
      return `${shown(refusal.found)} is not a name for a room here`;
    case 'ForeignDomain':
      return `The domain ${shown(refusal.found)} is not served here`;
    case 'RoomNeeded':
      return `${refusal.command} sent to the manager needs a room`;
    case 'ManagerTakesNoChat':
      return 'Only commands go to the manager; chat goes to a room';
  }
};
