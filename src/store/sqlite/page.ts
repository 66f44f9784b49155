import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type StoredEvent, StoreError } from '../../ports/event-store.ts';
import { FileEvent, type Rest } from './event.ts';
import { sqliteFailure } from './failure.ts';
import type { PageSize } from './page-size.ts';
import { allRows, numberIn, prepareRows, type Row, textIn } from './rows.ts';
import type { StreamNames } from './stream-names.ts';

/**
 * Pages of events, made of rows of the file.
 * A page is whole (all of each event) or light (ids and metadata are read when the first of its events is asked for them).
 */

const columns = 'position, stream, revision, type, time, version, data';
/** Columns of a whole event. */
export const wholeColumns = `${columns}, id, metadata`;
/** Of one without the rest, with the rest's weight in its place: a replay asks for no more, and is a third faster for it. */
export const lightColumns = `${columns}, octet_length(metadata)`;

/** Turns rows of the file into pages of events, and tells the page's size what they weighed. */
export class Pages {
  readonly #file: string;
  readonly #names: StreamNames;
  readonly #rest: StatementSync;

  constructor(db: DatabaseSync, file: string, names: StreamNames) {
    this.#file = file;
    this.#names = names;
    this.#rest = prepareRows(db, 'SELECT position, id, metadata FROM event WHERE position >= ? AND position <= ?');
  }

  /** Of rows of `wholeColumns`. */
  whole(rows: readonly Row[], size: PageSize): readonly StoredEvent[] {
    let bytes = 0;
    const events = rows.map((row) => {
      const rest: Rest = { id: textIn(row, 7), metadata: textIn(row, 8) };
      bytes += textIn(row, 6).length + rest.metadata.length;
      return this.#eventIn(row, () => rest);
    });
    size.took(events.length, bytes);
    return events;
  }

  /** Of rows of `lightColumns` that follow each other in the table of rooms' events. */
  light(rows: readonly Row[], size: PageSize): readonly StoredEvent[] {
    const [start, end] = [rows[0], rows.at(-1)];
    if (start === undefined || end === undefined) return [];
    const restOf = this.#restBetween(numberIn(start, 0), numberIn(end, 0));
    let bytes = 0;
    const events = rows.map((row) => {
      bytes += textIn(row, 6).length + numberIn(row, 7);
      return this.#eventIn(row, restOf);
    });
    size.took(events.length, bytes);
    return events;
  }

  #eventIn(row: Row, restOf: (position: number) => Rest): FileEvent {
    const version = row[5];
    return new FileEvent(
      numberIn(row, 0),
      this.#names.nameOf(numberIn(row, 1)),
      numberIn(row, 2),
      textIn(row, 3),
      textIn(row, 4),
      typeof version === 'number' ? version : undefined,
      textIn(row, 6),
      restOf,
    );
  }

  /** The rest of all events from one position to another, read when it is first asked for. */
  #restBetween(start: number, end: number): (position: number) => Rest {
    let found: ReadonlyMap<number, Rest> | undefined;
    return (position) => {
      found ??= this.#readRest(start, end);
      const one = found.get(position);
      if (one === undefined) throw new Error(`position ${position} is no longer in the log ${this.#file}`);
      return one;
    };
  }

  #readRest(start: number, end: number): ReadonlyMap<number, Rest> {
    try {
      const rows = allRows(this.#rest, start, end);
      return new Map(rows.map((row) => [numberIn(row, 0), { id: textIn(row, 1), metadata: textIn(row, 2) }]));
    } catch (cause) {
      throw new StoreError(sqliteFailure(this.#file, 'read the log', cause));
    }
  }
}
