import type { Failure } from '../src/engine/conference.ts';
import { MemberUri } from '../src/room/address.ts';
import { commandTable } from '../src/room/command-table.ts';
import type { Malformed, Refusal } from '../src/room/refusals.ts';
import { roomPrefix } from '../src/room/stream.ts';
import { help, reasonOf, usage } from '../src/room/texts.ts';
import { sipAnswer } from '../src/sip/server/answers.ts';
import { code, page, table } from './markdown.ts';
import { rendered } from './schemas.ts';

interface Property {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly $ref?: string;
  readonly anyOf?: readonly Property[];
  readonly description?: string;
}

const shape = (property: Property): string => {
  if (property.$ref !== undefined) return property.$ref.split('/').at(-1) ?? '';
  if (property.const !== undefined) return code(JSON.stringify(property.const));
  if (property.enum !== undefined) return property.enum.map((value) => code(JSON.stringify(value))).join(', ');
  if (property.anyOf !== undefined) return property.anyOf.map(shape).join(' or ');
  return property.type === undefined ? 'any' : [property.type].flat().join(' or ');
};

interface ObjectSchema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Property>>;
  readonly required?: readonly string[];
  readonly allOf?: readonly ObjectSchema[];
}

const rowsOf = (schema: ObjectSchema): readonly (readonly string[])[] => [
  ...Object.entries(schema.properties ?? {}).map(([name, property]) => [
    code(name),
    shape(property),
    schema.required?.includes(name) ? 'always' : 'sometimes',
  ]),
  ...(schema.allOf ?? []).flatMap(rowsOf),
];

export const eventsPage = (): string =>
  page(
    'Events',
    `What stands in the stream ${code(`${roomPrefix}USER@DOMAIN`)} of a room, one for each accepted command that changed something. The schemas are in [schemas/events](../../schemas/events); an event that has been written is never edited, and a new shape is a new version. Beside each event stands its metadata, ${code('EventMetadata')}.`,
    ...[...rendered()].map(([file, text]) => {
      const schema: ObjectSchema = JSON.parse(text);
      const rows = table(['field', 'value', 'there'], rowsOf(schema));
      return `## ${file.split('.')[0]}\n\n${schema.description ?? ''} [Schema](../../schemas/events/${file}).\n\n${rows}`;
    }),
  );

const bob = ((text: string): MemberUri => {
  if (MemberUri.is(text)) return text;
  throw new Error(text);
})('sip:bob@example.org');

type No = Refusal | Malformed;
/** One of each, and when it is said. A reason without a row here does not compile. */
const noes: { readonly [R in No['reason']]: readonly [Extract<No, { reason: R }>, string] } = {
  NoSuchRoom: [{ reason: 'NoSuchRoom' }, 'the room does not exist'],
  NoSuchMember: [{ reason: 'NoSuchMember', member: bob }, 'remove, modify: the user is neither member nor invited'],
  NotMember: [{ reason: 'NotMember' }, 'chat, list, topic, exit by somebody who is not in the room'],
  NotInvited: [{ reason: 'NotInvited' }, 'join of a private room, accept or deny without an invitation'],
  NotOwner: [{ reason: 'NotOwner' }, 'destroy, or handing over, by another than the owner'],
  NotOwnerOrAdmin: [{ reason: 'NotOwnerOrAdmin' }, 'invite, add, remove, modify, setting the topic by a plain member'],
  OwnerCannotBeRemoved: [{ reason: 'OwnerCannotBeRemoved' }, 'remove of the owner'],
  OwnerCannotBeDemoted: [{ reason: 'OwnerCannotBeDemoted' }, 'modify of the owner'],
  RoomIsPrivate: [{ reason: 'RoomIsPrivate' }, 'create of an existing private room'],
  AlreadyMember: [{ reason: 'AlreadyMember', member: bob }, 'invite or add of a member'],
  RoomExists: [{ reason: 'RoomExists' }, 'create of an existing room with check_on_create'],
  UnknownCommand: [{ reason: 'UnknownCommand', name: 'dance' }, 'no such command'],
  MissingCommandName: [{ reason: 'MissingCommandName' }, 'the start character alone'],
  MissingArgument: [{ reason: 'MissingArgument', command: 'invite', argument: 'USER' }, 'too few words'],
  TooManyArguments: [{ reason: 'TooManyArguments', command: 'list', most: 1 }, 'too many words'],
  BadArgument: [
    { reason: 'BadArgument', command: 'modify', argument: 'ROLE', found: 'king', allowed: 'owner, admin or member' },
    'a word that the command does not take',
  ],
  BadAddress: [{ reason: 'BadAddress', found: 'sip:' }, 'an argument that is no address'],
  TooLong: [
    { reason: 'TooLong', what: "The room's name", found: 80, most: 64 },
    'names longer than the tables hold; a topic of more than 256 bytes',
  ],
  BadText: [{ reason: 'BadText', what: 'The topic', holds: 'NotUtf8' }, 'a text that is not one line of UTF-8'],
  NotARoom: [{ reason: 'NotARoom', found: 'lobby' }, 'a name that the routing rule does not match'],
  ForeignDomain: [{ reason: 'ForeignDomain', found: 'elsewhere.example' }, 'a room on a domain that is not ours'],
  RoomNeeded: [{ reason: 'RoomNeeded', command: 'join' }, 'sent to the manager without a room'],
  ManagerTakesNoChat: [{ reason: 'ManagerTakesNoChat' }, 'chat to the manager'],
};

const failures: { readonly [K in Failure['kind']]: string } = {
  StoreUnavailable: 'the log cannot be reached; nothing was written',
  OutcomeUnknown: 'the log did not answer in time; what was written is announced when it turns out to be',
  StoreFull: 'disk or quota is full',
  StoreRefused: 'the log does not take it: rights, size',
  StoreDamaged: 'the log is damaged, or another version wrote it',
  StoreClosed: 'the server is stopping',
  Overloaded: 'too many commands wait',
  RoomStopped: 'the room holds an event that this node does not know: upgrade it',
  Lagging: 'this node has not caught up with the log in time',
  Defect: 'a defect of imcd; it is in the log',
};

const failureOf = (kind: Failure['kind']): Failure => ({ kind, message: '' });
const answerOf = sipAnswer('#');

const commandRows = commandTable.map((row) => [
  code(usage(row, '#')),
  row.aliases.map((alias) => code(`#${alias}`)).join(', '),
  row.sentence,
]);

export const answersPage = (): string => {
  const refused = Object.values(noes).map(([refusal, when]) => {
    const { status } = answerOf({ kind: 'refused', refusal });
    return [String(status), code(refusal.reason), when, reasonOf(refusal, '#')];
  });
  const kinds: readonly (readonly [Failure['kind'], string])[] = Object.entries(failures).map(([kind, when]) => [
    kind as Failure['kind'],
    when,
  ]);
  const failed = kinds.map(([kind, when]) => {
    const { status, reason } = answerOf({ kind: 'failed', failure: failureOf(kind) });
    return [String(status), code(kind), when, reason];
  });
  return page(
    'Commands, refusals and failures',
    '## Commands in a chat',
    `A message whose first character is ${code('imc_cmd_start_char')}, here ${code('#')}. To a room, or to the manager with the room as the last word; ${code('#topic')} to a room only. A room or a user is a name, ${code('name@domain')} or a SIP URI; what stands in brackets may be left out. TEXT is the rest of the line after one blank, other blanks as they are, in UTF-8 and without control characters but the tab. Names of commands are read in any case. On a terminal Tab completes them in ${code('imcd chat')}.`,
    table(['command', 'also', 'what it does'], commandRows),
    `${code('#help')} shows them, a line each; ${code('#help WORD')} the row of one, by its name or another name of it. A WORD that is no command is refused as the command itself would be.`,
    `\`\`\`text\n${help('#')}\n\`\`\``,
    '## Refusals',
    `The sentence is the Reason phrase of the SIP answer, and, unless ${code('notify_errors')} is off, a MESSAGE ${code('*** SENTENCE')} to the sender. They are counted in ${code('imcd_refusals_total')}.`,
    table(['status', 'reason', 'when', 'the sentence, for example'], refused),
    '## Failures',
    `Answered with Retry-After, and counted in ${code('imcd_failures_total')}. 500 and not 503, which would make a proxy keep chat away too (RFC 3261 21.5.4).`,
    table(['status', 'kind', 'when', 'the Reason phrase'], failed),
  );
};
