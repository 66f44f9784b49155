import assert from 'node:assert/strict';
import { it } from 'node:test';
import { all, endOf, type MakeStore, newEvent, newEvents, newStream, numbersOf, right } from './event-store-kit.ts';

export const readClauses = (make: MakeStore): void => {
  it('a stream that does not exist is empty and has no last revision', async (t) => {
    const store = await make(t);
    const stream = newStream();
    assert.deepEqual(await all(store.readStream(stream)), []);
    assert.deepEqual(await all(store.readStream(stream, { direction: 'backwards' })), []);
    assert.deepEqual(await all(store.readStream(stream, { from: 3n })), []);
    assert.equal(right(await store.lastRevision(stream)()), undefined);
  });

  it('a stream forwards and backwards, from a revision, to a limit', async (t) => {
    const store = await make(t);
    const stream = newStream();
    right(await store.append(stream, 'no_stream', newEvents(10))());
    const read = async (range: Parameters<typeof store.readStream>[1]) =>
      numbersOf(await all(store.readStream(stream, range)));
    assert.deepEqual(await read({}), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.deepEqual(await read({ from: 7n }), [7, 8, 9]);
    assert.deepEqual(await read({ from: 9n }), [9]);
    assert.deepEqual(await read({ from: 10n }), []);
    assert.deepEqual(await read({ from: 2n, limit: 3 }), [2, 3, 4]);
    assert.deepEqual(await read({ limit: 0 }), []);
    assert.deepEqual(await read({ direction: 'backwards' }), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    assert.deepEqual(await read({ direction: 'backwards', limit: 1 }), [9]);
    assert.deepEqual(await read({ direction: 'backwards', from: 2n }), [2, 1, 0]);
    assert.deepEqual(await read({ direction: 'backwards', from: 5n, limit: 2 }), [5, 4]);
    assert.equal(right(await store.lastRevision(stream)()), 9n);
  });

  it('a long stream whole and in order, both ways', async (t) => {
    const store = await make(t);
    const stream = newStream();
    for (let n = 0; n < 5; n += 1)
      right(await store.append(stream, n === 0 ? 'no_stream' : BigInt(n * 500 - 1), newEvents(500))());
    const revisions = (await all(store.readStream(stream))).map(({ revision }) => revision);
    assert.deepEqual(
      revisions,
      Array.from({ length: 2_500 }, (_, n) => BigInt(n)),
    );
    const backwards = await all(store.readStream(stream, { direction: 'backwards' }));
    assert.deepEqual(
      backwards.map(({ revision }) => revision),
      revisions.reverse(),
    );
  });

  it('a stream may be left before its end', async (t) => {
    const store = await make(t);
    const stream = newStream();
    right(await store.append(stream, 'no_stream', newEvents(50))());
    for await (const event of store.readStream(stream)) if (event.revision === 3n) break;
    assert.equal((await all(store.readStream(stream))).length, 50);
  });

  it('all streams in the order of writing, after a position', async (t) => {
    const store = await make(t);
    const start = await endOf(store);
    const streams = [newStream(), newStream(), newStream()];
    const positions = [];
    const written = newEvents(30);
    for (const [n, event] of written.entries()) {
      const stream = streams[n % 3] ?? '';
      const expected = n < 3 ? 'no_stream' : BigInt(Math.floor(n / 3) - 1);
      positions.push(right(await store.append(stream, expected, [event])()).position);
    }
    const mine = async (after: Parameters<typeof store.readAll>[0]) =>
      (await all(store.readAll(after))).filter(({ stream }) => streams.includes(stream));
    const everything = await mine(start);
    assert.deepEqual(
      numbersOf(everything),
      positions.map((_, n) => n),
    );
    assert.deepEqual(
      everything.map(({ id, type, time, data, metadata }) => ({ id, type, time, data, metadata })),
      written.map((event) => ({ ...event, time: '2026-11-23T12:00:00.000Z' })),
    );
    for (const [n, event] of everything.entries()) {
      const next = everything[n + 1];
      if (next !== undefined) assert.ok(store.comparePositions(event.position, next.position) < 0);
    }
    // After the position of an answer as after that of an event read: not that event again, and the next one.
    assert.equal(numbersOf(await mine(positions[9]))[0], 10);
    assert.equal(numbersOf(await mine(everything[9]?.position))[0], 10);
    assert.deepEqual(await mine(positions[29]), []);
    assert.deepEqual(await mine(await endOf(store)), []);
  });

  it('ends at the present end, also where somebody goes on writing', async (t) => {
    const store = await make(t);
    const start = await endOf(store);
    const stream = newStream();
    right(await store.append(stream, 'no_stream', newEvents(5))());
    let next = 5;
    let seen = 0;
    for await (const event of store.readAll(start)) {
      if (event.stream !== stream) continue;
      seen += 1;
      assert.ok(seen < 100, 'readAll runs after the writer and does not end');
      right(await store.append(stream, BigInt(next - 1), [newEvent(next)])());
      next += 1;
    }
    assert.ok(seen >= 5, `only ${seen} events`);
  });

  it("transcripts by their stream only, not among the rooms' events", async (t) => {
    const store = await make(t);
    const start = await endOf(store);
    const room = newStream();
    const transcript = room.replace('room-', 'transcript-');
    right(await store.append(room, 'no_stream', [newEvent(0)])());
    right(await store.append(transcript, 'no_stream', [newEvent(100), newEvent(101)])());
    right(await store.append(room, 0n, [newEvent(1)])());
    right(await store.append(transcript, 1n, [newEvent(102)])());
    assert.deepEqual(numbersOf(await all(store.readStream(transcript))), [100, 101, 102]);
    assert.deepEqual(numbersOf(await all(store.readStream(transcript, { direction: 'backwards', limit: 1 }))), [102]);
    assert.equal(right(await store.lastRevision(transcript)()), 2n);
    const everything = (await all(store.readAll(start))).filter(({ stream }) => [room, transcript].includes(stream));
    assert.deepEqual(numbersOf(everything), [0, 1]);
  });

  it('the same identity each time', async (t) => {
    const store = await make(t);
    const first = right(await store.identity());
    right(await store.append(newStream(), 'no_stream', newEvents(1))());
    assert.equal(right(await store.identity()), first);
    assert.match(first, /^[0-9a-f-]{36}$/);
  });
};
