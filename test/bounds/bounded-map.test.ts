import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BoundedMap } from '../../src/bounds/bounded-map.ts';

describe('a map with a bound', () => {
  it('drops its oldest, and says so', () => {
    const map = new BoundedMap<string, number>(2);
    assert.deepEqual([map.set('a', 1), map.set('b', 2), map.set('c', 3)], [false, false, true]);
    assert.deepEqual(
      [...map],
      [
        ['b', 2],
        ['c', 3],
      ],
    );
    assert.equal(map.get('a'), undefined);
  });

  it('takes what is set again for young', () => {
    const map = new BoundedMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    assert.equal(map.set('a', 3), false);
    map.set('c', 4);
    assert.deepEqual(
      [...map],
      [
        ['a', 3],
        ['c', 4],
      ],
    );
  });

  it('has room again for what was deleted', () => {
    const map = new BoundedMap<string, number>(1);
    map.set('a', 1);
    assert.deepEqual([map.delete('a'), map.delete('a'), map.size], [true, false, 0]);
    assert.equal(map.set('b', 2), false);
    map.clear();
    assert.equal(map.size, 0);
  });
});
