import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Courier, Outgoing, Roster } from '../ports/courier.ts';
import type { Rooms } from '../read-models/rooms.ts';
import { memberKey, type RoomKey, roomKey, withoutScheme } from '../room/address.ts';
import type { Refusal } from '../room/refusals.ts';
import { type Member, memberOf, type Room } from '../room/room.ts';
import { eventTime } from '../room/time.ts';
import type { MessageSent } from '../room/transcript.ts';
import { type CatchUpPorts, makeCurrent } from './catch-up.ts';
import {
  type Answer,
  type Conference,
  done,
  type Failure,
  failed,
  type IncomingMessage,
  refused,
} from './conference.ts';
import type { EngineCounters } from './counters.ts';
import { metadataOf } from './metadata.ts';
import type { Recording } from './transcript.ts';

export interface ChatPorts extends CatchUpPorts {
  readonly courier: Courier;
  readonly counters: EngineCounters;
  readonly node: string;
  /** `relay_composing`: whether typing notices go to the members. */
  readonly relayComposing: boolean;
  /** Present with `record_messages`; false where its bound is reached. */
  readonly record?: (key: RoomKey, recording: Recording) => boolean;
}

/** The sender's answer leaves at the latest after this, in milliseconds, even if copies still wait for their first transmission. */
export const answerAfterMs = 200;

/** Takes a chat message: to every member but its author, who is answered when the copies are on their way. */
export const handleChat =
  (ports: ChatPorts): Conference['message'] =>
  (message, answer) => {
    const key = roomKey(message.address);
    const found = authorOf(ports.rooms, key, message);
    if (E.isRight(found)) return send(ports, { key, message, author: found.right, answer });
    if (!ports.store.shared) return answer(refused(found.left));
    // Not refused from a state that lags.
    void pipe(
      makeCurrent(ports)(key),
      TE.mapLeft(failed),
      TE.chainEitherK(() => pipe(authorOf(ports.rooms, key, message), E.mapLeft(refused))),
      TE.match(answer, (author) => send(ports, { key, message, author, answer })),
    )();
  };

/** Who wrote a message, as a member of the room that it is for. */
interface Author {
  readonly room: Room;
  readonly roster: Roster;
  readonly member: Member;
}

const authorOf = (rooms: Rooms, key: RoomKey, message: IncomingMessage): E.Either<Refusal, Author> => {
  const room = rooms.get(key);
  const roster = rooms.roster(key);
  if (room === undefined || roster === undefined) return E.left({ reason: 'NoSuchRoom' });
  const member = memberOf(room, memberKey(message.sender));
  return member === undefined ? E.left({ reason: 'NotMember' }) : E.right({ room, roster, member });
};

/** A message that a member may send, and the way back. */
interface Chat {
  readonly key: RoomKey;
  readonly message: IncomingMessage;
  readonly author: Author;
  readonly answer: (answer: Answer) => void;
}

const isText = (contentType: string): boolean => /^\s*text\//i.test(contentType);
const isComposing = (contentType: string): boolean => /^\s*application\/im-iscomposing\+xml\s*(;|$)/i.test(contentType);

const send = (ports: ChatPorts, chat: Chat): void => {
  if (isComposing(chat.message.contentType) && !ports.relayComposing) {
    chat.answer(done);
    return;
  }
  ports.counters.chatMessages += 1;
  const copies = copiesOf(chat);
  if (ports.record === undefined) sendAtOnce(ports, chat, copies);
  else sendRecorded(ports, ports.record, chat, copies);
};

const copiesOf = ({ message, author: { roster, member } }: Chat): Outgoing => {
  const { contentType, body, origin } = message;
  const shared = { from: roster.room, recipients: roster, except: member.uri, contentType };
  const inReplyTo = origin.correlationId;
  if (!isText(contentType)) return { ...shared, body, inReplyTo, assertedIdentity: member.uri };
  const prefix = Buffer.from(`<${withoutScheme(member.uri)}>: `, 'latin1');
  return { ...shared, body: Buffer.concat([prefix, body]), inReplyTo };
};

const sendAtOnce = ({ courier, clock }: ChatPorts, { answer }: Chat, copies: Outgoing): void => {
  let answered = false;
  const once = (): void => {
    if (answered) return;
    answered = true;
    late.cancel();
    answer(done);
  };
  const late = clock.after(answerAfterMs, once);
  courier.send({ ...copies, onHandedOver: once });
};

/** A recorded message is answered once it is durable; its copies leave then. */
const sendRecorded = (
  ports: ChatPorts,
  record: NonNullable<ChatPorts['record']>,
  chat: Chat,
  copies: Outgoing,
): void => {
  const { answer } = chat;
  const settle = (failure: Failure | undefined): void => {
    answer(failure === undefined ? done : failed(failure));
    if (failure === undefined) ports.courier.send(copies);
  };
  if (!record(chat.key, { message: recordOf(chat), metadata: metadataOfChat(ports, chat), settle }))
    answer(failed({ kind: 'Overloaded', message: 'too many messages wait to be recorded' }));
};

const metadataOfChat = ({ clock, node }: ChatPorts, { message, author }: Chat): Recording['metadata'] => {
  const time = eventTime(clock.now());
  return metadataOf(message.origin, { type: 'MessageSent', actor: author.member.uri, node, time });
};

const recordOf = ({ message: { contentType, body }, author: { room, member } }: Chat): MessageSent => {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const text = bytes.toString('utf8');
  const asText = Buffer.from(text, 'utf8').equals(bytes);
  const data = { room: room.uri, member: member.uri, contentType };
  return {
    type: 'MessageSent',
    data: asText ? { ...data, body: text } : { ...data, bodyBase64: bytes.toString('base64') },
  };
};
