import * as E from 'fp-ts/lib/Either.js';
import { domainOf, type MemberUri, type RoomUri, userOf } from './address.ts';
import type { Command } from './commands.ts';
import { parseMember, parseRoom } from './parse-address.ts';
import type { Malformed } from './refusals.ts';

/** The grammar of commands (behaviour section 2): a message body, into a command. */

export interface SyntaxContext {
  /** One character. */
  readonly startChar: string;
  /** The conference address: what a room argument that is left out means. */
  readonly address: RoomUri;
  readonly addressed: 'room' | 'manager';
  readonly sender: MemberUri;
  readonly scheme?: 'sips';
  /** Whether a user part is a room's, by the routing rule. */
  readonly isRoomName: (user: string) => boolean;
  /** The domains that are ours, in lower case. */
  readonly domains: ReadonlySet<string>;
}

type Parsed = E.Either<Malformed, Command>;

/** Whether a body is a command: its first character is the start character (one of ASCII). */
export const isCommand = (body: Uint8Array, startChar: string): boolean => body[0] === startChar.charCodeAt(0);

/** Most parameters of any command. */
const mostParameters = 5;

const aliases: ReadonlyMap<string, string> = new Map([
  ['leave', 'exit'],
  ['reject', 'deny'],
  ['members', 'list'],
]);

/**
 * The command of a body that `isCommand`. Never throws, whatever the bytes; the time it takes is linear in the length of the
 * body's first line.
 */
export const parseBody = (body: Uint8Array, context: SyntaxContext): Parsed => {
  // One more word than any command takes is enough to refuse it.
  const [written, ...parameters] = wordsOf(body, 1 + mostParameters + 1);
  if (written === undefined) return E.left({ reason: 'MissingCommandName' });
  const name = written.toLowerCase();
  const grammar = grammars.get(aliases.get(name) ?? name);
  if (grammar === undefined) return E.left({ reason: 'UnknownCommand', name: written.slice(0, mostName) });
  if (parameters.length > grammar.most)
    return E.left({ reason: 'TooManyArguments', command: name, most: grammar.most });
  return grammar.read(parameters, { ...context, command: name });
};

/** What a refusal keeps of the name of a command that there is not. */
const mostName = 80;

const space = 0x20;
const tab = 0x09;
const cr = 0x0d;
const lf = 0x0a;

/** The first words of the line after the start character; none where a blank follows it. */
const wordsOf = (body: Uint8Array, most: number): readonly string[] => {
  const words: string[] = [];
  let start = 1;
  for (let i = 1; words.length < most; i += 1) {
    const byte = body[i];
    const ends = byte === undefined || byte === cr || byte === lf;
    if (!ends && byte !== space && byte !== tab) continue;
    if (i > start) words.push(textOf(body.subarray(start, i)));
    else if (i === 1) return words;
    if (ends) return words;
    start = i + 1;
  }
  return words;
};

/** Bytes that are not ASCII as the escapes of a URI: so none is lost, be it UTF-8 or not, and reasons can show them. */
const textOf = (bytes: Uint8Array): string => {
  let text = '';
  for (const byte of bytes) text += byte < 0x80 ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase()}`;
  return text;
};

interface Context extends SyntaxContext {
  readonly command: string;
}
interface Grammar {
  /** Most parameters, `mostParameters` at the most. */
  readonly most: number;
  readonly read: (parameters: readonly string[], context: Context) => Parsed;
}

/** The room an argument names; the conference address where there is none. */
const roomOf = (argument: string | undefined, context: Context): E.Either<Malformed, RoomUri> => {
  if (argument === undefined) {
    return context.addressed === 'room'
      ? E.right(context.address)
      : E.left({ reason: 'RoomNeeded', command: context.command });
  }
  const room = parseRoom(argument, domainOf(context.address));
  if (E.isLeft(room)) return room;
  if (!context.isRoomName(userOf(room.right))) return E.left({ reason: 'NotARoom', found: userOf(room.right) });
  const domain = domainOf(room.right);
  return context.domains.has(domain.toLowerCase()) ? room : E.left({ reason: 'ForeignDomain', found: domain });
};

const scheme = ({ scheme }: { readonly scheme?: 'sip' | 'sips' }): { readonly scheme?: 'sips' } =>
  scheme === 'sips' ? { scheme } : {};

/** `[ROOM]` alone. */
const ofRoom = (make: (room: RoomUri, context: Context) => Command): Grammar => ({
  most: 1,
  read: ([room], context) => E.map((uri: RoomUri) => make(uri, context))(roomOf(room, context)),
});

interface User {
  readonly uri: MemberUri;
  readonly scheme: 'sip' | 'sips';
}

/** `USER [ROOM]`. */
const ofUser = (make: (room: RoomUri, user: User, context: Context) => Command): Grammar => ({
  most: 2,
  read: ([user, room], context) => {
    if (user === undefined) return missing(context, 'a user');
    const member = parseMember(user, domainOf(context.address));
    if (E.isLeft(member)) return member;
    return E.map((uri: RoomUri) => make(uri, member.right, context))(roomOf(room, context));
  },
});

const missing = ({ command }: Context, argument: string): Parsed =>
  E.left({ reason: 'MissingArgument', command, argument });

const grammars: ReadonlyMap<string, Grammar> = new Map<string, Grammar>([
  [
    'create',
    {
      most: 2,
      read: ([name, privacy], context) => {
        if (name === undefined) return missing(context, "the room's name");
        if (privacy !== undefined && privacy.toLowerCase() !== 'private') {
          const { command } = context;
          return E.left({
            reason: 'BadArgument',
            command,
            argument: 'the second argument',
            found: privacy,
            allowed: 'private',
          });
        }
        const made = (room: RoomUri): Command => ({
          type: 'CreateRoom',
          room,
          actor: context.sender,
          private: privacy !== undefined,
          ...scheme(context),
        });
        return E.map(made)(roomOf(name, context));
      },
    },
  ],
  ['join', ofRoom((room, context) => ({ type: 'JoinRoom', room, actor: context.sender, ...scheme(context) }))],
  [
    'invite',
    ofUser((room, user, { sender }) => ({
      type: 'InviteMember',
      room,
      actor: sender,
      member: user.uri,
      ...scheme(user),
    })),
  ],
  [
    'add',
    ofUser((room, user, { sender }) => ({ type: 'AddMember', room, actor: sender, member: user.uri, ...scheme(user) })),
  ],
  [
    'accept',
    ofRoom((room, context) => ({ type: 'AcceptInvitation', room, actor: context.sender, ...scheme(context) })),
  ],
  ['deny', ofRoom((room, { sender }) => ({ type: 'DenyInvitation', room, actor: sender }))],
  ['remove', ofUser((room, user, { sender }) => ({ type: 'RemoveMember', room, actor: sender, member: user.uri }))],
  ['exit', ofRoom((room, { sender }) => ({ type: 'ExitRoom', room, actor: sender }))],
  ['destroy', ofRoom((room, { sender }) => ({ type: 'DestroyRoom', room, actor: sender }))],
  ['list', ofRoom((room, { sender }) => ({ type: 'ListMembers', room, actor: sender }))],
  [
    'modify',
    {
      most: 3,
      read: ([user, role, room], context) => {
        if (user === undefined) return missing(context, 'a user and a role');
        if (role === undefined) return missing(context, 'a role: owner, admin or member');
        const wanted = role.toLowerCase();
        if (wanted !== 'owner' && wanted !== 'admin' && wanted !== 'member') {
          const { command } = context;
          return E.left({
            reason: 'BadArgument',
            command,
            argument: 'the role',
            found: role,
            allowed: 'owner, admin or member',
          });
        }
        const grammar = ofUser((uri, member) => ({
          type: 'ChangeRole',
          room: uri,
          actor: context.sender,
          member: member.uri,
          role: wanted,
        }));
        return grammar.read(room === undefined ? [user] : [user, room], context);
      },
    },
  ],
  ['rooms', { most: 0, read: (_, { sender }) => E.right({ type: 'ListRooms', actor: sender }) }],
  ['help', { most: 0, read: (_, { sender }) => E.right({ type: 'Help', actor: sender }) }],
]);
