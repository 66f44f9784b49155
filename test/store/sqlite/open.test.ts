import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import type { Position, StoreFailure } from '../../../src/ports/event-store.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { openSqliteReader, openSqliteStore } from '../../../src/store/sqlite/open.ts';
import { all, left, newEvent, newEvents, newStream, right } from '../../contract/event-store-kit.ts';
import { asNobody, openLog, openReader, storeOptions, temporaryFolder } from './temporary-log.ts';

describe('SQLite log: opening', () => {
  let folder = '';
  let file = '';
  let remove = (): void => {};
  beforeEach(() => {
    ({ folder, remove } = temporaryFolder());
    file = join(folder, 'log.db');
  });
  afterEach(() => {
    chmodSync(folder, 0o700);
    remove();
  });

  /** The failure to open, by a server and by a reader; the file must be as it was. */
  const unopened = async (): Promise<readonly [StoreFailure, StoreFailure]> => {
    const bytes = readFileSync(file);
    const store = await openSqliteStore(storeOptions(file))();
    const reader = await openSqliteReader({ file, clock: systemClock })();
    assert.ok(E.isLeft(store), 'the server opened it');
    assert.ok(E.isLeft(reader), 'the reader opened it');
    assert.ok(readFileSync(file).equals(bytes), 'the file was changed');
    return [store.left, reader.left];
  };

  const madeLog = async (events = 3): Promise<string> => {
    const store = await openLog(file);
    const stream = newStream();
    right(await store.append(stream, 'no_stream', newEvents(events))());
    await store.close();
    return stream;
  };

  it('makes the log and its folder, for the owner alone, with an identity that stays', async () => {
    file = join(folder, 'new', 'deeper', 'log.db');
    const store = await openLog(file);
    const identity = right(await store.identity());
    await store.close();
    assert.equal(statSync(join(folder, 'new')).mode & 0o777, 0o700);
    assert.match(identity, /^[0-9a-f-]{36}$/);
    const again = await openLog(file);
    assert.equal(right(await again.identity()), identity);
    await again.close();
    const other = await openLog(join(folder, 'other.db'));
    assert.notEqual(right(await other.identity()), identity);
    await other.close();
  });

  it('goes on where it ended', async () => {
    const stream = await madeLog(3);
    const store = await openLog(file);
    assert.equal(right(await store.lastRevision(stream)()), 2n);
    right(await store.append(stream, 2n, [newEvent(3)])());
    assert.equal((await all(store.readStream(stream))).length, 4);
    await store.close();
  });

  it('is marked as a log of imcd, in a format with a number', async () => {
    await madeLog();
    const header = readFileSync(file).subarray(0, 100);
    assert.equal(header.subarray(68, 72).toString('latin1'), 'imcd');
    assert.equal(header.readUInt32BE(60), 1);
  });

  it('refuses a log of a newer format', async () => {
    await madeLog();
    const db = new DatabaseSync(file);
    db.exec('PRAGMA user_version = 2; PRAGMA journal_mode = DELETE');
    db.close();
    for (const failure of await unopened()) {
      assert.equal(failure.kind, 'StoreDamaged');
      assert.match(failure.message, /format 2.*newer imcd.*1 is the newest/);
      assert.ok(failure.message.includes(file));
    }
  });

  it("refuses another program's database", async () => {
    const db = new DatabaseSync(file);
    db.exec('CREATE TABLE recipes (name TEXT)');
    db.close();
    for (const failure of await unopened()) {
      assert.equal(failure.kind, 'StoreDamaged');
      assert.match(failure.message, /another program/);
    }
  });

  it('refuses a file that is no database', async () => {
    writeFileSync(file, 'Dear diary, today we spoke about rooms.\n'.repeat(100));
    for (const failure of await unopened()) {
      assert.equal(failure.kind, 'StoreDamaged');
      assert.match(failure.message, /is not a log of imcd, or its first page is damaged/);
    }
  });

  it('refuses a log whose first page is damaged', async () => {
    await madeLog();
    const bytes = readFileSync(file);
    bytes.fill(0x55, 0, 100);
    writeFileSync(file, bytes);
    for (const failure of await unopened()) assert.equal(failure.kind, 'StoreDamaged');
  });

  it('says that a log was cut off', async () => {
    await madeLog(1_000);
    truncateSync(file, 20_000);
    for (const failure of await unopened()) {
      assert.equal(failure.kind, 'StoreDamaged');
      assert.ok(failure.message.includes(file));
    }
  });

  it('says which page of a log cannot be read, when it comes to it', async () => {
    const stream = await madeLog(2_000);
    const bytes = readFileSync(file);
    // All but the schema and the first pages of the tables.
    bytes.fill(0xff, 20 * 4_096, bytes.length - 4_096);
    writeFileSync(file, bytes);
    const store = await openSqliteStore(storeOptions(file))();
    if (E.isLeft(store)) {
      assert.equal(store.left.kind, 'StoreDamaged');
      return;
    }
    await assert.rejects(all(store.right.readStream(stream)), (error) => {
      assert.ok(error instanceof Error);
      assert.match(error.message, /damaged/);
      return true;
    });
    await store.right.close();
  });

  it('names the event whose JSON is damaged', async () => {
    const stream = await madeLog(3);
    const db = new DatabaseSync(file);
    db.exec(`UPDATE event SET data = '{"room"' WHERE revision = 1`);
    db.close();
    const store = await openLog(file);
    await assert.rejects(all(store.readStream(stream)), /position 0000000000000002 .revision 1 of room-.*damaged/);
    const failure = await new Promise<StoreFailure>((resolve) => {
      store.subscribe(undefined, { onEvents: () => assert.fail('a damaged page was given'), onStopped: resolve });
    });
    assert.equal(failure.kind, 'StoreDamaged');
    await store.close();
  });

  it('does not make a new log where changes to a lost one are left', async () => {
    const store = await openLog(file);
    right(await store.append(newStream(), 'no_stream', newEvents(3))());
    const wal = readFileSync(`${file}-wal`);
    await store.close();
    rmSync(file);
    writeFileSync(`${file}-wal`, wal);
    const opened = await openSqliteStore(storeOptions(file))();
    assert.ok(E.isLeft(opened));
    assert.equal(opened.left.kind, 'StoreDamaged');
    assert.match(opened.left.message, /missing or empty.*log\.db-wal holds changes/);
    assert.ok(!existsSync(file));
    assert.ok(readFileSync(`${file}-wal`).equals(wal));
  });

  it('does not follow from a position that it has not reached, or never gave', async () => {
    const store = await openLog(file);
    const { position } = right(await store.append(newStream(), 'no_stream', newEvents(3))());
    const other = await openLog(join(folder, 'other.db'));
    right(await other.append(newStream(), 'no_stream', newEvents(2))());
    const given = 'C:123/P:123' as Position;
    for (const [log, after, sentence] of [
      [other, position, /position 0000000000000003 is beyond the end .*0000000000000002.*older copy/],
      [store, given, /C:123.P:123 is not a position of this log/],
    ] as const) {
      const failure = await new Promise<StoreFailure>((resolve) => {
        log.subscribe(after, { onEvents: () => assert.fail('an event'), onStopped: resolve });
      });
      assert.equal(failure.kind, 'StoreRefused');
      assert.match(failure.message, sentence);
    }
    await store.close();
    await other.close();
  });

  it('lets one server in, by whatever name, and readers beside it', async () => {
    const store = await openLog(file);
    const link = join(folder, 'link.db');
    symlinkSync(file, link);
    for (const name of [file, link]) {
      const second = await openSqliteStore(storeOptions(name))();
      assert.ok(E.isLeft(second));
      assert.equal(second.left.kind, 'StoreUnavailable');
      assert.match(second.left.message, /another imcd writes the log .*stop it first/);
    }
    const reader = await openReader(file);
    await reader.close();
    const stream = newStream();
    right(await store.append(stream, 'no_stream', [newEvent(0)])());
    await store.close();
    const next = await openLog(link);
    assert.equal(right(await next.lastRevision(stream)()), 0n);
    await next.close();
  });

  it('keeps the lock of the first when a second was turned away', async () => {
    const store = await openLog(file);
    assert.ok(E.isLeft(await openSqliteStore(storeOptions(file))()));
    assert.ok(E.isLeft(await openSqliteStore(storeOptions(file))()));
    await store.close();
    await (await openLog(file)).close();
  });

  it('says that a folder, or a log, may not be written', async () => {
    await madeLog();
    chmodSync(file, 0o444);
    chmodSync(folder, 0o555);
    await asNobody(async () => {
      for (const name of [file, join(folder, 'new.db'), join(folder, 'deeper', 'new.db')]) {
        const { kind, message } = left(await openSqliteStore(storeOptions(name))(), 'StoreRefused');
        assert.match(message, /right|may not be written/, kind);
        assert.ok(message.includes(name), message);
      }
    });
  });

  it('can be read in a folder that may not be written', async () => {
    const stream = await madeLog();
    rmSync(`${file}-lock`);
    chmodSync(file, 0o444);
    chmodSync(folder, 0o555);
    await asNobody(async () => {
      const reader = await openReader(file);
      assert.equal((await all(reader.readStream(stream))).length, 3);
      await reader.close();
    });
  });

  it('says that there is no log to read', async () => {
    const opened = await openSqliteReader({ file, clock: systemClock })();
    assert.ok(E.isLeft(opened));
    assert.equal(opened.left.kind, 'StoreUnavailable');
    assert.match(opened.left.message, /there is no log at/);
    assert.ok(!existsSync(file));
  });

  it('notices that the file was moved away while it is open', async () => {
    const store = await openLog(file);
    const stream = newStream();
    right(await store.append(stream, 'no_stream', [newEvent(0)])());
    rmSync(file);
    const result = await store.append(stream, 0n, [newEvent(1)])();
    assert.ok(E.isLeft(result) && result.left.kind === 'StoreUnavailable');
    assert.match(result.left.message, /moved, replaced or deleted/);
    await store.close();
  });
});
