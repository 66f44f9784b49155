import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Clock } from '../../../src/ports/clock.ts';
import { openSqliteReader, type SqliteLog } from '../../../src/store/sqlite/open.ts';
import { all, left, newEvent, newEvents, newStream, right } from '../../contract/event-store-kit.ts';
import { openLog, openReader, temporaryFolder } from './temporary-log.ts';

describe('SQLite log: a reader beside the server', () => {
  const { folder, remove } = temporaryFolder();
  const file = join(folder, 'log.db');
  let store: SqliteLog;
  let reader: SqliteLog;
  before(async () => {
    store = await openLog(file);
    reader = await openReader(file);
  });
  after(async () => {
    await reader.close();
    await store.close();
    remove();
  });

  it('sees what is durable, at once', async () => {
    const stream = newStream();
    assert.equal(right(await reader.lastRevision(stream)()), undefined);
    const { position } = right(await store.append(stream, 'no_stream', newEvents(3))());
    assert.equal(right(await reader.lastRevision(stream)()), 2n);
    assert.equal(right(await reader.end()), position);
    assert.equal((await all(reader.readStream(stream))).length, 3);
    assert.equal(right(await reader.identity()), right(await store.identity()));
    assert.equal(reader.comparePositions(position, position), 0);
  });

  it('does not append', async () => {
    const { message } = left(await reader.append(newStream(), 'no_stream', [newEvent(0)])(), 'StoreRefused');
    assert.match(message, /for reading only/);
  });

  it('follows live, without a gap or a double', async () => {
    const stream = newStream();
    right(await store.append(stream, 'no_stream', newEvents(5))());
    const revisions: bigint[] = [];
    await new Promise<void>((resolve, reject) => {
      let writing = false;
      const subscription = reader.subscribe(undefined, {
        onEvents: (batch) => {
          revisions.push(...batch.filter((one) => one.stream === stream).map((one) => one.revision));
          if (revisions.length < 205) return;
          subscription.stop();
          resolve();
        },
        onCaughtUp: () => {
          if (writing) return;
          writing = true;
          for (let n = 5; n < 205; n += 1) void store.append(stream, BigInt(n - 1), [newEvent(n)])();
        },
        onStopped: ({ message }) => reject(new Error(message)),
      });
    });
    assert.deepEqual(
      revisions,
      Array.from({ length: 205 }, (_, n) => BigInt(n)),
    );
  });

  it('looks only while somebody follows, and not after close', async () => {
    let waiting = 0;
    const clock: Pick<Clock, 'after'> = {
      after: () => {
        waiting += 1;
        return {
          cancel: () => {
            waiting -= 1;
          },
        };
      },
    };
    const opened = right(await openSqliteReader({ file, clock })());
    assert.equal(waiting, 0);
    opened.subscribe(undefined, { onEvents: () => {}, onStopped: () => {} });
    opened.subscribe(undefined, { onEvents: () => {}, onStopped: () => {} });
    assert.equal(waiting, 1);
    await opened.close();
    assert.equal(waiting, 0);
  });

  it('reads a log whose server is gone', async () => {
    const lone = join(folder, 'lone.db');
    const stream = newStream();
    const writing = await openLog(lone);
    right(await writing.append(stream, 'no_stream', newEvents(2))());
    await writing.close();
    const reading = await openReader(lone);
    assert.equal((await all(reading.readAll())).length, 2);
    await reading.close();
  });
});
