import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import { Transactions } from '../../../src/store/sqlite/transaction.ts';
import { all, left, newEvent, newEvents, newStream, right } from '../../contract/event-store-kit.ts';
import { openLog, temporaryFolder } from './temporary-log.ts';

describe('SQLite log: the writer thread', () => {
  it('fails what was in flight when it dies, in a sentence, and is started again', async () => {
    const { folder, remove } = temporaryFolder();
    const lines: string[] = [];
    const store = await openLog(join(folder, 'log.db'), {
      writer: new URL('./broken-writer.ts', import.meta.url),
      log: { error: (_, message) => lines.push(message) },
    });
    const stream = newStream();
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      const results = await Promise.all([
        store.append(stream, 'no_stream', [newEvent(0)])(),
        store.append(newStream(), 'no_stream', [newEvent(0)])(),
      ]);
      for (const result of results) assert.match(left(result, 'OutcomeUnknown').message, /the writer fell over/);
      assert.equal(lines.length, attempt);
    }
    assert.equal(right(await store.lastRevision(stream)()), undefined);
    await store.close();
    remove();
  });

  it('refuses more than it may hold in memory, and goes on when that is written', async () => {
    const { folder, remove } = temporaryFolder();
    const store = await openLog(join(folder, 'log.db'));
    const text = 'x'.repeat(17 * 1024 * 1024);
    const begun = Array.from({ length: 5 }, (_, n) =>
      store.append(newStream(), 'no_stream', [newEvent(n, { text })])(),
    );
    const results = await Promise.all(begun);
    assert.deepEqual(results.map(E.isRight), [true, true, true, true, false]);
    assert.match(
      left(results[4] ?? assert.fail(), 'StoreUnavailable').message,
      /4 appends wait for the log .* too slow/,
    );
    right(await store.append(newStream(), 'no_stream', [newEvent(5)])());
    await store.close();
    remove();
  });

  it('closes while appends are on their way', async () => {
    const { folder, remove } = temporaryFolder();
    const file = join(folder, 'log.db');
    const store = await openLog(file);
    const stream = newStream();
    const begun = newEvents(500).map((event, n) =>
      store.append(stream, n === 0 ? 'no_stream' : BigInt(n - 1), [event])(),
    );
    await store.close();
    assert.equal((await Promise.all(begun)).filter(E.isRight).length, 500);
    const again = await openLog(file);
    assert.equal((await all(again.readStream(stream))).length, 500);
    await again.close();
    remove();
  });

  it('commits what arrives together in one transaction, each append judged alone', async () => {
    const { folder, remove } = temporaryFolder();
    const file = join(folder, 'log.db');
    await (await openLog(file)).close();
    const db = new DatabaseSync(file);
    const transactions = new Transactions(db, file);
    const row = (id: string = randomUUID()) => [id, 'T', '', 1, '{}', '{}', ['a@b']] as const;
    const used = randomUUID();
    const answers = transactions.write([
      [1, 'room-a', -1, [row(used)]],
      [2, 'room-a', -1, [row()]],
      [3, 'room-b', -1, [row(), row(used), row()]],
      [4, 'room-b', -1, [row()]],
      [5, 'room-a', 0, [row()]],
      [6, 'transcript-a', -1, [row(used)]],
      [7, 'room-a', -1, [row(used)]],
    ]);
    assert.deepEqual(
      answers.map(([number, { kind }]) => [number, kind]),
      [
        [1, 'written'],
        [2, 'wrong'],
        [3, 'failed'],
        [4, 'written'],
        [5, 'written'],
        [6, 'failed'],
        [7, 'before'],
      ],
    );
    const positions = db.prepare('SELECT position FROM event ORDER BY position').all();
    assert.deepEqual(
      positions.map(({ position }) => position),
      [1, 2, 3],
    );
    db.close();
    remove();
  });
});
