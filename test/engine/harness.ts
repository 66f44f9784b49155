import * as E from 'fp-ts/lib/Either.js';
import type { Answer, IncomingMessage } from '../../src/engine/conference.ts';
import { createConference } from '../../src/engine/create-conference.ts';
import { followLog } from '../../src/engine/follow-log.ts';
import { createUnknownOutcomes } from '../../src/engine/unknown-outcomes.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import { createRooms } from '../../src/read-models/rooms.ts';
import { parseMember, parseRoom } from '../../src/room/parse-address.ts';
import { roomPrefix } from '../../src/room/stream.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { countingIds, recordingCourier, recordingLog } from '../support/world.ts';

export const room = (name: string) => {
  const uri = parseRoom(name, 'a.org');
  if (E.isLeft(uri)) throw new Error(`${name} is no room`);
  return uri.right;
};
export const user = (name: string) => {
  const parsed = parseMember(name, 'a.org');
  if (E.isLeft(parsed)) throw new Error(`${name} is no user`);
  return parsed.right.uri;
};

export interface NodeOptions {
  readonly store?: EventStore;
  /** Stands between the node and its store. */
  readonly wrap?: (store: EventStore) => EventStore;
  readonly notifyErrors?: boolean;
  readonly recordMessages?: boolean;
  readonly relayComposing?: boolean;
  readonly handOver?: boolean;
  /** Whether the node follows the log by subscription. */
  readonly following?: boolean;
}

/** Over all nodes: a Call-ID is never used for two requests. */
let calls = 0;

/** A node without sockets: engine, rooms and log, a courier that keeps what it is given, and a clock that stands still. */
export const createNode = (options: NodeOptions = {}) => {
  const clock = createFakeClock();
  const ids = { ...countingIds(), uuid: () => crypto.randomUUID() };
  const log = recordingLog();
  const plain = options.store ?? createMemoryStore(ids);
  const store = options.wrap?.(plain) ?? plain;
  const rooms = createRooms(4);
  const courier = recordingCourier(options.handOver);
  const unknown = createUnknownOutcomes();
  const following =
    options.following === false
      ? undefined
      : followLog({
          store: plain,
          clock,
          ids,
          log,
          name: 'rooms',
          from: undefined,
          onEvents: (events) => {
            for (const event of events) rooms.apply(event, clock.now());
            unknown.see(events);
          },
        });
  const conference = createConference({
    store,
    rooms,
    courier,
    clock,
    ids,
    log,
    unknown,
    policy: { createOnJoin: true, checkOnCreate: false },
    node: 'n1',
    startChar: '#',
    notifyErrors: options.notifyErrors ?? true,
    relayComposing: options.relayComposing ?? false,
    recordMessages: options.recordMessages ?? false,
    isRoomName: (name) => /^chat-[0-9]+$/.test(name),
    domains: new Set(['a.org']),
    lostSince: () => following?.lost()?.since,
  });

  const message = (
    from: string,
    to: string,
    text: string | Uint8Array,
    more: Partial<IncomingMessage> = {},
  ): IncomingMessage => {
    calls += 1;
    const callId = `call${calls}@test`;
    return {
      address: room(to),
      addressed: to === 'chat-manager' ? 'manager' : 'room',
      sender: user(from),
      contentType: 'text/plain',
      body: typeof text === 'string' ? Buffer.from(text) : text,
      origin: {
        source: 'udp:127.0.0.1:5062',
        correlationId: callId,
        request: { callId, cseq: '1 MESSAGE', fromTag: 't' },
      },
      ...more,
    };
  };
  const give = (incoming: IncomingMessage): Promise<Answer> =>
    new Promise((resolve) => conference.message(incoming, resolve));

  return {
    clock,
    log,
    store,
    rooms,
    courier,
    conference,
    unknown,
    message,
    give,
    /** Sends a text as a user to a room or the manager, and waits for the answer. */
    say: (from: string, to: string, text: string) => give(message(from, to, text)),
    /** Types of a room's events. */
    events: async (name: string): Promise<readonly string[]> => {
      const types: string[] = [];
      for await (const { type } of plain.readStream(`${roomPrefix}${name}@a.org`)) types.push(type);
      return types;
    },
    stop: () => following?.stop(),
  };
};

/** Lets everything that is ready run. */
export const settle = async (): Promise<void> => {
  for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setImmediate(resolve));
};
