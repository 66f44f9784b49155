import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deadlineIn, waitAtMost } from '../../src/bounds/deadline.ts';
import { createFakeClock } from '../support/fake-clock.ts';

const never = new Promise<never>(() => {});

describe('waiting with a bound', () => {
  it('gives what the work gives, and leaves no timer behind', async () => {
    const clock = createFakeClock();
    assert.equal(await waitAtMost(clock, 100, Promise.resolve('done'), () => 'late'), 'done');
    assert.equal(clock.pending(), 0);
  });

  it('gives what is to be given once it is late', async () => {
    const clock = createFakeClock();
    const waited = waitAtMost(clock, 100, never, () => 'late');
    clock.advance(99);
    assert.equal(clock.pending(), 1);
    clock.advance(1);
    assert.equal(await waited, 'late');
  });

  it('rejects as the work does, with no timer left, and with what is thrown once it is late', async () => {
    const clock = createFakeClock();
    await assert.rejects(
      waitAtMost(clock, 100, Promise.reject(new Error('broke')), () => {}),
      /broke/,
    );
    assert.equal(clock.pending(), 0);
    const waited = waitAtMost(clock, 100, never, () => {
      throw new Error('silence');
    });
    clock.advance(100);
    await assert.rejects(waited, /silence/);
  });

  it("does not look at the end of work that was late: its failure is nobody else's", async () => {
    const clock = createFakeClock();
    const { promise, reject } = Promise.withResolvers<never>();
    const waited = waitAtMost(clock, 100, promise, () => 'late');
    clock.advance(100);
    assert.equal(await waited, 'late');
    reject(new Error('too late'));
    await new Promise((resolve) => setImmediate(resolve));
  });
});

describe('a deadline', () => {
  it('says what is left of it, and never less than nothing', () => {
    const clock = createFakeClock();
    const deadline = deadlineIn(clock, 100);
    clock.advance(30);
    assert.equal(deadline.left(), 70);
    clock.advance(100);
    assert.equal(deadline.left(), 0);
  });
});
