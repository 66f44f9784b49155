import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import { anEvent, aStream, idsOf, openOn } from '../../support/eventstoredb/open.ts';
import { startCluster } from '../../support/eventstoredb/server.ts';
import { until } from '../../support/until.ts';

describe('EventStoreDB adapter: a cluster of three', () => {
  it('goes on after the leader was killed, with nothing lost or doubled', async () => {
    const cluster = await startCluster();
    const store = await openOn(cluster.url, { times: { appendMs: 1_000, settleMs: 3_000 } });
    try {
      const stream = aStream();
      const first = anEvent();
      assert.ok(E.isRight(await store.append(stream, 'no_stream', [first])()));
      await cluster.changeLeader(300);
      const second = anEvent(1);
      await until('the cluster takes appends', async () => E.isRight(await store.append(stream, 0n, [second])()));
      assert.deepEqual(await idsOf(store, stream), [first.id, second.id]);
    } finally {
      await store.close();
      await cluster.stop();
    }
  });

  it('heals after all nodes were away: a failed discovery is not remembered', async () => {
    const cluster = await startCluster();
    const store = await openOn(cluster.url, { times: { appendMs: 1_000, settleMs: 500 } });
    try {
      assert.ok(E.isRight(await store.append(aStream(), 'no_stream', [anEvent()])()));
      for (const server of cluster.servers) server.kill();
      await until('the loss is noticed', () => store.status().kind === 'away');
      const outcome = await store.append(aStream(), 'no_stream', [anEvent()])();
      assert.ok(E.isLeft(outcome));
      for (const server of cluster.servers) await server.start();
      await until('appends work', async () => E.isRight(await store.append(aStream(), 'no_stream', [anEvent()])()));
    } finally {
      await store.close();
      await cluster.stop();
    }
  });
});
