import assert from 'node:assert/strict';
import { it } from 'node:test';
import { StoreError } from '../../src/ports/event-store.ts';
import { all, follow, left, type MakeStore, newEvents, newStream, right } from './event-store-kit.ts';

const closedError = (error: unknown): boolean => error instanceof StoreError && error.failure.kind === 'StoreClosed';

export const closeClauses = (make: MakeStore): void => {
  it('finishes what is begun, and takes nothing more', async (t) => {
    const store = await make(t);
    const begun = Array.from({ length: 50 }, () => store.append(newStream(), 'no_stream', newEvents(2))());
    const closing = store.close();
    for (const result of await Promise.all(begun)) assert.equal(right(result).revision, 1n);
    await closing;
    left(await store.append(newStream(), 'no_stream', newEvents(1))(), 'StoreClosed');
    left(await store.lastRevision(newStream())(), 'StoreClosed');
    left(await store.end(), 'StoreClosed');
    await assert.rejects(all(store.readStream(newStream())), closedError);
    await assert.rejects(all(store.readAll()), closedError);
  });

  it('ends subscriptions with a reason', async (t) => {
    const store = await make(t);
    const follower = follow(store, { streams: [] });
    await follower.until(() => follower.caughtUp() > 0);
    await store.close();
    await follower.until(() => follower.stopped() !== undefined);
    assert.equal(follower.stopped()?.kind, 'StoreClosed');
  });

  it('may be asked for twice', async (t) => {
    const store = await make(t);
    await Promise.all([store.close(), store.close()]);
    await store.close();
  });
};
