import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { EventStore } from '../../src/ports/event-store.ts';
import { endOf, follow, type MakeStore, newEvent, newEvents, newStream, numbersOf, right } from './event-store-kit.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

/** Appends events numbered from `from` up to, and without, `to`, one after the other. */
const write = async (store: EventStore, stream: string, from: number, to: number): Promise<void> => {
  for (let n = from; n < to; n += 1)
    right(await store.append(stream, n === 0 ? 'no_stream' : BigInt(n - 1), [newEvent(n)])());
};

export const subscriptionClauses = (make: MakeStore): void => {
  it('gives what is there, says that it has caught up, and goes on live', async (t) => {
    const store = await make(t);
    const start = await endOf(store);
    const stream = newStream();
    await write(store, stream, 0, 20);
    const follower = follow(store, { after: start, streams: [stream] });
    await follower.until(() => follower.caughtUp() > 0);
    assert.deepEqual(numbersOf(follower.events), upTo(20));
    await write(store, stream, 20, 40);
    await follower.until(() => follower.events.length >= 40);
    assert.deepEqual(numbersOf(follower.events), upTo(40));
    assert.equal(follower.stopped(), undefined);
  });

  it('says that it has caught up where there is nothing', async (t) => {
    const store = await make(t);
    const follower = follow(store, { after: await endOf(store), streams: [] });
    await follower.until(() => follower.caughtUp() > 0);
  });

  it('gives whole events live', async (t) => {
    const store = await make(t);
    const stream = newStream();
    const follower = follow(store, { after: await endOf(store), streams: [stream] });
    await follower.until(() => follower.caughtUp() > 0);
    const event = newEvent(3, { text: 'é漢😀', optional: undefined });
    const { revision } = right(await store.append(stream, 'no_stream', [event])());
    await follower.until(() => follower.events.length > 0);
    const [live] = follower.events;
    assert.ok(live);
    assert.deepEqual(
      [live.id, live.stream, live.revision, live.type, live.time],
      [event.id, stream, revision, event.type, '2026-11-23T12:00:00.000Z'],
    );
    assert.deepEqual(live.data, JSON.parse(JSON.stringify(event.data)));
    assert.deepEqual(live.metadata, event.metadata);
  });

  it('gives each event once and in order while it turns from catching up to live', async (t) => {
    const store = await make(t);
    const start = await endOf(store);
    const streams = upTo(8).map(newStream);
    for (const stream of streams) right(await store.append(stream, 'no_stream', newEvents(200))());
    // Writers that do not wait for followers; followers that begin at different moments, some of them slow.
    const writing = Promise.all(
      streams.map(async (stream) => {
        for (let n = 200; n < 300; n += 1) right(await store.append(stream, BigInt(n - 1), [newEvent(n)])());
      }),
    );
    const followers = [];
    for (let n = 0; n < 6; n += 1) {
      const slow = (): Promise<void> => new Promise((done) => setImmediate(done));
      followers.push(follow(store, { after: start, streams, ...(n % 2 === 0 ? {} : { onEvents: slow }) }));
      await store.end();
    }
    await writing;
    for (const { events, batches, until } of followers) {
      await until(() => events.length >= 8 * 300);
      for (const stream of streams)
        assert.deepEqual(
          events.filter((event) => event.stream === stream).map(({ revision }) => revision),
          upTo(300).map(BigInt),
        );
      for (const [n, event] of events.entries()) {
        const next = events[n + 1];
        if (next !== undefined) assert.ok(store.comparePositions(event.position, next.position) < 0);
      }
      assert.ok(batches.every((size) => size > 0 && size <= 1_000));
    }
  });

  it('begins after a position, of an event as of an answer', async (t) => {
    const store = await make(t);
    const stream = newStream();
    const start = await endOf(store);
    await write(store, stream, 0, 5);
    const { position } = right(await store.append(stream, 4n, [newEvent(5)])());
    await write(store, stream, 6, 9);
    const answered = follow(store, { after: position, streams: [stream] });
    await answered.until(() => answered.events.length >= 3);
    assert.deepEqual(numbersOf(answered.events), [6, 7, 8]);
    const whole = follow(store, { after: start, streams: [stream] });
    await whole.until(() => whole.events.length >= 9);
    const read = follow(store, { after: whole.events[6]?.position, streams: [stream] });
    await read.until(() => read.events.length >= 2);
    assert.deepEqual(numbersOf(read.events), [7, 8]);
  });

  it('waits for a returned Promise before the next batch', async (t) => {
    const store = await make(t);
    const stream = newStream();
    const start = await endOf(store);
    right(await store.append(stream, 'no_stream', newEvents(50))());
    let inside = 0;
    let most = 0;
    const follower = follow(store, {
      after: start,
      streams: [stream],
      onEvents: async () => {
        inside += 1;
        most = Math.max(most, inside);
        await new Promise((done) => setImmediate(done));
        inside -= 1;
      },
    });
    for (let n = 50; n < 80; n += 1) right(await store.append(stream, BigInt(n - 1), [newEvent(n)])());
    await follower.until(() => follower.events.length >= 80);
    assert.deepEqual(numbersOf(follower.events), [...upTo(50), ...upTo(80).slice(50)]);
    assert.equal(most, 1);
  });

  it('calls nobody after stop', async (t) => {
    const store = await make(t);
    const stream = newStream();
    const start = await endOf(store);
    await write(store, stream, 0, 10);
    const early = follow(store, { after: start, streams: [stream] });
    early.subscription.stop();
    const late = follow(store, { after: start, streams: [stream] });
    await late.until(() => late.events.length >= 10 && late.caughtUp() > 0);
    late.subscription.stop();
    const caughtUp = late.caughtUp();
    // In the midst of a batch: nothing follows it, not even the caught-up.
    const inner = follow(store, { after: start, streams: [stream], onEvents: () => inner.subscription.stop() });
    await inner.until(() => inner.batches.length > 0);
    const innerCaughtUp = inner.caughtUp();
    // Whoever is not stopped has seen all of this: by then the others had their chance.
    const witness = follow(store, { after: start, streams: [stream] });
    await write(store, stream, 10, 30);
    await witness.until(() => witness.events.length >= 30);
    assert.deepEqual([early.batches.length, early.caughtUp(), early.stopped()], [0, 0, undefined]);
    assert.deepEqual([late.events.length, late.caughtUp(), late.stopped()], [10, caughtUp, undefined]);
    assert.deepEqual([inner.batches.length, inner.caughtUp(), inner.stopped()], [1, innerCaughtUp, undefined]);
  });

  for (const [how, broken] of [
    [
      'throws',
      () => {
        throw new Error('the projection broke');
      },
    ],
    ['rejects', () => Promise.reject(new Error('the projection broke'))],
  ] as const) {
    it(`stops a consumer that ${how}, tells it why, and troubles no other`, async (t) => {
      const store = await make(t);
      const stream = newStream();
      const start = await endOf(store);
      const witness = follow(store, { after: start, streams: [stream] });
      let calls = 0;
      const failing = follow(store, {
        after: start,
        streams: [stream],
        onEvents: () => {
          calls += 1;
          return broken();
        },
      });
      await write(store, stream, 0, 5);
      await failing.until(() => failing.stopped() !== undefined);
      assert.match(failing.stopped()?.message ?? '', /the projection broke/);
      await write(store, stream, 5, 10);
      await witness.until(() => witness.events.length >= 10);
      assert.equal(calls, 1);
      assert.deepEqual(numbersOf(witness.events), upTo(10));
    });
  }

  it('gives no transcripts', async (t) => {
    const store = await make(t);
    const start = await endOf(store);
    const room = newStream();
    const transcript = room.replace('room-', 'transcript-');
    right(await store.append(room, 'no_stream', [newEvent(0)])());
    right(await store.append(transcript, 'no_stream', [newEvent(100)])());
    const follower = follow(store, { after: start, streams: [room, transcript] });
    await follower.until(() => follower.caughtUp() > 0);
    right(await store.append(transcript, 0n, [newEvent(101)])());
    right(await store.append(room, 0n, [newEvent(1)])());
    await follower.until(() => follower.events.length >= 2);
    assert.deepEqual(numbersOf(follower.events), [0, 1]);
  });
};
