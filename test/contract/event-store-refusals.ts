import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { NewEvent } from '../../src/ports/event-store.ts';
import { all, left, type MakeStore, newEvent, newEvents, newStream, right } from './event-store-kit.ts';

const circle = (): unknown => {
  const ring: Record<string, unknown> = {};
  ring.ring = ring;
  return ring;
};

const unwritable: Readonly<Record<string, () => Partial<NewEvent>>> = {
  'data that is undefined': () => ({ data: undefined }),
  'metadata that is undefined': () => ({ metadata: undefined }),
  'a function as data': () => ({ data: () => 1 }),
  'a BigInt in data': () => ({ data: { revision: 1n } }),
  'a BigInt in metadata': () => ({ metadata: { revision: 1n } }),
  'data that holds itself': () => ({ data: circle() }),
  'an id that is not a UUID': () => ({ id: 'event-1' }),
  'an empty id': () => ({ id: '' }),
  'a type without a letter': () => ({ type: '' }),
};

export const refusalClauses = (make: MakeStore): void => {
  for (const [what, change] of Object.entries(unwritable)) {
    it(`${what}, with a sentence and without harm`, async (t) => {
      const store = await make(t);
      const stream = newStream();
      const good = newEvent(0);
      const bad = { ...newEvent(1), ...change() };
      // At once with good ones, which are none the worse for it.
      const [before, refused, after] = await Promise.all([
        store.append(stream, 'no_stream', [good])(),
        store.append(newStream(), 'no_stream', [newEvent(0), bad])(),
        store.append(stream, 0n, [newEvent(2)])(),
      ]);
      assert.match(left(refused, 'StoreRefused').message, /\w+ \w+ \w+/);
      assert.equal(right(before).revision, 0n);
      assert.equal(right(after).revision, 1n);
      assert.equal((await all(store.readStream(stream))).length, 2);
    });
  }

  it('an append that holds no event', async (t) => {
    const store = await make(t);
    const stream = newStream();
    left(await store.append(stream, 'no_stream', [])(), 'StoreRefused');
    assert.equal(right(await store.lastRevision(stream)()), undefined);
  });

  it('one id twice in an append, and writes none of it', async (t) => {
    const store = await make(t);
    const stream = newStream();
    const [a, b] = newEvents(2);
    assert.ok(a && b);
    left(await store.append(stream, 'no_stream', [a, b, { ...newEvent(2), id: a.id }])(), 'StoreRefused');
    assert.equal(right(await store.lastRevision(stream)()), undefined);
    right(await store.append(stream, 'no_stream', [a, b])());
  });
};
