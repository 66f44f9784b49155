import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, it } from 'node:test';
import type { EventStore, ExpectedRevision } from '../../../src/ports/event-store.ts';
import { mostWalBytes } from '../../../src/store/sqlite/wal.ts';
import { all, follow, newEvent, newEvents, newStream, right } from '../../contract/event-store-kit.ts';
import { openLog, openReader, temporaryFolder } from './temporary-log.ts';

/** The writer's bound, and one transaction's worth. */
const mostWal = mostWalBytes + 4 * 1024 * 1024;

/** Appends to 16 streams at once, `rounds` times each, and gives back the largest size that the WAL had. */
const writeMuch = async (
  store: EventStore,
  file: string,
  rounds: number,
  characters = 4_000,
): Promise<{ events: number; wal: number }> => {
  const text = 'x'.repeat(characters);
  let wal = 0;
  const write = async (): Promise<void> => {
    const stream = newStream();
    let expected: ExpectedRevision = 'no_stream';
    for (let n = 0; n < rounds; n += 1) {
      const events = Array.from({ length: 10 }, (_, i) => newEvent(i, { text }));
      expected = right(await store.append(stream, expected, events)()).revision;
      wal = Math.max(wal, statSync(`${file}-wal`).size);
    }
  };
  await Promise.all(Array.from({ length: 16 }, write));
  return { events: 16 * 10 * rounds, wal };
};

describe('SQLite: the WAL', { timeout: 120_000 }, () => {
  const { folder, remove } = temporaryFolder();
  after(remove);

  it('stays bounded while readers read without a pause, some of them never to the end', async (t) => {
    const file = join(folder, 'read.db');
    const store = await openLog(file);
    t.after(() => store.close());
    const stream = newStream();
    right(await store.append(stream, 'no_stream', newEvents(900))());

    let writing = true;
    const readers = [await openReader(file), await openReader(file)];
    t.after(() => Promise.all(readers.map((reader) => reader.close())));
    // One reads everything again and again; one has stopped in the middle of a page and stands there; two follow.
    const again = (async () => {
      let read = 0;
      while (writing) for await (const _ of readers[0]?.readAll() ?? []) read += 1;
      return read;
    })();
    const standing = readers[1]?.readAll()[Symbol.asyncIterator]();
    assert.equal((await standing?.next())?.done, false);
    const followers = [store, ...readers].map((one) => follow(one, { streams: [stream] }));

    const { events, wal } = await writeMuch(store, file, 22, 20_000);
    writing = false;
    assert.ok((await again) > 0);
    assert.ok(wal < mostWal, `the WAL grew to ${wal} bytes`);
    // Nobody who stands still in the midst of reading keeps a part of the WAL from going into the file.
    const other = new DatabaseSync(file);
    t.after(() => other.close());
    const checkpoint = other.prepare('PRAGMA wal_checkpoint(PASSIVE)').get();
    assert.equal(checkpoint?.checkpointed, checkpoint?.log);
    // Now that all of it is in the file.
    assert.ok(statSync(file).size > mostWal, 'so little was written that the WAL had no reason to grow');
    assert.equal((await all(store.readAll())).length, events + 900);
    await standing?.return?.();
    for (const follower of followers) await follower.until(() => follower.events.length === 900);
  });

  it('outgrows its bound only while somebody holds a read transaction open, and shrinks after', async (t) => {
    const file = join(folder, 'pinned.db');
    const store = await openLog(file);
    t.after(() => store.close());
    const pin = new DatabaseSync(file, { readOnly: true });
    pin.exec('BEGIN; SELECT count(*) FROM event');
    const { wal } = await writeMuch(store, file, 20, 20_000);
    assert.ok(wal > mostWal, `${wal} bytes: nothing held the WAL`);
    pin.close();
    // The next try finds nobody in its way, however much later it comes.
    const after = await writeMuch(store, file, 10, 20_000);
    assert.ok(after.wal < wal + 2 * mostWal, `the WAL grew to ${after.wal} bytes`);
    assert.ok(statSync(`${file}-wal`).size < mostWal, 'the WAL did not shrink');
  });

  it('is gone once the log is closed, and the file holds everything alone', async () => {
    const file = join(folder, 'closed.db');
    const store = await openLog(file);
    const stream = newStream();
    right(await store.append(stream, 'no_stream', [newEvent(0), newEvent(1)])());
    await store.close();
    assert.equal(statSync(`${file}-wal`, { throwIfNoEntry: false }), undefined);
    const plain = new DatabaseSync(file, { readOnly: true });
    assert.equal(plain.prepare('SELECT count(*) AS n FROM event').get()?.n, 2);
    plain.close();
  });

  it("may be copied with SQLite's backup while the log is written", async (t) => {
    const file = join(folder, 'source.db');
    const copy = join(folder, 'copy.db');
    const store = await openLog(file);
    t.after(() => store.close());
    const stream = newStream();
    right(await store.append(stream, 'no_stream', newEvents(500))());
    const source = new DatabaseSync(file, { readOnly: true });
    const { backup } = await import('node:sqlite');
    const [, written] = await Promise.all([backup(source, copy, { rate: 5 }), writeMuch(store, file, 5)]);
    source.close();

    const restored = await openLog(copy);
    t.after(() => restored.close());
    assert.equal(right(await restored.identity()), right(await store.identity()));
    const events = await all(restored.readAll());
    assert.ok(events.length >= 500 && events.length <= 500 + written.events);
    // What the copy holds is a beginning of the log, without a hole.
    const whole = await all(store.readAll());
    assert.deepEqual(
      events.map(({ id }) => id),
      whole.slice(0, events.length).map(({ id }) => id),
    );
  });
});
