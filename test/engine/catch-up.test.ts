import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { catchUpMs, catchUpRoom } from '../../src/engine/catch-up.ts';
import type { EventStore, StoredEvent } from '../../src/ports/event-store.ts';
import { roomKey } from '../../src/room/address.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { createNode, room } from './harness.ts';

const key = roomKey(room('chat-1'));
const ids = { uuid: () => crypto.randomUUID() };
const shared = (store: EventStore): EventStore => ({ ...store, shared: true });

/** Two nodes on one log; the second does not follow it, and sees the log through `wrap`. */
const pair = (wrap: (store: EventStore) => EventStore = shared) => {
  const store = createMemoryStore(ids);
  return { first: createNode({ store }), second: createNode({ store, wrap, following: false }) };
};

async function* without(events: AsyncIterable<StoredEvent>, revision: bigint): AsyncIterable<StoredEvent> {
  for await (const event of events) if (event.revision !== revision) yield event;
}

describe('catching up with a room', () => {
  it('reads its stream to the end', async () => {
    const { first, second } = pair();
    await first.say('alice', 'chat-1', '#join');
    await first.say('bob', 'chat-1', '#join');
    assert.deepEqual(await catchUpRoom(second)(key)(), E.right(undefined));
    assert.equal(second.rooms.revision(key), 1n);
  });

  it('folds the room anew where an event had been missed', async () => {
    let reads = 0;
    const { first, second } = pair((store) => ({
      ...shared(store),
      readStream: (stream, range) => {
        reads += 1;
        return reads === 1 ? without(store.readStream(stream, range), 1n) : store.readStream(stream, range);
      },
    }));
    for (const name of ['alice', 'bob', 'carol']) await first.say(name, 'chat-1', '#join');
    assert.deepEqual(await catchUpRoom(second)(key)(), E.right(undefined));
    assert.deepEqual([reads, second.rooms.get(key)?.members.size], [2, 3]);
  });

  it('is a defect where the log itself has lost one', async () => {
    const { first, second } = pair((store) => ({
      ...shared(store),
      readStream: (stream, range) => without(store.readStream(stream, range), 1n),
    }));
    for (const name of ['alice', 'bob', 'carol']) await first.say(name, 'chat-1', '#join');
    const caughtUp = await catchUpRoom(second)(key)();
    assert.equal(E.isLeft(caughtUp) && caughtUp.left.kind, 'Defect');
    assert.match(E.isLeft(caughtUp) ? caughtUp.left.message : '', /stream room-chat-1@a\.org has a gap/);
  });

  it('fails where it takes too long', async () => {
    const { first, second } = pair((store) => ({
      ...shared(store),
      readStream: async function* (stream, range) {
        for await (const event of store.readStream(stream, range)) {
          second.clock.advance(catchUpMs);
          yield event;
        }
      },
    }));
    for (const name of ['alice', 'bob']) await first.say(name, 'chat-1', '#join');
    const caughtUp = await catchUpRoom(second)(key)();
    assert.equal(E.isLeft(caughtUp) && caughtUp.left.kind, 'Lagging');
  });
});

describe('a chat message on a shared log', () => {
  it('is not refused from a state that lags', async () => {
    const { first, second } = pair();
    for (const name of ['alice', 'bob']) await first.say(name, 'chat-1', '#join');
    assert.deepEqual(await second.say('alice', 'chat-1', 'hi'), { kind: 'done' });
    assert.deepEqual(second.courier.texts(), ['bob: <alice@a.org>: hi']);
  });

  it('is refused once the room is known to its end', async () => {
    const { first, second } = pair();
    await first.say('alice', 'chat-1', '#join');
    const refused = (reason: string) => ({ kind: 'refused', refusal: { reason } });
    assert.deepEqual(await second.say('bob', 'chat-1', 'hi'), refused('NotMember'));
    assert.deepEqual(await second.say('bob', 'chat-2', 'hi'), refused('NoSuchRoom'));
  });

  it('fails where the log cannot be asked', async () => {
    const failure = { kind: 'StoreUnavailable', message: 'away' } as const;
    const { second } = pair((store) => ({ ...shared(store), lastRevision: () => TE.left(failure) }));
    assert.deepEqual(await second.say('bob', 'chat-1', 'hi'), { kind: 'failed', failure });
  });
});
