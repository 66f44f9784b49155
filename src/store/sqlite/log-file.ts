import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { StoredEvent } from '../../ports/event-store.ts';
import { categoryOf } from '../../room/stream.ts';
import { lightColumns, Pages, wholeColumns } from './page.ts';
import type { PageSize } from './page-size.ts';
import { allRows, firstRow, numberIn, prepareRows, textIn } from './rows.ts';
import { StreamNames } from './stream-names.ts';

/**
 * What can be asked of a log's file, as SQL over its tables.
 * `log-reads.ts` makes the port of it.
 */

/** What is asked of one of the two tables: of rooms' events, or of recorded messages. */
interface ReadStatements {
  readonly forwards: StatementSync;
  readonly backwards: StatementSync;
  readonly last: StatementSync;
  readonly end: StatementSync;
}

const prepareReads = (db: DatabaseSync, table: 'event' | 'transcript'): ReadStatements => {
  const ofStream = `SELECT ${wholeColumns} FROM ${table} WHERE stream = ?`;
  return {
    forwards: prepareRows(db, `${ofStream} AND revision >= ? ORDER BY revision LIMIT ?`),
    backwards: prepareRows(db, `${ofStream} AND revision <= ? ORDER BY revision DESC LIMIT ?`),
    last: prepareRows(db, `SELECT revision FROM ${table} WHERE stream = ? ORDER BY revision DESC LIMIT 1`),
    end: prepareRows(db, `SELECT position FROM ${table} ORDER BY position DESC LIMIT 1`),
  };
};

const prepareQueries = (db: DatabaseSync) => ({
  rooms: prepareRows(
    db,
    `SELECT ${lightColumns} FROM event WHERE position > ? AND position <= ? ORDER BY position LIMIT ?`,
  ),
  ofUser: prepareRows(
    db,
    `SELECT ${wholeColumns} FROM event WHERE position IN
      (SELECT position FROM touched WHERE user = ? AND position > ? ORDER BY position LIMIT ?) ORDER BY position`,
  ),
  timeFrom: prepareRows(db, 'SELECT position, time FROM event WHERE position >= ? ORDER BY position LIMIT 1'),
  dataVersion: prepareRows(db, 'PRAGMA data_version'),
});

/**
 * A log's file as it is read: by pages, each in one short read transaction, so that no reader holds up a checkpoint for long.
 * Positions and revisions are numbers here; everything throws what SQLite throws.
 */
export class LogFile {
  readonly #names: StreamNames;
  readonly #pages: Pages;
  readonly #event: ReadStatements;
  readonly #transcript: ReadStatements;
  readonly #queries: ReturnType<typeof prepareQueries>;

  constructor(db: DatabaseSync, file: string) {
    this.#names = new StreamNames(db);
    this.#pages = new Pages(db, file, this.#names);
    this.#event = prepareReads(db, 'event');
    this.#transcript = prepareReads(db, 'transcript');
    this.#queries = prepareQueries(db);
  }

  /** A page of rooms' events after one position and up to another. */
  rooms(after: number, until: number, size: PageSize): readonly StoredEvent[] {
    return this.#pages.light(allRows(this.#queries.rooms, after, until, size.events), size);
  }

  /** A page of rooms' events that touch a user (`user@domain`). */
  ofUser(user: string, after: number, size: PageSize): readonly StoredEvent[] {
    return this.#pages.whole(allRows(this.#queries.ofUser, user, after, size.events), size);
  }

  /** A page of a stream's events from a revision on, or back from it; `most` events. */
  stream(
    stream: string,
    start: number,
    direction: 'forwards' | 'backwards',
    most: number,
    size: PageSize,
  ): readonly StoredEvent[] {
    const id = this.#names.idOf(stream);
    if (id === undefined) return [];
    const limit = Math.min(most, size.events);
    return this.#pages.whole(allRows(this.#tableOf(stream)[direction], id, start, limit), size);
  }

  lastRevision(stream: string): number | undefined {
    const id = this.#names.idOf(stream);
    const row = id === undefined ? undefined : firstRow(this.#tableOf(stream).last, id);
    return row === undefined ? undefined : numberIn(row, 0);
  }

  /** Last position of rooms' events; 0 where there is none. */
  endOfRooms(): number {
    return endOf(this.#event);
  }

  /** Last position of all; 0 where the log is empty. */
  end(): number {
    return Math.max(endOf(this.#event), endOf(this.#transcript));
  }

  /** Position of the last event that was not after a time; 0 where there is none. Times grow with the positions. */
  positionAt(time: string): number {
    let low = 0; // not after `time`
    let high = this.endOfRooms() + 1;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      const row = firstRow(this.#queries.timeFrom, middle);
      if (row === undefined || textIn(row, 1) > time) high = middle;
      else low = numberIn(row, 0);
    }
    return low;
  }

  /** Changes when another connection has committed. */
  dataVersion(): number {
    const row = firstRow(this.#queries.dataVersion);
    return row === undefined ? 0 : numberIn(row, 0);
  }

  #tableOf(stream: string): ReadStatements {
    return categoryOf(stream) === 'room' ? this.#event : this.#transcript;
  }
}

const endOf = ({ end }: ReadStatements): number => {
  const row = firstRow(end);
  return row === undefined ? 0 : numberIn(row, 0);
};
