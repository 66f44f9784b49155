import { statSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { StoreFailure } from '../../ports/event-store.ts';
import { categoryOf } from '../../room/stream.ts';
import { isConstraint, sqliteFailure } from './failure.ts';
import type { Append, AppendAnswer, AppendOutcome, EventRow } from './protocol.ts';
import { type StreamEnd, StreamEnds } from './stream-ends.ts';

/**
 * The writer's transactions: which appends of a batch are taken, and what becomes of all when the disk fails.
 * Knows nothing of threads.
 */

/** How one of the two tables is written, and what a write asks of it before. */
interface WriteStatements {
  readonly insert: StatementSync;
  readonly last: StatementSync;
  readonly after: StatementSync;
  readonly has: StatementSync;
  readonly undo: StatementSync;
}

const prepareWrites = (db: DatabaseSync, table: 'event' | 'transcript'): WriteStatements => ({
  insert: db.prepare(`INSERT INTO ${table} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`),
  last: db.prepare(`SELECT max(revision) AS revision FROM ${table} WHERE stream = ?`),
  after: db.prepare(
    `SELECT id, position, revision FROM ${table} WHERE stream = ? AND revision > ? ORDER BY revision LIMIT ?`,
  ),
  has: db.prepare(`SELECT 1 FROM ${table} WHERE id = ?`),
  undo: db.prepare(`DELETE FROM ${table} WHERE position >= ?`),
});

const prepareOthers = (db: DatabaseSync) => ({
  begin: db.prepare('BEGIN IMMEDIATE'),
  commit: db.prepare('COMMIT'),
  rollback: db.prepare('ROLLBACK'),
  makeStream: db.prepare('INSERT INTO stream (name) VALUES (?) RETURNING id'),
  touch: db.prepare('INSERT OR IGNORE INTO touched VALUES (?, ?)'),
  untouch: db.prepare('DELETE FROM touched WHERE user = ? AND position >= ?'),
  endOfLog: db.prepare(
    'SELECT max(ifnull((SELECT max(position) FROM event), 0), ifnull((SELECT max(position) FROM transcript), 0)) AS position',
  ),
});

/**
 * Writes batches of appends to the log's file, each batch in one transaction, each append judged alone.
 * Runs in the writer thread, which is the only one that writes: what it knows of streams' ends is so.
 */
export class Transactions {
  readonly #db: DatabaseSync;
  readonly #file: string;
  readonly #inode: number;
  readonly #event: WriteStatements;
  readonly #transcript: WriteStatements;
  readonly #do: ReturnType<typeof prepareOthers>;
  readonly #ends: StreamEnds;
  /** Position of the next event. */
  #next: number;

  constructor(db: DatabaseSync, file: string) {
    this.#db = db;
    this.#file = file;
    this.#inode = statSync(file).ino;
    this.#event = prepareWrites(db, 'event');
    this.#transcript = prepareWrites(db, 'transcript');
    this.#do = prepareOthers(db);
    this.#ends = new StreamEnds(db);
    this.#next = this.#endOfLog() + 1;
  }

  /**
   * One transaction: an append with a wrong expected revision fails alone, a failure of the disk fails all. Durable when it
   * returns.
   */
  write(appends: readonly Append[]): readonly AppendAnswer[] {
    try {
      // A file that was moved or deleted would take appends until the end of the process, and then be gone.
      if (statSync(this.#file, { throwIfNoEntry: false })?.ino !== this.#inode)
        return failAll(appends, {
          kind: 'StoreUnavailable',
          message: `the log ${this.#file} was moved, replaced or deleted while it was open: put it back, or restart`,
        });
      this.#do.begin.run();
      const answers = appends.map((append): AppendAnswer => [append[0], this.#append(append)]);
      const failure = this.#commit();
      return failure === undefined ? answers : failAll(appends, failure);
    } catch (cause) {
      this.#rollBack();
      return failAll(appends, sqliteFailure(this.#file, 'append to the log', cause));
    }
  }

  #append([, stream, expected, events]: Append): AppendOutcome {
    const isRoom = categoryOf(stream) === 'room';
    const table = isRoom ? this.#event : this.#transcript;
    const other = isRoom ? this.#transcript : this.#event;
    const end = this.#ends.of(stream, table.last);
    if (end.revision !== expected) return beforeOrWrong(table, end, expected, events);
    for (const [id] of events) if (other.has.get(id) !== undefined) return usedId(stream);
    if (end.id === 0) end.id = Number(this.#do.makeStream.get(stream)?.id);
    const first = this.#next;
    try {
      this.#insert(table, end, events);
    } catch (cause) {
      if (!isConstraint(cause)) throw cause;
      this.#takeBack(table, first, events);
      return usedId(stream);
    }
    end.revision += events.length;
    return { kind: 'written', first, revision: end.revision };
  }

  #insert({ insert }: WriteStatements, end: StreamEnd, events: readonly EventRow[]): void {
    let revision = end.revision;
    for (const [id, type, time, version, data, metadata, users] of events) {
      revision += 1;
      insert.run(this.#next, end.id, revision, id, type, time, version, data, metadata);
      for (const user of users) this.#do.touch.run(user, this.#next);
      this.#next += 1;
    }
  }

  /** Takes one append out of the transaction; those before it stay. */
  #takeBack({ undo }: WriteStatements, first: number, events: readonly EventRow[]): void {
    undo.run(first);
    for (const row of events) for (const user of row[6]) this.#do.untouch.run(user, first);
    this.#next = first;
  }

  /** The failure of a commit, after which nothing is known for certain. */
  #commit(): StoreFailure | undefined {
    try {
      this.#do.commit.run();
      return undefined;
    } catch (cause) {
      this.#rollBack();
      const failure = sqliteFailure(this.#file, 'append to the log', cause);
      // A commit whose fsync failed may be on the disk or not.
      return failure.kind === 'StoreFull' ? failure : { ...failure, kind: 'OutcomeUnknown' };
    }
  }

  #rollBack(): void {
    // SQLite has rolled back by itself after the graver errors.
    if (this.#db.isTransaction) this.#do.rollback.run();
    this.#ends.forget();
    this.#next = this.#endOfLog() + 1;
  }

  #endOfLog(): number {
    return Number(this.#do.endOfLog.get()?.position ?? 0);
  }
}

/** Whether the events are there already, right after the expected revision: an append that was tried before. */
const beforeOrWrong = (
  { after }: WriteStatements,
  end: StreamEnd,
  expected: number,
  events: readonly EventRow[],
): AppendOutcome => {
  const rows = after.all(end.id, expected, events.length);
  const last = rows.at(-1);
  const same = rows.length === events.length && rows.every((row, i) => row.id === events[i]?.[0]);
  if (!same || last === undefined) return { kind: 'wrong', actual: end.revision };
  return { kind: 'before', position: Number(last.position), revision: Number(last.revision) };
};

const usedId = (stream: string): AppendOutcome => ({
  kind: 'failed',
  failure: {
    kind: 'StoreRefused',
    message: `an event id of this append to ${stream} is used for another event already`,
  },
});

const failAll = (appends: readonly Append[], failure: StoreFailure): readonly AppendAnswer[] =>
  appends.map(([number]) => [number, { kind: 'failed', failure }]);
