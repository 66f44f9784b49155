import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import { all, left, type MakeStore, newEvent, newEvents, newStream, numbersOf, right } from './event-store-kit.ts';

export const appendClauses = (make: MakeStore): void => {
  it('starts a stream at revision 0 and counts on from there', async (t) => {
    const store = await make(t);
    const stream = newStream();
    assert.equal(right(await store.append(stream, 'no_stream', newEvents(1))()).revision, 0n);
    assert.equal(right(await store.append(stream, 0n, newEvents(3))()).revision, 3n);
    assert.equal(right(await store.append(stream, 3n, newEvents(1))()).revision, 4n);
    const events = await all(store.readStream(stream));
    assert.deepEqual(
      events.map(({ revision }) => revision),
      [0n, 1n, 2n, 3n, 4n],
    );
  });

  it('gives back what was written: id, stream, type, time, data and metadata', async (t) => {
    const store = await make(t);
    const stream = newStream();
    const odd = {
      text: 'a"b\\c\u0000\u2028\r\n\ud800 é 漢 😀',
      nothing: null,
      list: [1, -0.5, 1e300, [], {}],
      '': true,
    };
    const event = newEvent(7, odd);
    right(await store.append(stream, 'no_stream', [event])());
    const [read] = await all(store.readStream(stream));
    assert.ok(read);
    assert.equal(read.id, event.id);
    assert.equal(read.stream, stream);
    assert.equal(read.type, event.type);
    assert.equal(read.time, '2026-11-23T12:00:00.000Z');
    assert.deepEqual(read.data, event.data);
    assert.deepEqual(read.metadata, event.metadata);
  });

  it('takes metadata without a time, or that is no object: the time is empty', async (t) => {
    const store = await make(t);
    const stream = newStream();
    const events = [{}, null, [], { time: 5 }, 'x'].map((metadata, n) => ({ ...newEvent(n), metadata }));
    right(await store.append(stream, 'no_stream', events)());
    const read = await all(store.readStream(stream));
    assert.deepEqual(
      read.map(({ time }) => time),
      ['', '', '', '', ''],
    );
    assert.deepEqual(
      read.map(({ metadata }) => metadata),
      events.map(({ metadata }) => metadata),
    );
  });

  it('tells whoever expected another revision where the stream ends, and writes nothing', async (t) => {
    const store = await make(t);
    const stream = newStream();
    const early = left(await store.append(stream, 0n, newEvents(1))(), 'WrongExpectedRevision');
    assert.deepEqual([early.stream, early.expected, early.actual], [stream, 0n, 'no_stream']);
    right(await store.append(stream, 'no_stream', newEvents(2))());
    for (const expected of ['no_stream', 0n, 2n, 1000n] as const) {
      const wrong = left(await store.append(stream, expected, newEvents(2))(), 'WrongExpectedRevision');
      assert.deepEqual([wrong.stream, wrong.expected, wrong.actual], [stream, expected, 1n]);
    }
    assert.equal((await all(store.readStream(stream))).length, 2);
  });

  it('lets exactly one of many win who expect the same', async (t) => {
    const store = await make(t);
    const stream = newStream();
    const results = await Promise.all(newEvents(20).map((event) => store.append(stream, 'no_stream', [event])()));
    assert.equal(results.filter(E.isRight).length, 1);
    for (const result of results) if (E.isLeft(result)) left(result, 'WrongExpectedRevision');
    assert.equal((await all(store.readStream(stream))).length, 1);
  });

  it('writes unawaited appends to one stream in the order of the calls', async (t) => {
    const store = await make(t);
    const stream = newStream();
    const results = await Promise.all(
      newEvents(200).map((event, n) => store.append(stream, n === 0 ? 'no_stream' : BigInt(n - 1), [event])()),
    );
    assert.deepEqual(
      results.map((result) => right(result).revision),
      results.map((_, n) => BigInt(n)),
    );
    assert.deepEqual(
      numbersOf(await all(store.readStream(stream))),
      results.map((_, n) => n),
    );
  });

  it('fails a wrong one alone among many at once', async (t) => {
    const store = await make(t);
    const streams = Array.from({ length: 30 }, newStream);
    const results = await Promise.all(
      streams.map((stream, n) => store.append(stream, n % 3 === 1 ? 5n : 'no_stream', newEvents(2))()),
    );
    for (const [n, result] of results.entries()) {
      if (n % 3 === 1) left(result, 'WrongExpectedRevision');
      else assert.equal(right(result).revision, 1n);
      const stream = streams[n] ?? '';
      assert.equal((await all(store.readStream(stream))).length, n % 3 === 1 ? 0 : 2);
    }
  });

  it('answers a repeated append as it did the first, and writes nothing again', async (t) => {
    const store = await make(t);
    const stream = newStream();
    const first = newEvents(2);
    const second = newEvents(3);
    const one = right(await store.append(stream, 'no_stream', first)());
    const two = right(await store.append(stream, 1n, second)());
    right(await store.append(stream, 4n, newEvents(1))());
    const again = right(await store.append(stream, 'no_stream', first)());
    assert.equal(again.revision, one.revision);
    assert.equal(store.comparePositions(again.position, one.position), 0);
    assert.equal(right(await store.append(stream, 1n, second)()).revision, two.revision);
    assert.equal(right(await store.lastRevision(stream)()), 5n);
  });

  it('writes once what is repeated before the first is answered', async (t) => {
    const store = await make(t);
    const stream = newStream();
    const events = newEvents(2);
    const results = await Promise.all([1, 2, 3].map(() => store.append(stream, 'no_stream', events)()));
    assert.deepEqual(
      results.map((result) => right(result).revision),
      [1n, 1n, 1n],
    );
    assert.equal((await all(store.readStream(stream))).length, 2);
  });

  it('does not take for a repetition what has other ids, some of the ids, or another place', async (t) => {
    const store = await make(t);
    const stream = newStream();
    const [a, b] = newEvents(2);
    assert.ok(a && b);
    right(await store.append(stream, 'no_stream', [a, b])());
    for (const events of [newEvents(2), [a, newEvent(9)], [b], [b, a], [a, b, newEvent(9)]])
      left(await store.append(stream, 'no_stream', events)(), 'WrongExpectedRevision');
    left(await store.append(stream, 0n, [a])(), 'WrongExpectedRevision');
    left(await store.append(newStream(), 0n, [a])(), 'WrongExpectedRevision');
    assert.deepEqual(numbersOf(await all(store.readStream(stream))), [0, 1]);
  });

  it('gives positions that rise with the order of writing, over all streams', async (t) => {
    const store = await make(t);
    const positions = [];
    for (let n = 0; n < 12; n += 1)
      positions.push(right(await store.append(newStream(), 'no_stream', newEvents(2))()).position);
    for (const [i, a] of positions.entries())
      for (const [j, b] of positions.entries()) assert.equal(Math.sign(store.comparePositions(a, b)), Math.sign(i - j));
  });

  it('holds large events, and many streams', async (t) => {
    const store = await make(t);
    const large = newStream();
    const text = `${randomUUID()} é漢😀`.repeat(4_000);
    right(await store.append(large, 'no_stream', [newEvent(0, { text }), newEvent(1, { text })])());
    const streams = Array.from({ length: 300 }, newStream);
    const results = await Promise.all(streams.map((stream) => store.append(stream, 'no_stream', newEvents(1))()));
    for (const result of results) right(result);
    for (const stream of streams) assert.equal(right(await store.lastRevision(stream)()), 0n);
    const read = await all(store.readStream(large));
    assert.deepEqual(
      read.map(({ data }) => data),
      [newEvent(0, { text }).data, newEvent(1, { text }).data],
    );
  });
};
