import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { backoff } from '../../src/bounds/backoff.ts';
import { followAgain } from '../../src/engine/follow-log.ts';

describe('backoff', () => {
  it('doubles up to a cap below a second, jitter included', () => {
    const longest = Array.from({ length: 12 }, (_, attempt) => backoff(followAgain, attempt, () => 0.999999));
    assert.deepEqual(
      longest.map((ms) => Math.round(ms)),
      [25, 50, 100, 200, 400, 800, 800, 800, 800, 800, 800, 800],
    );
    assert.equal(
      backoff(followAgain, 5, () => 0),
      400,
    );
  });

  it('stays at its cap however often it was tried', () => {
    assert.equal(
      backoff({ firstMs: 1, mostMs: 1_000 }, 100_000, () => 1),
      1_000,
    );
  });
});
