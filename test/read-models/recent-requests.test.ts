import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRecentRequests, rememberedMs, requestKey } from '../../src/read-models/recent-requests.ts';

describe('recent requests', () => {
  it('knows a request for 64 s, and forgets it then', () => {
    const requests = createRecentRequests();
    requests.add('a', 1000, 1000);
    assert.equal(requests.has('a', 1000 + rememberedMs), true);
    assert.equal(requests.has('a', 1001 + rememberedMs), false);
    requests.add('b', 1001 + rememberedMs, 1001 + rememberedMs);
    assert.equal(requests.size, 1);
  });

  it('takes no request of a replay that is older', () => {
    const requests = createRecentRequests();
    requests.add('old', 0, rememberedMs + 1);
    assert.equal(requests.size, 0);
  });

  it('is bounded, and counts what it dropped before its time', () => {
    const requests = createRecentRequests(2);
    for (const key of ['a', 'b', 'c']) requests.add(key, 5, 5);
    assert.equal(requests.size, 2);
    assert.equal(requests.dropped, 1);
    assert.deepEqual([requests.has('a', 5), requests.has('c', 5)], [false, true]);
  });

  it('tells requests apart by Call-ID, CSeq, From tag and sender, the sender without regard to case', () => {
    const key = requestKey('c1', '1 MESSAGE', 't1', 'sip:Alice@a.org');
    assert.equal(key, requestKey('c1', '1 MESSAGE', 't1', 'sip:alice@A.org'));
    for (const other of [
      requestKey('c2', '1 MESSAGE', 't1', 'sip:alice@a.org'),
      requestKey('c1', '2 MESSAGE', 't1', 'sip:alice@a.org'),
      requestKey('c1', '1 MESSAGE', 't2', 'sip:alice@a.org'),
      requestKey('c1', '1 MESSAGE', 't1', 'sip:bob@a.org'),
    ]) {
      assert.notEqual(other, key);
    }
  });
});
