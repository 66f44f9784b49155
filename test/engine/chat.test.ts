import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { recipientsIn } from '../support/world.ts';
import { createNode, settle } from './harness.ts';

const inRoom = async (options: Parameters<typeof createNode>[0] = {}) => {
  const node = createNode(options);
  await node.say('alice', 'chat-1', '#join');
  await node.say('bob', 'chat-1', '#join');
  await node.say('carol', 'chat-1', '#join');
  node.courier.sent.length = 0;
  return node;
};

describe('4. chat messages', () => {
  it('go from the room to every other member, with the sender before them', async () => {
    const node = await inRoom();
    assert.deepEqual(await node.say('bob', 'chat-1', 'hello'), { kind: 'done' });
    assert.deepEqual(node.courier.texts(), ['alice: <bob@a.org>: hello', 'carol: <bob@a.org>: hello']);
    assert.equal(node.courier.sent[0]?.from, 'sip:chat-1@a.org');
  });

  it('keep their bytes', async () => {
    const node = await inRoom();
    await node.give(
      node.message('bob', 'chat-1', new Uint8Array([0xff, 0x00, 0xfe]), { contentType: 'text/plain;charset=x' }),
    );
    assert.deepEqual(Buffer.from(node.courier.sent[0]?.body ?? []).subarray(-3), Buffer.from([0xff, 0x00, 0xfe]));
    assert.equal(node.courier.sent[0]?.contentType, 'text/plain;charset=x');
  });

  it('of another kind than text are relayed unchanged, and the sender is asserted', async () => {
    const node = await inRoom();
    await node.give(node.message('bob', 'chat-1', 'From: x', { contentType: 'message/cpim' }));
    assert.equal(node.courier.texts()[0], 'alice: From: x');
    assert.equal(node.courier.sent[0]?.assertedIdentity, 'sip:bob@a.org');
  });

  it('by somebody who is no member, or invited only, are refused 403', async () => {
    const node = await inRoom();
    await node.say('alice', 'chat-1', '#invite dave');
    for (const stranger of ['dave', 'eve']) {
      const answer = await node.say(stranger, 'chat-1', 'hi');
      assert.deepEqual(answer, { kind: 'refused', refusal: { reason: 'NotMember' } });
    }
  });

  it('to the manager are refused 400, and to a missing room 404', async () => {
    const node = await inRoom();
    assert.deepEqual(await node.say('bob', 'chat-manager', 'hi'), {
      kind: 'refused',
      refusal: { reason: 'ManagerTakesNoChat' },
    });
    assert.deepEqual(await node.say('bob', 'chat-9', 'hi'), { kind: 'refused', refusal: { reason: 'NoSuchRoom' } });
  });

  it('are answered 200 ms later at the latest', async () => {
    const node = await inRoom({ handOver: false });
    const answered: string[] = [];
    node.conference.message(node.message('bob', 'chat-1', 'slow'), ({ kind }) => void answered.push(kind));
    node.clock.advance(199);
    assert.deepEqual(answered, []);
    node.clock.advance(1);
    assert.deepEqual(answered, ['done']);
    node.courier.sent.at(-1)?.onHandedOver?.();
    assert.deepEqual(answered, ['done']);
  });

  it('typing notices are answered and dropped, unless relay_composing is on', async () => {
    for (const relayComposing of [false, true]) {
      const node = await inRoom({ relayComposing });
      const notice = node.message('bob', 'chat-1', '<isComposing/>', { contentType: 'application/im-iscomposing+xml' });
      assert.deepEqual(await node.give(notice), { kind: 'done' });
      assert.equal(node.courier.sent.length, relayComposing ? 1 : 0);
    }
  });

  it('are recorded in a stream of their own before they are answered, with record_messages', async () => {
    const node = await inRoom({ recordMessages: true });
    await Promise.all([node.say('bob', 'chat-1', 'one'), node.say('bob', 'chat-1', 'two')]);
    await node.give(node.message('bob', 'chat-1', new Uint8Array([0xff]), { contentType: 'application/octet-stream' }));
    const bodies: unknown[] = [];
    for await (const { type, data } of node.store.readStream('transcript-chat-1@a.org')) bodies.push([type, data]);
    const of = (contentType: string, body: object) => [
      'MessageSent',
      { room: 'sip:chat-1@a.org', member: 'sip:bob@a.org', contentType, ...body },
    ];
    assert.deepEqual(bodies, [
      of('text/plain', { body: 'one' }),
      of('text/plain', { body: 'two' }),
      of('application/octet-stream', { bodyBase64: '/w==' }),
    ]);
    assert.deepEqual(await node.events('chat-1'), ['RoomCreated', 'MemberJoined', 'MemberJoined']);
  });
});

describe('an invitation', () => {
  it('that no device takes is withdrawn, and the inviter is told', async () => {
    const node = await inRoom();
    await node.say('alice', 'chat-1', '#invite dave');
    const invitation = node.courier.sent.at(-1);
    invitation?.onDelivery?.(recipientsIn(invitation)[0] ?? assert.fail(), { kind: 'failed', reason: '404' });
    node.clock.advance(0);
    await settle();
    assert.equal(node.courier.texts().at(-1), 'alice: dave@a.org is not registered. ');
    assert.equal((await node.events('chat-1')).at(-1), 'InvitationWithdrawn');
  });

  it('that was sent again is withdrawn only where the last one failed', async () => {
    const node = await inRoom();
    await node.say('alice', 'chat-1', '#invite dave');
    const first = node.courier.sent.at(-1);
    await node.say('alice', 'chat-1', '#invite dave');
    const second = node.courier.sent.at(-1);
    first?.onDelivery?.(recipientsIn(first)[0] ?? assert.fail(), { kind: 'failed', reason: 'timeout' });
    second?.onDelivery?.(recipientsIn(second)[0] ?? assert.fail(), { kind: 'delivered' });
    node.clock.advance(1000);
    await settle();
    assert.equal((await node.events('chat-1')).at(-1), 'MemberInvited');
  });
});
