import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { followLog } from '../../src/engine/follow-log.ts';
import type { EventStore, Position, StoredEvent, StoreFailure, Subscriber } from '../../src/ports/event-store.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { quiet } from '../support/world.ts';

const away: StoreFailure = { kind: 'StoreUnavailable', message: 'away' };

/** A store whose subscriptions the test plays. */
const played = () => {
  const subscribed: { readonly after: Position | undefined; readonly subscriber: Subscriber }[] = [];
  const subscribe: EventStore['subscribe'] = (after, subscriber) => {
    subscribed.push({ after, subscriber });
    return { stop: () => {} };
  };
  return { subscribed, subscribe };
};

const event = (n: number): StoredEvent => ({
  id: `00000000-0000-4000-8000-00000000000${n}`,
  stream: 'room-chat-1@a.org',
  revision: BigInt(n),
  position: `p${n}` as Position,
  type: 'MemberJoined',
  time: '',
  data: {},
  metadata: {},
});

const following = () => {
  const clock = createFakeClock();
  const { subscribed, subscribe } = played();
  const taken: string[] = [];
  const failures: string[] = [];
  const consumer = followLog({
    store: { subscribe },
    clock,
    ids: { chance: () => 1 },
    log: quiet,
    name: 'test',
    from: undefined,
    onEvents: (events) => void taken.push(...events.map(({ position }) => position)),
    onLost: ({ kind }) => void failures.push(kind),
  });
  return { clock, subscribed, taken, failures, consumer };
};

describe('following the log', () => {
  it('goes on from its own position after a lost connection', () => {
    const { clock, subscribed, taken, consumer } = following();
    subscribed[0]?.subscriber.onEvents([event(0), event(1)]);
    subscribed[0]?.subscriber.onStopped(away);
    assert.equal(consumer.live(), false);
    assert.deepEqual(consumer.lost()?.failure, away);
    clock.advance(1000);
    assert.equal(subscribed[1]?.after, 'p1');
    subscribed[1]?.subscriber.onEvents([event(2)]);
    subscribed[1]?.subscriber.onCaughtUp?.();
    assert.deepEqual(taken, ['p0', 'p1', 'p2']);
    assert.equal(consumer.live(), true);
    assert.equal(consumer.lost(), undefined);
  });

  it('tries again for ever, at growing distances that stay below a second', () => {
    const { clock, subscribed, failures } = following();
    for (let tries = 0; tries < 20; tries += 1) {
      subscribed.at(-1)?.subscriber.onStopped(away);
      clock.advance(999);
    }
    assert.equal(subscribed.length, 21);
    assert.equal(failures.length, 20);
  });

  it('says since when the log is not followed, over many tries', () => {
    const { clock, subscribed, consumer } = following();
    const since = clock.now();
    subscribed[0]?.subscriber.onStopped(away);
    clock.advance(1000);
    subscribed[1]?.subscriber.onStopped({ kind: 'StoreDamaged', message: 'worse' });
    assert.deepEqual(consumer.lost(), { failure: { kind: 'StoreDamaged', message: 'worse' }, since });
  });

  it('subscribes no more once it is stopped', () => {
    const { clock, subscribed, consumer } = following();
    subscribed[0]?.subscriber.onStopped(away);
    consumer.stop();
    clock.advance(10_000);
    assert.equal(subscribed.length, 1);
    assert.equal(clock.pending(), 0);
  });
});
