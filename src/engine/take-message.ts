import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Rooms } from '../read-models/rooms.ts';
import { type RoomUri, roomKey } from '../room/address.ts';
import type { Command, Query, RoomCommand } from '../room/commands.ts';
import type { Malformed, Refusal } from '../room/refusals.ts';
import { isCommand, parseBody } from '../room/syntax.ts';
import { help, reasonOf, roomList } from '../room/texts.ts';
import type { Announcer } from './announcer.ts';
import { type Answer, type Conference, done, type IncomingMessage, refused } from './conference.ts';
import { countAnswer, type EngineCounters } from './counters.ts';
import type { Job, Settlement } from './decide-batch.ts';

export interface MessagePorts {
  readonly rooms: Rooms;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: EngineCounters;
  readonly announcer: Announcer;
  readonly submit: (job: Job) => void;
  readonly chat: Conference['message'];
  /** First character of `imc_cmd_start_char`. */
  readonly startChar: string;
  readonly notifyErrors: boolean;
  /** Whether a user part is a room's by the routing rule. */
  readonly isRoomName: (user: string) => boolean;
  /** Lower case. */
  readonly domains: ReadonlySet<string>;
}

/** A message that is being taken, and its way back. */
interface Taking {
  readonly message: IncomingMessage;
  readonly answer: (answer: Answer) => void;
}

/** Takes a MESSAGE for what it is: a command, a question, chat, or neither. */
export const takeMessage =
  (ports: MessagePorts): Conference['message'] =>
  (message, answer) => {
    const taking = { message, answer };
    if (!isCommand(message.body, ports.startChar)) return takeChat(ports, taking);
    pipe(
      parse(ports, message),
      E.match(
        (malformed) => refuse(ports, taking, malformed),
        (command) => ('room' in command ? takeCommand(ports, taking, command) : answerQuery(ports, taking, command)),
      ),
    );
  };

const parse = (
  { startChar, isRoomName, domains }: MessagePorts,
  message: IncomingMessage,
): E.Either<Malformed, Command> => {
  const { body, address, addressed, sender, scheme } = message;
  const context = { startChar, isRoomName, domains, address, addressed, sender };
  return parseBody(body, scheme === undefined ? context : { ...context, scheme });
};

const takeChat = (ports: MessagePorts, taking: Taking): void => {
  const { message, answer } = taking;
  if (message.addressed === 'manager') {
    refuse(ports, taking, { reason: 'ManagerTakesNoChat' });
    return;
  }
  ports.chat(message, (ended) => {
    if (ended.kind !== 'done') noteAnswer(ports, 'Chat', message, ended);
    answer(ended);
  });
};

const refuse = (ports: MessagePorts, { message, answer }: Taking, refusal: Malformed): void => {
  const ended = refused(refusal);
  noteAnswer(ports, 'Malformed', message, ended);
  answer(ended);
  tellRefusal(ports, message, message.address, refusal);
};

const takeCommand = (ports: MessagePorts, { message, answer }: Taking, command: RoomCommand): void => {
  const settle = (settlement: Settlement): void => {
    noteAnswer(ports, command.type, message, settlement.answer);
    answer(settlement.answer);
    tell(ports, message, command, settlement);
  };
  ports.submit({ command, origin: message.origin, settle });
};

/** Asks no room, and so waits for none; not a line of the log. */
const answerQuery = (ports: MessagePorts, { message, answer }: Taking, query: Query): void => {
  const { counters, announcer } = ports;
  countAnswer(counters, query.type, done);
  answer(done);
  announcer.list(tellerOf(ports, message, message.address), query.actor, answerTo(ports, query), message.origin);
};

const answerTo = ({ rooms, startChar }: MessagePorts, query: Query): string => {
  switch (query.type) {
    case 'Help':
      return help(startChar, query.about);
    case 'ListRooms':
      return roomList(rooms.all(), query.actor);
  }
};

/** What follows a command's answer. */
const tell = (ports: MessagePorts, message: IncomingMessage, command: RoomCommand, settlement: Settlement): void => {
  const { clock, announcer } = ports;
  const { answer, announcements, eventId, staleSince } = settlement;
  if (answer.kind === 'refused') tellRefusal(ports, message, command.room, answer.refusal);
  announcer.announce(announcements, message.origin, eventId);
  if (staleSince === undefined) return;
  const seconds = Math.ceil((clock.now() - staleSince) / 1000);
  tellSender(ports, message, command.room, `*** the log cannot be reached: this is as of ${seconds} s ago`);
};

const tellRefusal = (
  ports: MessagePorts,
  message: IncomingMessage,
  room: RoomUri,
  refusal: Refusal | Malformed,
): void => {
  const text = reasonOf(refusal, ports.startChar);
  // An unknown command has a text of its own, which is sent always.
  if (refusal.reason === 'UnknownCommand') tellSender(ports, message, room, text);
  else if (ports.notifyErrors) tellSender(ports, message, room, `*** ${text}`);
};

const tellSender = (ports: MessagePorts, message: IncomingMessage, room: RoomUri, text: string): void =>
  ports.announcer.notify(tellerOf(ports, message, room), message.sender, text, message.origin);

/** Who tells it: the room, as it was first written; the address that was written to where there is none. */
const tellerOf = ({ rooms }: MessagePorts, { address }: IncomingMessage, room: RoomUri): RoomUri =>
  rooms.get(roomKey(room))?.uri ?? address;

/** How a message ended, for the counters and the log. */
const noteAnswer = ({ counters, log }: MessagePorts, type: string, message: IncomingMessage, answer: Answer): void => {
  countAnswer(counters, type, answer);
  const { origin, address, sender } = message;
  const fields = { command: type, room: address, actor: sender, source: origin.source, callId: origin.correlationId };
  if (answer.kind === 'done') log.debug(fields, 'command done');
  else if (answer.kind === 'refused') log.info({ ...fields, reason: answer.refusal.reason }, 'refused');
  else log.error({ ...fields, failure: answer.failure.kind }, `failed: ${answer.failure.message}`);
};
