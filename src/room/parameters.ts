import * as E from 'fp-ts/lib/Either.js';
import type { Role } from './actor.ts';
import { domainOf, type MemberUri, type RoomUri, userOf } from './address.ts';
import { parseMember, parseRoom, type WrittenUser } from './parse-address.ts';
import { decodeText, type TextRule } from './parse-text.ts';
import type { Malformed } from './refusals.ts';
import { type Addressed, serves } from './routing-rule.ts';

/** What the words of a command may be, a kind each, and how one is read (behaviour sections 1 and 2). */

export interface SyntaxContext {
  /** One character. */
  readonly startChar: string;
  /** The conference address: what a room argument that is left out means. */
  readonly address: RoomUri;
  readonly addressed: Addressed;
  readonly sender: MemberUri;
  readonly scheme?: 'sips';
  /** Whether a user part is a room's, by the routing rule. */
  readonly isRoomName: (user: string) => boolean;
  /** The domains that are ours, in lower case. */
  readonly domains: ReadonlySet<string>;
}

/** A command's words are read in. */
export interface CommandContext extends SyntaxContext {
  /** The command's name as it was written, in lower case. */
  readonly command: string;
}

/** In the order in which the words are read, wherever they stand: what is wrong with the first of them is said. */
export const kinds = ['private', 'role', 'command', 'text', 'user', 'room'] as const;
export type ParameterKind = (typeof kinds)[number];

interface Shown<K extends ParameterKind> {
  /** The name of what is read, among what a command is made from. */
  readonly kind: K;
  /** As `#help` shows it, without the brackets of an optional one: `USER`, `owner|admin|member`. */
  readonly shown: string;
  readonly optional: boolean;
  /** What is missing where it is: `a user`. */
  readonly what: string;
  /** All that may stand there; absent where that is no list. */
  readonly words?: readonly string[];
}

/** A word that a command takes, or may take; `V` is what is read there. */
export interface WordParameter<K extends Exclude<ParameterKind, 'text'> = Exclude<ParameterKind, 'text'>, V = unknown>
  extends Shown<K> {
  /** @param written undefined where there is none: of an optional one only */
  readonly read: (written: string | undefined, context: CommandContext) => E.Either<Malformed, V>;
}

/** The rest of the line, bytes and blanks as they are: it stands last. */
export interface TextParameter<V = unknown> extends Shown<'text'> {
  /** @param written undefined where not even a blank follows what stands before */
  readonly read: (written: Uint8Array | undefined) => E.Either<Malformed, V>;
}

export type CommandParameter = WordParameter | TextParameter;

/** What a refusal keeps of the name of a command that there is not. */
const mostName = 80;

export const unknownCommand = (name: string): E.Either<Malformed, never> =>
  E.left({ reason: 'UnknownCommand', name: name.slice(0, mostName) });

/** `USER`. */
export const user: WordParameter<'user', WrittenUser> = {
  kind: 'user',
  shown: 'USER',
  optional: false,
  what: 'a user',
  read: (written = '', { address }) => parseMember(written, domainOf(address)),
};

/** The room an argument names; the conference address where there is none. */
const readRoom = (written: string | undefined, context: CommandContext): E.Either<Malformed, RoomUri> => {
  const { address, addressed, command, isRoomName } = context;
  if (written === undefined) return addressed === 'room' ? E.right(address) : E.left({ reason: 'RoomNeeded', command });
  const room = parseRoom(written, domainOf(address));
  if (E.isLeft(room)) return room;
  if (!isRoomName(userOf(room.right))) return E.left({ reason: 'NotARoom', found: userOf(room.right) });
  const domain = domainOf(room.right);
  return serves(context, domain) ? room : E.left({ reason: 'ForeignDomain', found: domain });
};

/** `[ROOM]`: left out, the room that is written to. */
export const room: WordParameter<'room', RoomUri> = {
  kind: 'room',
  shown: 'ROOM',
  optional: true,
  what: 'a room',
  read: readRoom,
};

/** `NAME`: a room that need not be there yet. */
export const roomName: WordParameter<'room', RoomUri> = {
  ...room,
  shown: 'NAME',
  optional: false,
  what: "the room's name",
};

const allowed = (words: readonly string[]): string =>
  [words.slice(0, -1).join(', '), ...words.slice(-1)].filter((part) => part !== '').join(' or ');

/** The one of `words` that is written, in any case. */
const oneOf = <W extends string>(
  words: readonly W[],
  argument: string,
  written: string,
  { command }: CommandContext,
): E.Either<Malformed, W> => {
  const word = words.find((one) => one === written.toLowerCase());
  return word === undefined
    ? E.left({ reason: 'BadArgument', command, argument, found: written, allowed: allowed(words) })
    : E.right(word);
};

const roles: readonly Role[] = ['owner', 'admin', 'member'];

/** `owner|admin|member`. */
export const role: WordParameter<'role', Role> = {
  kind: 'role',
  shown: roles.join('|'),
  optional: false,
  what: 'a role',
  words: roles,
  read: (written = '', context) => oneOf(roles, 'the role', written, context),
};

const privacy = ['private'] as const;

/** `[private]`. */
export const isPrivate: WordParameter<'private', boolean> = {
  kind: 'private',
  shown: 'private',
  optional: true,
  what: 'private',
  words: privacy,
  read: (written, context) =>
    written === undefined ? E.right(false) : E.map(() => true)(oneOf(privacy, 'the second argument', written, context)),
};

/** `[TEXT]`: a line of text. */
export const restOfLine = (rule: TextRule): TextParameter<string | undefined> => ({
  kind: 'text',
  shown: 'TEXT',
  optional: true,
  what: 'a text',
  read: (written) => (written === undefined ? E.right(undefined) : decodeText(rule, written)),
});

/** What is said of words that must be there and are not: of one alone, also what may stand there. */
export const missing = (parameters: readonly CommandParameter[], command: string): Malformed => {
  const [first, ...more] = parameters;
  const words = more.length === 0 ? first?.words : undefined;
  const argument = parameters.map(({ what }) => what).join(' and ');
  return {
    reason: 'MissingArgument',
    command,
    argument: words === undefined ? argument : `${argument}: ${allowed(words)}`,
  };
};
