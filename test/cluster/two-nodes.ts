import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { it, type TestContext } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import type { Answer, IncomingMessage } from '../../src/engine/conference.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import { createRooms, type Rooms } from '../../src/read-models/rooms.ts';
import { roomPrefix } from '../../src/room/stream.ts';
import { createNode } from '../engine/harness.ts';
import { until } from '../support/until.ts';

/** Two stores on one log, as two processes would have them; whoever makes them closes them (`t.after`). */
export type MakeStores = (t: TestContext) => Promise<readonly [EventStore, EventStore]>;

const roomCount = 50;
const users = 12;
const inFlight = 256;

type Node = ReturnType<typeof createNode>;

const pick = <A>(list: readonly A[]): A => {
  const one = list[randomInt(list.length)];
  if (one === undefined) throw new Error('nothing to pick from');
  return one;
};
const someUser = (): string => `user${randomInt(users)}`;

/** Weighted by repetition: rooms must live long enough for something to happen in them. */
const texts: readonly (() => string)[] = [
  () => '#join',
  () => '#join',
  () => '#join',
  () => `#invite ${someUser()}`,
  () => `#invite ${someUser()}`,
  () => '#accept',
  () => '#deny',
  () => `#add ${someUser()}`,
  () => `#remove ${someUser()}`,
  () => `#modify ${someUser()} ${pick(['owner', 'admin', 'member'])}`,
  () => '#exit',
  () => '#destroy',
];
/** Done, these have always changed something. */
const alwaysAnEvent = /^#(?:deny|exit|destroy|remove)/;

interface Asked {
  readonly callId: string;
  readonly text: string;
  readonly answers: readonly Answer[];
}

const stateOf = (rooms: Rooms): readonly unknown[] => {
  const records = [];
  for (let bucket = 0; bucket < rooms.buckets; bucket += 1) {
    for (const { key, revision, room } of rooms.dump(bucket)) {
      records.push([key, revision, room && { ...room, members: [...room.members] }] as const);
    }
  }
  return records.sort(([a], [b]) => (a < b ? -1 : 1));
};

/** Sends `count` random commands through both nodes, some of them to both at once. */
const storm = async (nodes: readonly [Node, Node], prefix: number, count: number): Promise<readonly Asked[]> => {
  const asked: Asked[] = [];
  let left = count;
  const one = async (): Promise<void> => {
    const text = pick(texts)();
    const to = `chat-${prefix + randomInt(roomCount)}`;
    const [first, second] = randomInt(2) === 0 ? nodes : ([nodes[1], nodes[0]] as const);
    const message: IncomingMessage = first.message(someUser(), to, text);
    // A client whose request forks, or that sends again to another front end: the same Call-ID, CSeq and From tag.
    const answers = randomInt(10) === 0 ? [first.give(message), second.give(message)] : [first.give(message)];
    asked.push({ callId: message.origin.correlationId, text, answers: await Promise.all(answers) });
  };
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await one();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return asked;
};

const callIdOf = (metadata: unknown): string =>
  typeof metadata === 'object' && metadata !== null && 'callId' in metadata ? String(metadata.callId) : '';

/** The tests that two nodes on one log must pass, on every kind of log. */
export const twoNodes = (make: MakeStores, count: number): void => {
  it(`${count} random commands over ${roomCount} rooms through both: one truth, each done once, each told once`, async (t) => {
    const [a, b] = await make(t);
    const nodes = [createNode({ store: a }), createNode({ store: b })] as const;
    t.after(() => {
      for (const node of nodes) node.stop();
    });
    const prefix = randomInt(1, 1_000_000_000) * 100;
    const mine = (stream: string): boolean => {
      const name = /^room-chat-(\d+)@a\.org$/.exec(stream)?.[1];
      return name !== undefined && Number(name) >= prefix && Number(name) < prefix + roomCount;
    };
    const asked = await storm(nodes, prefix, count);

    // A fresh replay is the truth.
    const replayed = createRooms(4);
    const eventsOf = new Map<string, number>();
    for await (const event of a.readAll()) {
      if (!mine(event.stream)) continue;
      assert.equal(replayed.apply(event, Date.now()), 'applied');
      const callId = callIdOf(event.metadata);
      eventsOf.set(callId, (eventsOf.get(callId) ?? 0) + 1);
    }
    const truth = stateOf(replayed);
    assert.ok(truth.length > roomCount / 2, 'hardly any room was ever made');
    const ours = (rooms: Rooms) =>
      stateOf(rooms).filter((record) => Array.isArray(record) && mine(`${roomPrefix}${String(record[0])}`));
    for (const { rooms } of nodes) {
      await until('the node has followed', () => JSON.stringify(ours(rooms)).length === JSON.stringify(truth).length);
      assert.deepEqual(ours(rooms), truth);
    }
    for (const room of replayed.all()) {
      assert.equal([...room.members.values()].filter(({ role }) => role === 'owner').length, 1, room.uri);
    }

    // Every event has its done command and the reverse, whichever node was asked, and however often.
    for (const { callId, text, answers } of asked) {
      const events = eventsOf.get(callId) ?? 0;
      assert.ok(events <= 1, `${text} was executed ${events} times`);
      for (const answer of answers) assert.notEqual(answer.kind, 'failed', JSON.stringify(answer));
      if (events === 1)
        assert.ok(
          answers.some(({ kind }) => kind === 'done'),
          `${text} has an event and was refused`,
        );
      if (answers.some(({ kind }) => kind === 'done') && alwaysAnEvent.test(text)) assert.equal(events, 1, text);
      eventsOf.delete(callId);
    }
    assert.deepEqual([...eventsOf], [], 'events that nobody asked for');

    // Nothing is told twice: what a request led to leaves one node only.
    const told = new Map<string, number>();
    for (const { courier } of nodes) {
      for (const { inReplyTo, body } of courier.sent) {
        const text = Buffer.from(body).toString();
        if (!/has joined|has left|destroyed|is now/.test(text)) continue;
        const key = `${inReplyTo} ${text}`;
        told.set(key, (told.get(key) ?? 0) + 1);
      }
    }
    assert.ok(told.size > 100, 'hardly anything was told');
    assert.deepEqual(
      [...told].filter(([, times]) => times > 1),
      [],
    );
  });

  it('two decisions at the same moment: one wins, the other is decided again on what it finds', async (t) => {
    const [a, b] = await make(t);
    const nodes = [createNode({ store: a }), createNode({ store: b })] as const;
    t.after(() => {
      for (const node of nodes) node.stop();
    });
    const name = `chat-${randomInt(1, 1_000_000_000)}`;
    const answers = await Promise.all([
      nodes[0].say('alice', name, `#create ${name}`),
      nodes[1].say('bob', name, `#join`),
    ]);
    assert.deepEqual(
      answers.map(({ kind }) => kind),
      ['done', 'done'],
    );
    const types = await nodes[0].events(name);
    assert.deepEqual(types, ['RoomCreated', 'MemberJoined']);
  });

  it('a refusal is never given from a node that lags', async (t) => {
    const [a, b] = await make(t);
    const ahead = createNode({ store: a });
    const behind = createNode({ store: b, following: false });
    t.after(() => ahead.stop());
    const name = `chat-${randomInt(1, 1_000_000_000)}`;
    assert.equal((await ahead.say('alice', name, '#join')).kind, 'done');
    assert.equal((await ahead.say('alice', name, '#invite bob')).kind, 'done');
    assert.equal((await behind.say('bob', name, '#accept')).kind, 'done');
    const refused = await behind.say('carol', name, '#accept');
    assert.ok(refused.kind === 'refused');
    const last = await a.lastRevision(`${roomPrefix}${name}@a.org`)();
    assert.ok(E.isRight(last) && last.right === 2n);
  });
};
