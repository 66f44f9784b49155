import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import type { EventStore } from '../../../src/ports/event-store.ts';
import { all, follow, left, newEvent, newEvents, newStream, right } from '../../contract/event-store-kit.ts';
import { openLog, temporaryFolder } from './temporary-log.ts';

const text = 'x'.repeat(20_000);

/** Closed at the test's end, however it ends: an open log keeps the process alive. */
const opened = async (t: TestContext, file: string, mostBytes?: number): Promise<EventStore> => {
  const store = await openLog(file, mostBytes === undefined ? {} : { mostBytes });
  t.after(() => store.close());
  return store;
};

/** Appends to new streams, two events at a time, until one fails. */
const fill = async (store: EventStore): Promise<{ readonly written: string[]; readonly failed: string }> => {
  const written: string[] = [];
  for (;;) {
    const stream = newStream();
    const result = await store.append(stream, 'no_stream', [newEvent(0, { text }), newEvent(1, { text })])();
    if (E.isLeft(result)) {
      const failure = left(result, 'StoreFull');
      assert.match(failure.message, /full.*make room/);
      return { written, failed: stream };
    }
    written.push(stream);
    assert.ok(written.length < 10_000, 'the disk does not fill');
  }
};

const checkWhole = async (store: EventStore, written: readonly string[], failed: string): Promise<void> => {
  for (const stream of written) assert.equal((await all(store.readStream(stream))).length, 2);
  assert.deepEqual(await all(store.readStream(failed)), []);
  assert.equal(right(await store.lastRevision(failed)()), undefined);
  assert.equal((await all(store.readAll())).length, 2 * written.length);
};

describe('SQLite: a full disk', { timeout: 60_000 }, () => {
  const plain = temporaryFolder();
  const small = temporaryFolder();
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'imcd-test', small.folder], { encoding: 'utf8' });
  const skip = mounted.status === 0 ? false : `no right to mount a small tmpfs (${mounted.stderr.trim()})`;
  if (skip !== false && process.env.CI === 'true') throw new Error(skip);
  // Once the tests have closed their logs: nothing that is open can be unmounted.
  after(() => {
    if (skip === false) assert.equal(spawnSync('umount', [small.folder]).status, 0);
    small.remove();
    plain.remove();
  });

  it('fails at the quota, writes nothing by half, serves reads and subscriptions, and opens again', async (t) => {
    const file = join(plain.folder, 'log.db');
    const store = await opened(t, file, 2_000_000);
    const { written, failed } = await fill(store);
    assert.ok(written.length > 10);
    await checkWhole(store, written, failed);

    const follower = follow(store, { streams: written });
    await follower.until(() => follower.caughtUp() > 0);
    assert.equal(follower.events.length, 2 * written.length);

    // Many at once fail each for itself.
    const results = await Promise.all(
      Array.from({ length: 20 }, () => store.append(newStream(), 'no_stream', [newEvent(0, { text })])()),
    );
    for (const result of results) if (E.isLeft(result)) left(result, 'StoreFull');
    assert.ok(results.some(E.isLeft));
    await store.close();

    const larger = await opened(t, file, 4_000_000);
    right(await larger.append(failed, 'no_stream', newEvents(3))());
    assert.equal((await all(larger.readStream(failed))).length, 3);
  });

  it('goes on as soon as there is room again on a file system that was full', { skip }, async (t) => {
    const ballast = join(small.folder, 'ballast');
    writeFileSync(ballast, Buffer.alloc(2_000_000));
    const store = await opened(t, join(small.folder, 'log.db'));
    const follower = follow(store, { streams: [] });
    const { written, failed } = await fill(store);
    assert.ok(written.length > 10);
    await checkWhole(store, written, failed);

    rmSync(ballast);
    right(await store.append(failed, 'no_stream', [newEvent(0, { text }), newEvent(1, { text })])());
    await checkWhole(store, [...written, failed], newStream());
    await store.close();
    assert.equal(follower.stopped()?.kind, 'StoreClosed');

    const again = await opened(t, join(small.folder, 'log.db'));
    await checkWhole(again, [...written, failed], newStream());
  });
});
