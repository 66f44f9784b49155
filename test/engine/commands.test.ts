import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EventStore } from '../../src/ports/event-store.ts';
import { roomKey } from '../../src/room/address.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { createNode, room, settle } from './harness.ts';

const done = { kind: 'done' };
const refused = (reason: string) => ({ kind: 'refused', refusal: { reason } });

describe('a command', () => {
  it('is an event before it is answered, and is announced after', async () => {
    const order: string[] = [];
    const node = createNode({
      wrap: (store) => ({
        ...store,
        append:
          (...args) =>
          async () => {
            const appended = await store.append(...args)();
            order.push('durable');
            return appended;
          },
      }),
    });
    const incoming = node.message('alice', 'chat-manager', '#create chat-1');
    await new Promise<void>((resolve) =>
      node.conference.message(incoming, () => {
        order.push(`answered, ${node.courier.sent.length} sent`);
        resolve();
      }),
    );
    await settle();
    assert.deepEqual(order, ['durable', 'answered, 0 sent']);
    assert.deepEqual(node.courier.texts(), ['alice: *** room was created']);
    assert.deepEqual(await node.events('chat-1'), ['RoomCreated']);
  });

  it('carries who asked, from where, and what it belongs to', async () => {
    const node = createNode();
    const join = node.message('alice', 'chat-1', '#join');
    const { correlationId } = join.origin;
    await node.give(join);
    for await (const { metadata, time } of node.store.readStream('room-chat-1@a.org')) {
      assert.deepEqual(metadata, {
        $correlationId: correlationId,
        $causationId: correlationId,
        version: 1,
        actor: 'sip:alice@a.org',
        source: 'udp:127.0.0.1:5062',
        node: 'n1',
        time,
        callId: correlationId,
        cseq: '1 MESSAGE',
        fromTag: 't',
      });
    }
  });

  it('that comes again is not executed again, and gets the answer of the first', async () => {
    const node = createNode();
    await node.say('alice', 'chat-1', '#join');
    const exit = node.message('bob', 'chat-1', '#join');
    assert.deepEqual(await node.give(exit), done);
    assert.deepEqual(await node.give(exit), done);
    assert.deepEqual(await node.events('chat-1'), ['RoomCreated', 'MemberJoined']);
    assert.equal(node.conference.counters.repeated, 1);
  });

  it('that comes again after a restart is known by its event', async () => {
    const node = createNode();
    const create = node.message('alice', 'chat-1', '#create chat-1');
    await node.give(create);
    node.stop();
    const restarted = createNode({ store: node.store });
    await settle();
    assert.deepEqual(await restarted.give(create), done);
    assert.deepEqual(await restarted.events('chat-1'), ['RoomCreated']);
    assert.deepEqual(restarted.courier.texts(), []);
  });

  it('that is refused appends nothing, and the sender is told why', async () => {
    const node = createNode();
    await node.say('alice', 'chat-1', '#join');
    assert.deepEqual(await node.say('bob', 'chat-1', '#destroy'), refused('NotOwner'));
    assert.deepEqual(await node.events('chat-1'), ['RoomCreated']);
    assert.equal(node.courier.texts().at(-1), 'bob: *** Only the owner may do this');
  });

  it('is refused in silence with notify_errors off', async () => {
    const node = createNode({ notifyErrors: false });
    await node.say('bob', 'chat-1', '#exit');
    assert.deepEqual(node.courier.texts(), []);
  });

  it('that is unknown gets its own text and not the reason beside it', async () => {
    const node = createNode();
    await node.say('bob', 'chat-1', '#dance');
    assert.deepEqual(node.courier.texts(), ["bob: invalid command 'dance' - send '#help' for details"]);
  });

  it('goes with those that wait for the same room in one write, each decided on what the ones before left', async () => {
    const batches: number[] = [];
    const node = createNode({
      wrap: (store) => ({
        ...store,
        append: (stream, expected, events) => {
          batches.push(events.length);
          return store.append(stream, expected, events);
        },
      }),
    });
    const answers = await Promise.all([
      node.say('alice', 'chat-1', '#join'),
      node.say('bob', 'chat-1', '#join'),
      node.say('carol', 'chat-1', '#join'),
      node.say('bob', 'chat-1', '#exit'),
      node.say('bob', 'chat-1', '#exit'),
    ]);
    assert.deepEqual(batches, [1, 3]);
    assert.deepEqual(answers, [done, done, done, done, refused('NotMember')]);
    assert.deepEqual(await node.events('chat-1'), ['RoomCreated', 'MemberJoined', 'MemberJoined', 'MemberExited']);
    assert.deepEqual(
      [...(node.rooms.get(roomKey(room('chat-1')))?.members.keys() ?? [])],
      ['alice@a.org', 'carol@a.org'],
    );
  });

  it('is decided again where somebody else was first', async () => {
    const ids = { uuid: () => crypto.randomUUID() };
    const store = createMemoryStore(ids);
    const first = createNode({ store });
    // The second node does not follow the log: it lags until it must look.
    const second = createNode({ store, following: false });
    await first.say('alice', 'chat-1', '#create chat-1');
    assert.deepEqual(await second.say('bob', 'chat-1', '#create chat-1'), done);
    assert.deepEqual(await first.events('chat-1'), ['RoomCreated', 'MemberJoined']);
    assert.equal(second.conference.counters.retried, 1);
  });

  it('sent to two nodes is executed once', async () => {
    const store = createMemoryStore({ uuid: () => crypto.randomUUID() });
    const nodes = [createNode({ store, following: false }), createNode({ store, following: false })] as const;
    const create = nodes[0].message('alice', 'chat-manager', '#create chat-1');
    assert.deepEqual(await Promise.all(nodes.map((node) => node.give(create))), [done, done]);
    assert.deepEqual(await nodes[0].events('chat-1'), ['RoomCreated']);
    assert.equal(nodes[0].courier.texts().length + nodes[1].courier.texts().length, 1);
  });

  it('is not refused from a state that lags, on a shared log', async () => {
    const store = createMemoryStore({ uuid: () => crypto.randomUUID() });
    const first = createNode({ store });
    const shared = (one: EventStore): EventStore => ({ ...one, shared: true });
    const second = createNode({ store, wrap: shared, following: false });
    await first.say('alice', 'chat-1', '#join');
    assert.deepEqual(await second.say('alice', 'chat-1', '#list'), done);
    assert.deepEqual(second.courier.texts(), ['alice: Members:\n*sip:alice@a.org']);
  });
});
