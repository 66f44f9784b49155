import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { CommandRow } from './command-row.ts';
import { commandCalled } from './command-table.ts';
import type { Command } from './commands.ts';
import { type CommandContext, missing, type SyntaxContext, unknownCommand } from './parameters.ts';
import type { Malformed } from './refusals.ts';

/** The grammar of commands (behaviour section 2): a message body, by the rows of the command table, into a command. */

/** Whether a body is a command: its first character is the start character (one of ASCII). */
export const isCommand = (body: Uint8Array, startChar: string): boolean => body[0] === startChar.charCodeAt(0);

/**
 * The command of a body that `isCommand`. Never throws, whatever the bytes; the time it takes is linear in the length of the
 * body's first line.
 */
export const parseBody = (body: Uint8Array, context: SyntaxContext): E.Either<Malformed, Command> => {
  const {
    words: [name],
    end,
  } = scan(body, 1, 1);
  // No blank stands between the start character and the name.
  if (name === undefined || isBlank(body[1])) return E.left({ reason: 'MissingCommandName' });
  const row = commandCalled(name);
  if (row === undefined) return unknownCommand(name);
  return pipe(
    read(row, body, end, { ...context, command: name.toLowerCase() }),
    E.map((given) => row.make(given, context)),
  );
};

const space = 0x20;
const tab = 0x09;
const cr = 0x0d;
const lf = 0x0a;

const isBlank = (byte: number | undefined): boolean => byte === space || byte === tab;
const endsLine = (byte: number | undefined): boolean => byte === undefined || byte === cr || byte === lf;

/** The first words of a line from `start` on, and where the last one ends. */
const scan = (
  body: Uint8Array,
  start: number,
  most: number,
): { readonly words: readonly string[]; readonly end: number } => {
  const words: string[] = [];
  let end = start;
  while (words.length < most) {
    let begin = end;
    while (isBlank(body[begin])) begin += 1;
    if (endsLine(body[begin])) break;
    end = begin;
    while (!isBlank(body[end]) && !endsLine(body[end])) end += 1;
    words.push(textOf(body.subarray(begin, end)));
  }
  return { words, end };
};

/** The line behind the blank at `start`; undefined where none is there. */
const restOf = (body: Uint8Array, start: number): Uint8Array | undefined => {
  if (!isBlank(body[start])) return undefined;
  let end = start + 1;
  while (!endsLine(body[end])) end += 1;
  return body.subarray(start + 1, end);
};

/** Bytes that are not ASCII as the escapes of a URI: so none is lost, be it UTF-8 or not, and reasons can show them. */
const textOf = (bytes: Uint8Array): string => {
  let text = '';
  for (const byte of bytes) text += byte < 0x80 ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase()}`;
  return text;
};

type Given = Readonly<Record<string, unknown>>;

/** What a row's parameters are read as, from `start` on. */
const read = (
  row: CommandRow,
  body: Uint8Array,
  start: number,
  context: CommandContext,
): E.Either<Malformed, Given> => {
  const { parameters, inReadingOrder } = row;
  const { command } = context;
  const takesText = parameters.at(-1)?.kind === 'text';
  const most = takesText ? parameters.length - 1 : parameters.length;
  // One word more than it takes is enough to refuse it.
  const { words, end } = scan(body, start, takesText ? most : most + 1);
  if (words.length > most) return E.left({ reason: 'TooManyArguments', command, most });
  const absent = parameters.slice(words.length).filter(({ optional }) => !optional);
  if (absent.length > 0) return E.left(missing(absent, command));
  const given: Record<string, unknown> = {};
  for (const [at, parameter] of inReadingOrder) {
    const value = parameter.kind === 'text' ? parameter.read(restOf(body, end)) : parameter.read(words[at], context);
    if (E.isLeft(value)) return value;
    given[parameter.kind] = value.right;
  }
  return E.right(given);
};
