import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BoundedMap } from '../../bounds/bounded-map.ts';

/**
 * What the writer knows of the streams that it writes to: their numbers, and where they end.
 * A bounded memory of what stands in the file.
 */

/** Stream ends kept in memory; of others the end is read. */
const mostEnds = 100_000;

/** Where a stream ends. The writer moves it as it writes. */
export interface StreamEnd {
  /** The stream's number; 0 where it has none yet. */
  id: number;
  /** Its last revision; -1 where it has no event. */
  revision: number;
}

/** Ends of the streams that were written to last, so that an append costs no look at the file. */
export class StreamEnds {
  readonly #idOf: StatementSync;
  /** Least recently used first. */
  readonly #known = new BoundedMap<string, StreamEnd>(mostEnds);

  constructor(db: DatabaseSync) {
    this.#idOf = db.prepare('SELECT id FROM stream WHERE name = ?');
  }

  /** @param last gives the last revision of a stream by its number */
  of(stream: string, last: StatementSync): StreamEnd {
    const end = this.#known.get(stream) ?? this.#read(stream, last);
    this.#known.set(stream, end);
    return end;
  }

  /** Forgets all: what was written since they were read is not in the file. */
  forget(): void {
    this.#known.clear();
  }

  #read(stream: string, last: StatementSync): StreamEnd {
    const id = this.#idOf.get(stream)?.id;
    if (typeof id !== 'number') return { id: 0, revision: -1 };
    const revision = last.get(id)?.revision;
    return { id, revision: typeof revision === 'number' ? revision : -1 };
  }
}
