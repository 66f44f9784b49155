import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMailboxes } from '../../src/engine/mailbox.ts';

/** Work that goes on until it is let go. */
const gated = () => {
  const begun: { readonly key: string; readonly jobs: readonly number[]; readonly finish: () => void }[] = [];
  const work = (key: string, jobs: readonly number[]): Promise<void> =>
    new Promise((resolve) => begun.push({ key, jobs, finish: resolve }));
  return { begun, work };
};

/** Lets everything that is ready run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('mailboxes', () => {
  it('works on one batch of a key at a time, and takes what waits as the next one', async () => {
    const { begun, work } = gated();
    const boxes = createMailboxes<string, number>({ most: 10, batch: 8, work });
    for (const job of [1, 2, 3]) assert.equal(boxes.submit('a', job), true);
    assert.deepEqual(
      begun.map(({ jobs }) => jobs),
      [[1]],
    );
    begun[0]?.finish();
    await settle();
    assert.deepEqual(
      begun.map(({ jobs }) => jobs),
      [[1], [2, 3]],
    );
    begun[1]?.finish();
    await boxes.idle();
    assert.equal(boxes.size(), 0);
  });

  it('lets no key wait for another', () => {
    const { begun, work } = gated();
    const boxes = createMailboxes<string, number>({ most: 10, batch: 8, work });
    boxes.submit('a', 1);
    boxes.submit('b', 2);
    assert.deepEqual(
      begun.map(({ key }) => key),
      ['a', 'b'],
    );
  });

  it('bounds a batch', async () => {
    const { begun, work } = gated();
    const boxes = createMailboxes<string, number>({ most: 10, batch: 2, work });
    for (const job of [1, 2, 3, 4]) boxes.submit('a', job);
    begun[0]?.finish();
    await settle();
    assert.deepEqual(begun[1]?.jobs, [2, 3]);
  });

  it('takes nothing beyond its bound, and again when there is room', async () => {
    const { begun, work } = gated();
    const boxes = createMailboxes<string, number>({ most: 2, batch: 8, work });
    assert.deepEqual([boxes.submit('a', 1), boxes.submit('b', 2), boxes.submit('c', 3)], [true, true, false]);
    begun[0]?.finish();
    await settle();
    assert.equal(boxes.submit('c', 3), true);
  });
});
