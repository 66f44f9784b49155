import * as E from 'fp-ts/lib/Either.js';
import type { EventStore, ExpectedRevision, NewEvent } from '../../src/ports/event-store.ts';
import type { Ids } from '../../src/ports/ids.ts';
import { MemberUri, memberKey, RoomUri, roomKey } from '../../src/room/address.ts';
import type { RoomEvent } from '../../src/room/events.ts';
import type { EventMetadata } from '../../src/room/metadata.ts';
import { streamOf } from '../../src/room/stream.ts';

/** What a made log shall be like. */
export interface LogShape {
  readonly events: number;
  readonly rooms: number;
  /** Members that a room has once it is full: joins and exits keep it there. */
  readonly members: number;
}

/** Appends that are under way at once. */
const inFlight = 4_000;
/** Users who are in more than one room: a third of the members. */
const guests = 1_000;

interface MadeRoom {
  readonly uri: RoomUri;
  readonly stream: string;
  readonly members: MemberUri[];
  expected: ExpectedRevision;
  joined: number;
}

/** Numbers that look like chance and are the same each time (mulberry32). */
export const repeatable = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
};

const decode = <A>(codec: { readonly decode: (value: unknown) => E.Either<unknown, A> }, value: string): A => {
  const decoded = codec.decode(value);
  if (E.isLeft(decoded)) throw new Error(`${value} is no address`);
  return decoded.right;
};

/**
 * Writes a log as a busy server would have: the rooms' events interleaved, one event an append, metadata of a real request.
 * Each room begins with RoomCreated; then MemberJoined, and MemberExited where the room is full. The same each time, but for
 * the ids of the events.
 */
export const makeLog = async (store: EventStore, ids: Pick<Ids, 'uuid'>, shape: LogShape): Promise<void> => {
  const chance = repeatable(1);
  const pick = (count: number): number => Math.floor(chance() * count);
  const rooms = Array.from({ length: shape.rooms }, (_, n): MadeRoom => {
    const uri = decode(RoomUri, `sip:chat-${n}@bench.example.org`);
    return { uri, stream: streamOf(roomKey(uri)), members: [], expected: 'no_stream', joined: 0 };
  });
  const start = Date.UTC(2026, 0, 1);
  let waiting: Promise<void>[] = [];

  for (let n = 0; n < shape.events; n += 1) {
    const room = rooms[n < shape.rooms ? n : pick(shape.rooms)];
    if (room === undefined) throw new Error('a log needs a room');
    const { event, actor } = nextEvent(room, pick, shape.members);
    const metadata: EventMetadata = metadataOf(n, actor, new Date(start + n * 250).toISOString());
    waiting.push(append(store, room, { id: ids.uuid(), ...event, metadata }));
    if (waiting.length >= inFlight) {
      await Promise.all(waiting);
      waiting = [];
    }
  }
  await Promise.all(waiting);
};

const append = async (store: EventStore, room: MadeRoom, event: NewEvent): Promise<void> => {
  const { expected } = room;
  room.expected = expected === 'no_stream' ? 0n : expected + 1n;
  const appended = await store.append(room.stream, expected, [event])();
  if (E.isLeft(appended)) throw new Error(`the log could not be made: ${JSON.stringify(appended.left.kind)}`);
};

const nextEvent = (
  room: MadeRoom,
  pick: (count: number) => number,
  most: number,
): { event: RoomEvent; actor: MemberUri } => {
  const { uri, members } = room;
  const leaving = members.length >= most ? members.splice(1 + pick(members.length - 1), 1)[0] : undefined;
  if (leaving !== undefined)
    return { event: { type: 'MemberExited', data: { room: uri, member: leaving } }, actor: leaving };
  room.joined += 1;
  const own = `sip:user-${room.joined}.${uri.slice(4)}`;
  const guest = decode(MemberUri, room.joined % 3 === 0 ? `sip:guest-${pick(guests)}@phones.example.org` : own);
  const member = members.some((one) => memberKey(one) === memberKey(guest)) ? decode(MemberUri, own) : guest;
  members.push(member);
  if (members.length === 1)
    return {
      event: { type: 'RoomCreated', data: { room: uri, owner: member, private: false, cause: 'create' } },
      actor: member,
    };
  return { event: { type: 'MemberJoined', data: { room: uri, member } }, actor: member };
};

/** Metadata as the engine writes it for a SIP request. */
export const metadataOf = <Actor extends string>(n: number, actor: Actor, time: string) => {
  const callId = `${n.toString(36).padStart(10, 'c')}@192.0.2.${n % 250}`;
  return {
    $correlationId: callId,
    $causationId: callId,
    version: 1,
    actor,
    source: `udp:192.0.2.${n % 250}:5060`,
    node: 'bench-1',
    time,
    callId,
    cseq: '1 MESSAGE',
    fromTag: n.toString(16).padStart(8, '0'),
  };
};
