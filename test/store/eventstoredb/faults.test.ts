import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import type { Appended, AppendFailure, Subscription } from '../../../src/ports/event-store.ts';
import type { EventStoreDb } from '../../../src/store/eventstoredb/store.ts';
import { all, anEvent, aStream, idsOf, openOn } from '../../support/eventstoredb/open.ts';
import { type EventStoreDouble, startDouble } from '../../support/eventstoredb/server.ts';
import { createPacedClock, type PacedClock } from '../../support/paced-clock.ts';
import { until } from '../../support/until.ts';

const kindOf = (outcome: E.Either<AppendFailure, Appended>): string =>
  E.isRight(outcome) ? 'written' : outcome.left.kind;

describe('EventStoreDB adapter: when the server goes', () => {
  let server: EventStoreDouble;
  let store: EventStoreDb;
  let clock: PacedClock;
  beforeEach(async () => {
    server = await startDouble();
    clock = createPacedClock();
    store = await openOn(server.url, { clock, times: { appendMs: 400, settleMs: 1_000, readMs: 400 } });
    // The first append of a connection goes alone; the tests are about those after it.
    assert.equal(kindOf(await store.append(aStream(), 'no_stream', [anEvent()])()), 'written');
  });
  afterEach(async () => {
    await store.close();
    await server.stop();
  });

  const many = (count: number) => Array.from({ length: count }, (_, n) => ({ stream: aStream(), event: anEvent(n) }));
  const appendAll = (writes: ReturnType<typeof many>) =>
    Promise.all(writes.map(({ stream, event }) => store.append(stream, 'no_stream', [event])()));

  it('settles what a kill left open: with the server back in time every one of 64 is written exactly once', async () => {
    const writes = many(64);
    server.hold();
    const outcomes = appendAll(writes);
    await server.held(64);
    server.kill({ written: 33 });
    await server.start();
    assert.deepEqual(
      (await outcomes).map(kindOf),
      writes.map(() => 'written'),
    );
    for (const { stream, event } of writes) assert.deepEqual(await idsOf(store, stream), [event.id]);
    assert.equal(store.counters.unknown, 64);
    assert.equal(store.counters.settled, 64);
  });

  it('says OutcomeUnknown, never success or failure, where the server does not come back in time', async () => {
    const writes = many(64);
    server.hold();
    const outcomes = appendAll(writes);
    await server.held(64);
    server.kill({ written: 33 });
    assert.deepEqual(
      (await outcomes).map(kindOf),
      writes.map(() => 'OutcomeUnknown'),
    );
  });

  it('shows an unknown append that was written to the subscription, after the return', async () => {
    const [write] = many(1);
    assert.ok(write);
    const seen: string[] = [];
    const follow = (): Subscription =>
      store.subscribe(undefined, {
        onEvents: (events) => void seen.push(...events.map(({ id }) => id)),
        onStopped: ({ kind }) => void (kind !== 'StoreClosed' && follow()),
      });
    follow();
    server.hold();
    const outcome = store.append(write.stream, 'no_stream', [write.event])();
    await server.held(1);
    server.kill({ written: 1 });
    assert.equal(kindOf(await outcome), 'OutcomeUnknown');
    await server.start();
    await until('the event is seen', () => seen.includes(write.event.id));
  });

  it('refuses at once while the server is down, with nothing written, and says why', async () => {
    server.kill();
    await until('the loss is noticed', () => store.status().kind === 'away');
    const appending = store.append(aStream(), 'no_stream', [anEvent()])();
    // The event loop goes round once: no socket and no timer is waited for.
    const outcome = await Promise.race([appending, new Promise<void>((resolve) => setImmediate(resolve))]);
    assert.ok(outcome !== undefined, 'not at once');
    assert.ok(E.isLeft(outcome) && outcome.left.kind === 'StoreUnavailable');
    const status = store.status();
    assert.ok(status.kind === 'away' && /EventStoreDB|store_url/.test(status.reason), JSON.stringify(status));
    const revision = await store.lastRevision('room-x')();
    assert.ok(E.isLeft(revision) && revision.left.kind === 'StoreUnavailable');
  });

  it('is back within a second of the server, appends and subscriptions alike, after an absence of seconds', async () => {
    const seen: string[] = [];
    const follow = (): Subscription =>
      store.subscribe(undefined, {
        onEvents: (events) => void seen.push(...events.map(({ id }) => id)),
        onStopped: ({ kind }) => void (kind !== 'StoreClosed' && follow()),
      });
    follow();
    server.kill();
    await until('the loss is noticed', () => store.status().kind === 'away');
    // By then it waits as long between two tries as it ever does.
    await until('many tries have failed', () => store.counters.tries >= 8);
    await server.start();
    clock.waited = 0;
    const event = anEvent();
    const stream = aStream();
    await until('an append works', async () => E.isRight(await store.append(stream, 'no_stream', [event])()));
    await until('the subscription shows it', () => seen.includes(event.id));
    assert.ok(clock.waited < 1_000, `it waited ${clock.waited} ms`);
    assert.deepEqual(await idsOf(store, stream), [event.id]);
  });

  it('notices a frozen server by its own deadline, and settles after the thaw', async () => {
    server.freeze();
    const { stream, event } = { stream: aStream(), event: anEvent() };
    const outcome = store.append(stream, 'no_stream', [event])();
    await until('the loss is noticed', () => store.status().kind === 'away');
    server.thaw();
    assert.equal(kindOf(await outcome), 'written');
    assert.deepEqual(await idsOf(store, stream), [event.id]);
  });

  it('opens no connection after the other to a server that is frozen for long', async () => {
    server.freeze();
    await store.append(aStream(), 'no_stream', [anEvent()])();
    const [before, tries] = [server.connections(), store.counters.tries];
    clock.pace = 20;
    await until('it has tried for long', () => store.counters.tries >= tries + 10);
    clock.pace = 1;
    assert.ok(server.connections() <= before + 1, `${server.connections() - before} more connections`);
    server.thaw();
    await until('the store is back', () => store.status().kind === 'connected');
  });

  it('answers OutcomeUnknown for 2,000 appends into a frozen server, and the process lives', async () => {
    server.freeze();
    const outcomes = await appendAll(many(2_000));
    assert.ok(outcomes.every((outcome) => ['OutcomeUnknown', 'StoreUnavailable'].includes(kindOf(outcome))));
    server.thaw();
    await until('the store is back', () => store.status().kind === 'connected');
    assert.equal(kindOf(await store.append(aStream(), 'no_stream', [anEvent()])()), 'written');
  });

  it('takes Not Ready as nothing written, and goes on when it is ready', async () => {
    server.notReady(true);
    const outcome = await store.append(aStream(), 'no_stream', [anEvent()])();
    assert.ok(E.isLeft(outcome) && outcome.left.kind === 'StoreUnavailable');
    assert.match(outcome.left.message, /not ready/i);
    server.notReady(false);
    await until('the store is back', () => store.status().kind === 'connected');
    assert.equal(kindOf(await store.append(aStream(), 'no_stream', [anEvent()])()), 'written');
  });

  it('comes through a drain: timeouts, a broken stream, a server that is gone, a new one', async () => {
    const writes = many(16);
    server.hold();
    const outcomes = appendAll(writes);
    await server.held(16);
    await server.drain();
    await until('the loss is noticed', () => store.status().kind === 'away');
    await server.start();
    const kinds = (await outcomes).map(kindOf);
    for (const [i, { stream, event }] of writes.entries()) {
      const there = await idsOf(store, stream);
      if (kinds[i] === 'written') assert.deepEqual(there, [event.id]);
      else assert.equal(kinds[i], 'OutcomeUnknown');
    }
  });

  it('ends a subscription with a failure when the connection goes, and calls nothing after stop', async () => {
    const stops: string[] = [];
    store.subscribe(undefined, { onEvents: () => {}, onStopped: () => stops.push('stopped') });
    const late: string[] = [];
    const other = store.subscribe(undefined, {
      onEvents: () => {
        other.stop();
        late.push('events');
      },
      onCaughtUp: () => void late.push('caught up'),
      onStopped: () => void late.push('stopped'),
    });
    await until('the first batch', () => late.length > 0);
    server.kill();
    await until('the end', () => stops.length === 1);
    assert.deepEqual(late, ['events']);
  });

  it('reads a page of a frozen server no longer than its deadline', async () => {
    server.freeze();
    await assert.rejects(all(store.readStream('room-chat-1@a.org')), /no answer|cannot be reached|broke/);
  });
});
