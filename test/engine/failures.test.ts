import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { AppendFailure, EventStore, StoreFailure } from '../../src/ports/event-store.ts';
import { roomKey } from '../../src/room/address.ts';
import { createNode, room, settle } from './harness.ts';

const unavailable: StoreFailure = { kind: 'StoreUnavailable', message: 'away' };
const unknown: AppendFailure = { kind: 'OutcomeUnknown', message: 'no answer in time' };

const failing = (failure: AppendFailure) => (store: EventStore) => ({ ...store, append: () => TE.left(failure) });

describe('while the log is away', () => {
  it('a command fails, nothing changes and nothing is announced', async () => {
    const node = createNode({ wrap: failing(unavailable) });
    assert.deepEqual(await node.say('alice', 'chat-1', '#join'), { kind: 'failed', failure: unavailable });
    assert.equal(node.rooms.size, 0);
    assert.deepEqual(node.courier.texts(), []);
  });

  it('chat among known members goes on, and a list or a topic says how old it is', async () => {
    let away = false;
    const node = createNode({
      wrap: (store) => ({
        ...store,
        shared: true,
        append: (...args) => (away ? TE.left(unavailable) : store.append(...args)),
        lastRevision: (stream) => (away ? TE.left(unavailable) : store.lastRevision(stream)),
      }),
    });
    await node.say('alice', 'chat-1', '#join');
    await node.say('bob', 'chat-1', '#join');
    away = true;
    node.courier.sent.length = 0;
    assert.deepEqual(await node.say('bob', 'chat-1', 'hi'), { kind: 'done' });
    assert.deepEqual(await node.say('bob', 'chat-1', '#list'), { kind: 'done' });
    assert.deepEqual(await node.say('bob', 'chat-1', '#topic'), { kind: 'done' });
    assert.deepEqual(await node.say('carol', 'chat-1', '#exit'), { kind: 'failed', failure: unavailable });
    assert.deepEqual(node.courier.texts(), [
      'alice: <bob@a.org>: hi',
      'bob: Members:\n*sip:alice@a.org\nsip:bob@a.org',
      'bob: *** the log cannot be reached: this is as of 0 s ago',
      'bob: *** No topic is set',
      'bob: *** the log cannot be reached: this is as of 0 s ago',
    ]);
  });
});

describe('an append of unknown outcome', () => {
  it('is no 2xx; where it was written after all, the node announces it, once', async () => {
    let write: (() => Promise<unknown>) | undefined;
    const node = createNode({
      wrap: (store) => ({
        ...store,
        append: (...args) => {
          write = store.append(...args);
          return TE.left(unknown);
        },
      }),
    });
    assert.deepEqual(await node.say('alice', 'chat-1', '#create chat-1'), { kind: 'failed', failure: unknown });
    assert.equal(node.unknown.size, 1);
    await write?.();
    await settle();
    assert.deepEqual(node.courier.texts(), ['alice: *** room was created']);
    assert.equal(node.rooms.size, 1);
    assert.equal(node.unknown.size, 0);
  });

  it('is known where the log has shown its event before', async () => {
    const node = createNode({
      wrap: (store) => ({
        ...store,
        append:
          (...args) =>
          async () => {
            await store.append(...args)();
            await settle();
            return TE.left<AppendFailure, never>(unknown)();
          },
      }),
    });
    assert.deepEqual(await node.say('alice', 'chat-1', '#create chat-1'), { kind: 'done' });
    assert.deepEqual(node.courier.texts(), ['alice: *** room was created']);
    assert.equal(node.unknown.size, 0);
  });

  it('that was not written is never announced', async () => {
    const node = createNode({ wrap: failing(unknown) });
    await node.say('alice', 'chat-1', '#create chat-1');
    await settle();
    assert.deepEqual(node.courier.texts(), []);
  });
});

describe('an event that this node does not know', () => {
  it('stops its room on this node, and no other', async () => {
    const node = createNode();
    await node.say('alice', 'chat-1', '#join');
    await node.store.append('room-chat-1@a.org', 0n, [
      { id: crypto.randomUUID(), type: 'RoomPainted', data: { colour: 'blue' }, metadata: { version: 1 } },
    ])();
    await settle();
    const answer = await node.say('bob', 'chat-1', '#join');
    assert.equal(answer.kind === 'failed' && answer.failure.kind, 'RoomStopped');
    assert.match(node.rooms.stopped(roomKey(room('chat-1'))) ?? '', /RoomPainted/);
    assert.deepEqual(await node.say('bob', 'chat-2', '#join'), { kind: 'done' });
  });
});

describe('overload', () => {
  it('is a failure of its own once too many commands wait', async () => {
    const node = createNode({ wrap: (store) => ({ ...store, append: () => () => new Promise(() => {}) }) });
    for (let i = 0; i < 10_000; i += 1) void node.say('alice', `chat-${i % 100}`, '#join');
    const answer = await node.say('alice', 'chat-1', '#join');
    assert.equal(answer.kind === 'failed' && answer.failure.kind, 'Overloaded');
  });
});
