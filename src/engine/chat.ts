import * as E from 'fp-ts/lib/Either.js';
import type { Courier, Outgoing, Roster } from '../ports/courier.ts';
import type { Rooms } from '../read-models/rooms.ts';
import { memberKey, type RoomKey, roomKey, withoutScheme } from '../room/address.ts';
import type { Refusal } from '../room/refusals.ts';
import { type Member, memberOf, type Room } from '../room/room.ts';
import { eventTime } from '../room/time.ts';
import type { MessageSent } from '../room/transcript.ts';
import { type CatchUpPorts, catchUpRoom, isCurrent } from './catch-up.ts';
import type { Answer, Failure, IncomingMessage } from './conference.ts';
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

/** Takes a chat message: to every member but its sender, who is told when the copies are on their way. */
export const handleChat =
  (ports: ChatPorts) =>
  (message: IncomingMessage, answer: (answer: Answer) => void): void => {
    const key = roomKey(message.address);
    const found = senderIn(ports.rooms, key, message);
    if (E.isRight(found)) send(ports, key, message, found.right, answer);
    else if (!ports.store.shared) answer({ kind: 'refused', refusal: found.left });
    else {
      // Not refused from a state that lags.
      void confirmRefusal(ports, key, message, found.left).then((confirmed) => {
        if (E.isLeft(confirmed)) answer(confirmed.left);
        else send(ports, key, message, confirmed.right, answer);
      });
    }
  };

interface Sender {
  readonly room: Room;
  readonly roster: Roster;
  readonly member: Member;
}

const senderIn = (rooms: Rooms, key: RoomKey, message: IncomingMessage): E.Either<Refusal, Sender> => {
  const room = rooms.get(key);
  const roster = rooms.roster(key);
  if (room === undefined || roster === undefined) return E.left({ reason: 'NoSuchRoom' });
  const member = memberOf(room, memberKey(message.sender));
  if (member === undefined) return E.left({ reason: 'NotMember' });
  return E.right({ room, roster, member });
};

const confirmRefusal = async (
  ports: ChatPorts,
  key: RoomKey,
  message: IncomingMessage,
  refusal: Refusal,
): Promise<E.Either<Answer, Sender>> => {
  const fail = (failure: Failure) => E.left<Answer>({ kind: 'failed', failure });
  const current = await isCurrent(ports)(key);
  if (E.isLeft(current)) return fail(current.left);
  if (current.right) return E.left({ kind: 'refused', refusal });
  const caughtUp = await catchUpRoom(ports)(key)();
  if (E.isLeft(caughtUp)) return fail(caughtUp.left);
  const found = senderIn(ports.rooms, key, message);
  return E.isRight(found) ? found : E.left({ kind: 'refused', refusal: found.left });
};

const isText = (contentType: string): boolean => /^\s*text\//i.test(contentType);
const isComposing = (contentType: string): boolean => /^\s*application\/im-iscomposing\+xml\s*(;|$)/i.test(contentType);

const send = (
  ports: ChatPorts,
  key: RoomKey,
  message: IncomingMessage,
  sender: Sender,
  answer: (answer: Answer) => void,
): void => {
  if (isComposing(message.contentType) && !ports.relayComposing) {
    answer({ kind: 'done' });
    return;
  }
  ports.counters.chatMessages += 1;
  const copies = copiesOf(message, sender);
  if (ports.record !== undefined) {
    recordFirst(ports, ports.record, key, { ...sender, message, copies }, answer);
    return;
  }
  let answered = false;
  const once = (): void => {
    if (answered) return;
    answered = true;
    late.cancel();
    answer({ kind: 'done' });
  };
  const late = ports.clock.after(answerAfterMs, once);
  ports.courier.send({ ...copies, onHandedOver: once });
};

const copiesOf = (message: IncomingMessage, { roster, member }: Sender): Outgoing => {
  const { contentType, body, origin } = message;
  const shared = { from: roster.room, recipients: roster, except: member.uri, contentType };
  const inReplyTo = origin.correlationId;
  if (!isText(contentType)) return { ...shared, body, inReplyTo, assertedIdentity: member.uri };
  const prefix = Buffer.from(`<${withoutScheme(member.uri)}>: `, 'latin1');
  return { ...shared, body: Buffer.concat([prefix, body]), inReplyTo };
};

interface Recorded extends Sender {
  readonly message: IncomingMessage;
  readonly copies: Outgoing;
}

/** A recorded message is answered once it is durable; its copies leave then. */
const recordFirst = (
  { courier, clock, node }: ChatPorts,
  record: NonNullable<ChatPorts['record']>,
  key: RoomKey,
  { message, room, member, copies }: Recorded,
  answer: (answer: Answer) => void,
): void => {
  const { origin } = message;
  const taken = record(key, {
    message: recordOf(room, member, message),
    metadata: metadataOf(origin, {
      type: 'MessageSent',
      actor: member.uri,
      node,
      time: eventTime(clock.now()),
    }),
    settle: (failure) => {
      answer(failure === undefined ? { kind: 'done' } : { kind: 'failed', failure });
      if (failure === undefined) courier.send(copies);
    },
  });
  if (taken) return;
  answer({ kind: 'failed', failure: { kind: 'Overloaded', message: 'too many messages wait to be recorded' } });
};

const recordOf = (room: Room, member: Member, { contentType, body }: IncomingMessage): MessageSent => {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const text = bytes.toString('utf8');
  const asText = Buffer.from(text, 'utf8').equals(bytes);
  const data = { room: room.uri, member: member.uri, contentType };
  return {
    type: 'MessageSent',
    data: asText ? { ...data, body: text } : { ...data, bodyBase64: bytes.toString('base64') },
  };
};
