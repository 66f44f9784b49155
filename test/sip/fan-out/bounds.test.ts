import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Outgoing } from '../../../src/ports/courier.ts';
import type { MemberUri } from '../../../src/room/address.ts';
import { type FanOutWorld, fanOutWorld, member, members, note, type Sent } from '../support/fan-out-world.ts';

const outboundProxy = 'sip:192.0.2.9:5070';
const outgoing = (recipients: readonly MemberUri[], more: Partial<Outgoing> = {}): Outgoing => ({
  from: 'sip:chat-1@imc.test',
  recipients,
  contentType: 'text/plain',
  body: Buffer.from('hello'),
  ...more,
});
const dead = member('sip:dead@imc.test');
const live = member('sip:live@imc.test');
const isTo =
  (user: MemberUri) =>
  (request: Sent): boolean =>
    request.text.includes(`To: <${user}>`);

/** Two members with a binding each; the live one's copies are answered at once. */
const twoMembers = (): FanOutWorld => {
  const world = fanOutWorld();
  world.bindings.set('dead@imc.test', [
    { target: { transport: 'udp', host: '10.0.0.1', port: 1 }, contact: 'sip:d@d' },
  ]);
  world.bindings.set('live@imc.test', [
    { target: { transport: 'udp', host: '10.0.0.2', port: 2 }, contact: 'sip:l@l' },
  ]);
  return world;
};
const answerTo = (world: FanOutWorld, user: MemberUri, from: number): void => {
  for (const request of world.sent.slice(from).filter(isTo(user))) world.answer(request, 200);
};

describe('slices', () => {
  it('spread a large room over turns of the event loop, and rooms take turns', () => {
    const world = fanOutWorld({ outboundProxy });
    world.courier.send(outgoing(members(1_000)));
    world.courier.send(outgoing([live], { from: 'sip:chat-2@imc.test' }));
    const turns = world.turn();
    assert.equal(world.sent.length, 1_001);
    assert.ok(turns >= 1_000 / 48, `${turns} turns`);
    assert.ok(world.sent.findIndex(isTo(live)) < 48, 'the small room waited for the large one');
  });

  it('keep a room’s messages in their order for everybody', () => {
    const world = fanOutWorld({ outboundProxy });
    const recipients = members(100);
    for (const body of ['1', '2', '3']) world.courier.send(outgoing(recipients, { body: Buffer.from(body) }));
    world.courier.send(outgoing(members(70), { from: 'sip:chat-2@imc.test' }));
    world.turn();
    assert.equal(world.sent.length, 370);
    for (const recipient of recipients) {
      const bodies = world.sent
        .filter((one) => isTo(recipient)(one) && one.text.includes('From: <sip:chat-1@'))
        .map(({ text }) => text.slice(-1));
      assert.equal(bodies.join(''), '123');
    }
  });

  it('tell once, when every first transmission has been handed over', () => {
    const world = fanOutWorld({ outboundProxy });
    let handedOver: number | undefined;
    world.courier.send(
      outgoing(members(200), {
        onHandedOver: () => {
          assert.equal(handedOver, undefined);
          handedOver = world.sent.length;
        },
      }),
    );
    assert.equal(handedOver, undefined);
    world.turn();
    assert.equal(handedOver, 200);
  });

  it('hand over nothing for nobody', () => {
    const world = fanOutWorld({ outboundProxy });
    let handedOver = 0;
    world.courier.send(
      outgoing([], {
        onHandedOver: () => {
          handedOver += 1;
        },
      }),
    );
    world.courier.send(
      outgoing([live], {
        except: live,
        onHandedOver: () => {
          handedOver += 1;
        },
      }),
    );
    world.turn();
    assert.equal(handedOver, 2);
  });

  it('do not touch bytes that a transport still holds', () => {
    const world = fanOutWorld({ outboundProxy });
    world.network.takes = false;
    for (let i = 0; i < 3; i += 1) world.courier.send(outgoing(members(40)));
    world.turn();
    const branches = new Set(world.sent.map(({ text }) => /branch=(\S+)/.exec(text)?.[1]));
    assert.equal(branches.size, 120);
    for (const { text } of world.sent) {
      const unique = /branch=z9hG4bK(\S+)/.exec(text)?.[1];
      assert.equal(/;tag=(\S+)/.exec(text)?.[1], unique);
      assert.equal(/Call-ID: (\S+)/.exec(text)?.[1], unique);
    }
  });
});

describe('repetitions', () => {
  it('are the same bytes again', () => {
    const world = twoMembers();
    world.courier.send(outgoing([live]));
    world.turn();
    world.advance(1_600);
    assert.equal(world.sent.length, 3);
    assert.equal(world.sent[1]?.text, world.sent[0]?.text);
    assert.equal(world.sent[2]?.text, world.sent[0]?.text);
  });

  it('end with the answer', () => {
    const world = twoMembers();
    world.courier.send(outgoing([live]));
    world.turn();
    answerTo(world, live, 0);
    world.advance(10_000);
    assert.equal(world.sent.length, 1);
  });
});

describe('a dead destination', () => {
  it('delays nobody, is told as a timeout, and costs less and less', () => {
    const world = twoMembers();
    const ended: string[] = [];
    const recipients = [dead, live];
    // One message a second for two minutes.
    for (let second = 0; second < 120; second += 1) {
      const from = world.sent.length;
      world.courier.send(outgoing(recipients, { onDelivery: note(ended) }));
      world.turn();
      assert.equal(world.sent.slice(from).filter(isTo(live)).length, 1, 'the live one waited');
      answerTo(world, live, from);
      world.advance(1_000);
    }
    assert.equal(ended.filter((line) => line === 'live: delivered').length, 120);
    const toDead = world.sent.filter(isTo(dead));
    const late = toDead.filter(({ at }) => at > 60_000);
    // A full transaction would be 11 transmissions each second's message.
    assert.ok(late.length <= 183, `${late.length} transmissions in the second minute`);
    assert.ok(ended.filter((line) => line === 'dead: timeout').length > 100);
    const { counters } = world.transactions;
    assert.equal(counters.retransmissions, world.sent.length - counters.started);
    assert.ok(world.transactions.pending() <= 9, `${world.transactions.pending()} under way`);
  });

  it('is alive again with its first answer', () => {
    const world = twoMembers();
    for (let i = 0; i < 3; i += 1) world.courier.send(outgoing([dead]));
    world.turn();
    world.advance(33_000);
    assert.equal(world.courier.counters.failures.timeout, 3);
    const from = world.sent.length;
    for (let i = 0; i < 10; i += 1) world.courier.send(outgoing([dead]));
    world.turn();
    world.advance(600);
    assert.equal(world.sent.length - from, 12, 'a dead one gets few repetitions');
    answerTo(world, dead, from);
    const back = world.sent.length;
    for (let i = 0; i < 10; i += 1) world.courier.send(outgoing([dead]));
    world.turn();
    world.advance(600);
    assert.equal(world.sent.length - back, 20, 'a live one gets all');
  });

  it('has few copies under way; those beyond fail at once', () => {
    const world = twoMembers();
    for (let i = 0; i < 3; i += 1) world.courier.send(outgoing([dead]));
    world.turn();
    world.advance(33_000);
    const ended: string[] = [];
    for (let i = 0; i < 100; i += 1) world.courier.send(outgoing([dead], { onDelivery: note(ended) }));
    world.turn();
    assert.equal(ended.filter((line) => line === 'dead: unreachable').length, 68);
  });
});

describe('the bounds', () => {
  it('let a destination have 4,096 copies under way, 16,384 waiting, and drop the rest, counted', () => {
    const world = fanOutWorld({ outboundProxy, burst: () => 1_000_000 });
    let handedOver = 0;
    world.courier.send(
      outgoing(members(4_096 + 16_384 + 10), {
        onHandedOver: () => {
          handedOver += 1;
        },
      }),
    );
    world.turn();
    assert.equal(world.sent.length, 4_096);
    assert.equal(world.courier.queueDepth(), 16_384);
    assert.deepEqual(world.courier.counters.failures, { overflow: 10 });
    assert.equal(handedOver, 0);
    for (let from = 0; world.sent.length > from; ) {
      const requests = world.sent.slice(from);
      from = world.sent.length;
      for (const request of requests) world.answer(request, 200);
      world.turn();
    }
    assert.equal(world.courier.counters.delivered, 4_096 + 16_384);
    assert.equal(handedOver, 1);
    assert.equal(world.courier.queueDepth(), 0);
  });

  it('give up a message whole where too many recipients wait already', () => {
    const world = fanOutWorld({ outboundProxy });
    const many = members(250_000);
    const ended: string[] = [];
    world.courier.send(outgoing(many));
    world.courier.send(outgoing(many));
    let handedOver = 0;
    world.courier.send(
      outgoing([live], {
        onDelivery: note(ended),
        onHandedOver: () => {
          handedOver += 1;
        },
      }),
    );
    assert.deepEqual(ended, [], 'nothing is called before send returns');
    world.courier.close();
    world.turn();
    assert.deepEqual(ended, ['live: overflow']);
    assert.equal(handedOver, 1);
  });

  it('make a send that the transport refuses a failed delivery', () => {
    const world = twoMembers();
    world.network.fails = ({ host }) => (host === '10.0.0.1' ? 'EPERM' : undefined);
    const ended: string[] = [];
    let handedOver = 0;
    world.courier.send(
      outgoing([dead, live], {
        onDelivery: note(ended),
        onHandedOver: () => {
          handedOver += 1;
        },
      }),
    );
    world.turn();
    assert.deepEqual(ended, ['dead: EPERM']);
    assert.equal(handedOver, 1);
    assert.equal(world.sent.length, 1);
    assert.deepEqual(world.courier.counters.failures, { EPERM: 1 });
  });
});

describe('the pace', () => {
  it('has no more copies out by UDP than the receive buffer holds answers, and goes on with each answer', () => {
    const world = fanOutWorld({ outboundProxy, burst: () => 100 });
    world.courier.send(outgoing(members(1_000)));
    world.turn();
    assert.equal(world.sent.length, 100);
    for (let i = 0; i < 900; i += 1) {
      const request = world.sent[i];
      if (request !== undefined) world.answer(request, 200);
      world.turn();
      assert.equal(world.sent.length, 101 + i);
    }
  });

  it('goes on without answers, 100 ms later', () => {
    const world = fanOutWorld({ outboundProxy, burst: () => 100 });
    world.courier.send(outgoing(members(1_000)));
    world.turn();
    world.clock.advance(85);
    world.turn();
    assert.equal(world.sent.length, 100);
    world.clock.advance(15);
    world.turn();
    assert.equal(world.sent.length, 200);
    for (let i = 0; i < 8; i += 1) {
      world.clock.advance(100);
      world.turn();
    }
    assert.equal(world.sent.length, 1_000);
    // An answer that comes later than that makes no room twice.
    const [first] = world.sent;
    if (first !== undefined) world.answer(first, 200);
    world.courier.send(outgoing(members(1_000)));
    world.turn();
    assert.equal(world.sent.length, 1_000);
  });

  it('is not held by what goes over TCP', () => {
    const world = fanOutWorld({ outboundProxy: `${outboundProxy};transport=tcp`, burst: () => 100 });
    world.courier.send(outgoing(members(1_000)));
    world.turn();
    assert.equal(world.sent.length, 1_000);
  });
});
