import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import { backoff } from '../../../src/bounds/backoff.ts';
import type { StoredEvent } from '../../../src/ports/event-store.ts';
import { tryAgain } from '../../../src/store/eventstoredb/connection.ts';
import { troubleOf } from '../../../src/store/eventstoredb/failures.ts';
import type { EventStoreDb } from '../../../src/store/eventstoredb/store.ts';
import { all, anEvent, aStream, idsOf, openOn } from '../../support/eventstoredb/open.ts';
import { type EventStoreDouble, startDouble } from '../../support/eventstoredb/server.ts';
import { until } from '../../support/until.ts';

describe('EventStoreDB adapter: what a real server and its client were seen to do', () => {
  let server: EventStoreDouble;
  let store: EventStoreDb;
  beforeEach(async () => {
    server = await startDouble();
    store = await openOn(server.url);
  });
  afterEach(async () => {
    await store.close();
    await server.stop();
  });
  const write = async (stream: string, count: number): Promise<void> => {
    for (let from = 0; from < count; from += 500) {
      const events = Array.from({ length: Math.min(500, count - from) }, (_, n) => anEvent(from + n));
      assert.ok(E.isRight(await store.append(stream, from === 0 ? 'no_stream' : BigInt(from - 1), events)()));
    }
  };

  it('the first append after a connection is awaited alone, and all go over one stream in the order of their calls', async () => {
    server.hold();
    const stream = aStream();
    const events = Array.from({ length: 50 }, (_, n) => anEvent(n));
    const outcomes = events.map((event, n) => store.append(stream, n === 0 ? 'no_stream' : BigInt(n - 1), [event])());
    await server.held(1);
    await store.lastRevision(aStream())(); // by the same connection, and behind what had been sent before
    assert.equal(server.counted.appends, 1, 'others went before the first was answered');
    server.release();
    assert.ok((await Promise.all(outcomes)).every(E.isRight));
    assert.deepEqual(
      await idsOf(store, stream),
      events.map(({ id }) => id),
    );
    assert.equal(server.counted.batchStreams, 1);
  });

  it('after a reconnection too: when the first fails, the others have not been sent', async () => {
    assert.ok(E.isRight(await store.append(aStream(), 'no_stream', [anEvent()])()));
    server.kill();
    await until('the loss is noticed', () => store.status().kind === 'away');
    await server.start();
    await until('the store is back', () => store.status().kind === 'connected');
    const before = server.counted.appends;
    server.hold();
    const outcomes = Array.from({ length: 20 }, () => store.append(aStream(), 'no_stream', [anEvent()])());
    await server.held(1);
    server.kill();
    const kinds = (await Promise.all(outcomes)).map((outcome) => (E.isLeft(outcome) ? outcome.left.kind : 'written'));
    assert.deepEqual(
      kinds.slice(1),
      Array.from({ length: 19 }, () => 'StoreUnavailable'),
    );
    assert.equal(server.counted.appends, before + 1);
  });

  it('a hundred rooms read at once keep few streams open, and none waits for ever', async () => {
    const streams = Array.from({ length: 100 }, aStream);
    await Promise.all(streams.map((stream) => write(stream, 3)));
    const read = await Promise.all(streams.map((stream) => all<StoredEvent>(store.readStream(stream))));
    assert.ok(read.every((events) => events.length === 3));
    assert.ok(server.mostOpen() <= 20, `${server.mostOpen()} streams at once`);
  });

  it('a slow reader holds no stream open: it reads by pages', async () => {
    const stream = aStream();
    await write(stream, 1_200);
    let seen = 0;
    for await (const event of store.readStream(stream)) {
      seen += 1;
      if (seen === 100) {
        assert.equal(event.revision, 99n);
        await until('the page is read', () => server.open() === 0);
      }
    }
    assert.equal(seen, 1_200);
  });

  it('a node follows all rooms over one subscription, through streams that are not rooms', async () => {
    const other = aStream().replace('room-', 'user-');
    await write(other, 3_000);
    const seen: StoredEvent[] = [];
    const caughtUp: number[] = [];
    const subscription = store.subscribe(undefined, {
      onEvents: (events) => void seen.push(...events),
      onCaughtUp: () => void caughtUp.push(seen.length),
      onStopped: () => {},
    });
    await until('it has caught up', () => caughtUp.length > 0);
    assert.deepEqual(seen, []);
    for (let n = 0; n < 20; n += 1) await write(aStream(), 2);
    await until('all is seen', () => seen.length === 40);
    assert.equal(server.counted.subscriptions, 1);
    subscription.stop();
    await until('the stream is closed', () => server.open() === 0);
  });

  it('a stream that was deleted softly is empty, takes no_stream, and goes on counting; a tombstone refuses', async () => {
    const stream = aStream();
    await write(stream, 3);
    server.log.softDelete(stream);
    assert.deepEqual(await idsOf(store, stream), []);
    assert.deepEqual(await store.lastRevision(stream)(), E.right(undefined));
    const appended = await store.append(stream, 'no_stream', [anEvent()])();
    assert.ok(E.isRight(appended) && appended.right.revision === 3n);
    server.log.tombstone(stream);
    const refused = await store.append(stream, 3n, [anEvent()])();
    assert.ok(E.isLeft(refused) && refused.left.kind === 'StoreRefused' && /tombstoned/.test(refused.left.message));
    await assert.rejects(all(store.readStream(stream)), /tombstoned/);
  });

  it('a position of another log, and one that never was, are refused, not retried', async () => {
    for (const position of ['12345/12345', '00000012']) {
      const ended = new Promise<string>((resolve) => {
        store.subscribe(position as Parameters<EventStoreDb['subscribe']>[0], {
          onEvents: () => {},
          onStopped: ({ kind }) => resolve(kind),
        });
      });
      await write(aStream(), 1);
      assert.equal(await ended, 'StoreRefused');
      assert.equal(store.status().kind, 'connected');
    }
  });

  it('more than 1 MiB in one append is refused before it is sent', async () => {
    const large = { ...anEvent(), data: { text: 'x'.repeat(600_000) } };
    const refused = await store.append(aStream(), 'no_stream', [large, { ...large, id: anEvent().id }])();
    assert.ok(E.isLeft(refused) && refused.left.kind === 'StoreRefused' && /1 MiB/.test(refused.left.message));
    assert.equal(server.counted.appends, 0);
  });

  it('two stores of one process do not see each other fail', async (t) => {
    const other = await startDouble();
    t.after(() => other.stop());
    const second = await openOn(other.url);
    t.after(() => second.close());
    assert.ok(E.isRight(await second.append(aStream(), 'no_stream', [anEvent()])()));
    assert.ok(E.isRight(await store.append(aStream(), 'no_stream', [anEvent()])()));
    other.hold();
    const pending = second.append(aStream(), 'no_stream', [anEvent()])();
    await other.held(1);
    server.kill();
    await until('the loss is noticed', () => store.status().kind === 'away');
    other.release();
    assert.ok(E.isRight(await pending));
    assert.equal(second.connectionsLost(), 0);
  });

  it('both find one identity of the log, also when they are the first and ask at once', async () => {
    const second = await openOn(server.url);
    const [a, b] = await Promise.all([store.identity(), second.identity()]);
    assert.ok(E.isRight(a) && E.isRight(b));
    assert.equal(a.right, b.right);
    await second.close();
  });

  it('sorts the errors, with type or without, with a code or without', () => {
    const grpc = (code: number, message: string) => Object.assign(new Error(message), { code });
    const typed = (type: string, message = '') => Object.assign(new Error(message), { type });
    const kindOf = (cause: unknown) => troubleOf(cause).kind;
    assert.deepEqual(troubleOf(Object.assign(typed('wrong-expected-version'), { actualVersion: 4n })), {
      kind: 'wrong-revision',
      actual: 4n,
    });
    assert.equal(
      kindOf(grpc(14, '14 UNAVAILABLE: No connection established. Last error: connect ECONNREFUSED')),
      'not-now',
    );
    assert.equal(kindOf(typed('unknown', 'Could not recognize Server Is Not Ready')), 'not-now');
    assert.equal(kindOf(typed('unavailable', '14 UNAVAILABLE: Connection dropped')), 'lost');
    assert.equal(kindOf(typed('deadline-exceeded')), 'lost');
    assert.equal(kindOf(grpc(13, '13 INTERNAL: Received RST_STREAM with code 2')), 'lost');
    assert.equal(kindOf(new Error('Failed to discover after 10 attempts.')), 'not-now');
    assert.equal(kindOf(typed('access-denied')), 'refused');
    assert.equal(kindOf(typed('not-leader')), 'not-leader');
    assert.equal(kindOf('a text'), 'lost');
    assert.equal(kindOf(undefined), 'lost');
  });

  it('waits between tries, longer each time, with jitter, and always below a second', () => {
    for (const chance of [0, 0.5, 0.999999]) {
      const waits = Array.from({ length: 40 }, (_, attempt) => backoff(tryAgain, attempt, () => chance));
      for (const [n, wait] of waits.entries())
        assert.ok(wait > 0 && wait <= tryAgain.mostMs && wait >= (waits[n - 1] ?? 0));
    }
    assert.ok(tryAgain.mostMs < 1_000);
    assert.notEqual(
      backoff(tryAgain, 5, () => 0),
      backoff(tryAgain, 5, () => 1),
    );
  });
});
