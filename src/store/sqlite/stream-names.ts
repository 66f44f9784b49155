import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BoundedMap } from '../../bounds/bounded-map.ts';
import { firstRow, numberIn, prepareRows, textIn } from './rows.ts';

/**
 * Numbers and names of streams in the file, for readers.
 * A bounded memory: a replay asks for the same names again and again.
 */

/** Names kept in memory; others are read. */
const mostNames = 100_000;

/** Names of streams, which stand once in the file: events hold a number in their place. */
export class StreamNames {
  readonly #idOf: StatementSync;
  readonly #nameOf: StatementSync;
  readonly #known = new BoundedMap<number, string>(mostNames);

  constructor(db: DatabaseSync) {
    this.#idOf = prepareRows(db, 'SELECT id FROM stream WHERE name = ?');
    this.#nameOf = prepareRows(db, 'SELECT name FROM stream WHERE id = ?');
  }

  /** The number of a stream; undefined where it was never written to. */
  idOf(name: string): number | undefined {
    const row = firstRow(this.#idOf, name);
    return row === undefined ? undefined : numberIn(row, 0);
  }

  nameOf(id: number): string {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const row = firstRow(this.#nameOf, id);
    if (row === undefined) throw new Error(`stream ${id} has no name in the log`);
    const name = textIn(row, 0);
    this.#known.set(id, name);
    return name;
  }
}
