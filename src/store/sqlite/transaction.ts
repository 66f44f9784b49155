import { statSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BoundedMap } from '../../bounds/bounded-map.ts';
import type { StoreFailure } from '../../ports/event-store.ts';
import { isConstraint, sqliteFailure } from './failure.ts';
import type { EventRow, Order, Outcome } from './protocol.ts';

/** Stream ends kept in memory; of others the end is read. */
const mostEnds = 100_000;

/** Where a stream ends: the id of its row, and its last revision. */
interface End {
  id: number;
  revision: number;
}

interface Statements {
  readonly insert: StatementSync;
  readonly last: StatementSync;
  readonly after: StatementSync;
  readonly has: StatementSync;
  readonly undo: StatementSync;
}

const statementsOf = (db: DatabaseSync, table: 'event' | 'transcript'): Statements => ({
  insert: db.prepare(`INSERT INTO ${table} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`),
  last: db.prepare(`SELECT max(revision) AS revision FROM ${table} WHERE stream = ?`),
  after: db.prepare(
    `SELECT id, position, revision FROM ${table} WHERE stream = ? AND revision > ? ORDER BY revision LIMIT ?`,
  ),
  has: db.prepare(`SELECT 1 FROM ${table} WHERE id = ?`),
  undo: db.prepare(`DELETE FROM ${table} WHERE position >= ?`),
});

/** Writes batches of appends, each batch in one transaction. Runs in the writer thread. */
export const createTransactions = (db: DatabaseSync, file: string) => {
  const { ino } = statSync(file);
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commit = db.prepare('COMMIT');
  const rollback = db.prepare('ROLLBACK');
  const event = statementsOf(db, 'event');
  const transcript = statementsOf(db, 'transcript');
  const findStream = db.prepare('SELECT id FROM stream WHERE name = ?');
  const makeStream = db.prepare('INSERT INTO stream (name) VALUES (?) RETURNING id');
  const touch = db.prepare('INSERT OR IGNORE INTO touched VALUES (?, ?)');
  const untouch = db.prepare('DELETE FROM touched WHERE user = ? AND position >= ?');
  const endOfLog = db.prepare(
    'SELECT max(ifnull((SELECT max(position) FROM event), 0), ifnull((SELECT max(position) FROM transcript), 0)) AS position',
  );

  /** Least recently used first. */
  const ends = new BoundedMap<string, End>(mostEnds);
  let next = 0;
  const forget = (): void => {
    ends.clear();
    next = Number(endOfLog.get()?.position ?? 0) + 1;
  };
  forget();

  const endOf = (stream: string, { last }: Statements): End => {
    const known = ends.get(stream);
    if (known !== undefined) {
      ends.set(stream, known);
      return known;
    }
    const id = findStream.get(stream)?.id;
    const revision = typeof id === 'number' ? last.get(id)?.revision : undefined;
    const end: End = {
      id: typeof id === 'number' ? id : 0,
      revision: typeof revision === 'number' ? revision : -1,
    };
    ends.set(stream, end);
    return end;
  };

  /** Whether the events are there already, right after the expected revision: an append that was tried before. */
  const before = (end: End, expected: number, events: readonly EventRow[], { after }: Statements): Outcome => {
    const rows = after.all(end.id, expected, events.length);
    const last = rows.at(-1);
    const same = rows.length === events.length && rows.every((row, i) => row.id === events[i]?.[0]);
    if (!same || last === undefined) return { kind: 'wrong', actual: end.revision };
    return { kind: 'before', position: Number(last.position), revision: Number(last.revision) };
  };

  const used = (stream: string): Outcome => ({
    kind: 'failed',
    failure: {
      kind: 'StoreRefused',
      message: `an event id of this append to ${stream} is used for another event already`,
    },
  });

  const write = (stream: string, expected: number, events: readonly EventRow[]): Outcome => {
    const [statements, other] = stream.startsWith('room-') ? [event, transcript] : [transcript, event];
    const end = endOf(stream, statements);
    if (end.revision !== expected) return before(end, expected, events, statements);
    for (const [id] of events) if (other.has.get(id) !== undefined) return used(stream);
    if (end.id === 0) end.id = Number(makeStream.get(stream)?.id);
    const first = next;
    try {
      for (const [id, type, time, version, data, metadata, users] of events) {
        statements.insert.run(next, end.id, end.revision + next - first + 1, id, type, time, version, data, metadata);
        for (const user of users) touch.run(user, next);
        next += 1;
      }
    } catch (cause) {
      if (!isConstraint(cause)) throw cause;
      statements.undo.run(first);
      for (const row of events) for (const user of row[6]) untouch.run(user, first);
      next = first;
      return used(stream);
    }
    end.revision += events.length;
    return { kind: 'written', first, revision: end.revision };
  };

  const all = (orders: readonly Order[], failure: StoreFailure): (readonly [number, Outcome])[] =>
    orders.map(([number]) => [number, { kind: 'failed', failure }]);

  const undo = (): void => {
    // SQLite has rolled back by itself after the graver errors.
    if (db.isTransaction) rollback.run();
    forget();
  };

  /**
   * One transaction: an append with a wrong expected revision fails alone, a failure of the disk fails all. Durable when it
   * returns.
   */
  return (orders: readonly Order[]): readonly (readonly [number, Outcome])[] => {
    try {
      // A file that was moved or deleted would take appends until the end of the process, and then be gone.
      if (statSync(file, { throwIfNoEntry: false })?.ino !== ino)
        return all(orders, {
          kind: 'StoreUnavailable',
          message: `the log ${file} was moved, replaced or deleted while it was open: put it back, or restart`,
        });
      begin.run();
      const answers = orders.map(
        ([number, stream, expected, events]) => [number, write(stream, expected, events)] as const,
      );
      try {
        commit.run();
      } catch (cause) {
        undo();
        const failure = sqliteFailure(file, 'append to the log', cause);
        // A commit whose fsync failed may be on the disk or not.
        return all(orders, failure.kind === 'StoreFull' ? failure : { ...failure, kind: 'OutcomeUnknown' });
      }
      return answers;
    } catch (cause) {
      undo();
      return all(orders, sqliteFailure(file, 'append to the log', cause));
    }
  };
};
