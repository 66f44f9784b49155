import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createClosers } from '../../src/server/closers.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { recordingLog } from '../support/world.ts';

const create = () => {
  const clock = createFakeClock();
  const log = recordingLog();
  return { clock, log, closers: createClosers(clock, log) };
};

describe('what was opened', () => {
  it('is closed in reverse order, each when the one before has ended', async () => {
    const { closers } = create();
    const order: string[] = [];
    for (const name of ['store', 'sip', 'mi']) {
      closers.defer(name, async () => {
        order.push(`${name} begins`);
        await new Promise((resolve) => setImmediate(resolve));
        order.push(`${name} ends`);
      });
    }
    await closers.close(0);
    assert.deepEqual(order, ['mi begins', 'mi ends', 'sip begins', 'sip ends', 'store begins', 'store ends']);
  });

  it('shares one deadline', async () => {
    const { clock, closers } = create();
    const left: number[] = [];
    for (const takes of [0, 5_000, 300]) {
      closers.defer('one', (ms) => {
        left.push(ms);
        clock.advance(takes);
      });
    }
    await closers.close(1_000);
    assert.deepEqual(left, [1_000, 700, 0]);
  });

  it('is closed whatever fails on the way: each failure is logged, and all are in what is rejected with', async () => {
    const { closers, log } = create();
    const closed: string[] = [];
    closers.defer('the log', () => closed.push('store'));
    closers.defer('SIP', () => Promise.reject(new Error('no such socket')));
    closers.defer('the mirror', () => closed.push('mirror'));
    closers.defer('mi.http', () => {
      throw new Error('no such server');
    });
    await assert.rejects(closers.close(0), (failure: SuppressedError) => {
      assert.equal(failure.error.message, 'no such socket');
      assert.equal(failure.suppressed.message, 'no such server');
      return true;
    });
    assert.deepEqual(closed, ['mirror', 'store']);
    assert.deepEqual(
      log.lines.map(({ level, message }) => `${level}: ${message}`),
      ['error: mi.http could not be closed', 'error: SIP could not be closed'],
    );
  });

  it('is closed once: who asks again waits for the same end', async () => {
    const { closers } = create();
    const { promise, resolve } = Promise.withResolvers<void>();
    let times = 0;
    closers.defer('the log', () => {
      times += 1;
      return promise;
    });
    const ends = [closers.close(100), closers.close(0)];
    let ended = 0;
    for (const end of ends) void end.then(() => (ended += 1));
    await new Promise((turn) => setImmediate(turn));
    assert.deepEqual([times, ended], [1, 0]);
    resolve();
    await Promise.all(ends);
    assert.equal(times, 1);
  });
});
