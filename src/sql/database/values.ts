import { type RawBuilder, sql } from 'kysely';
import type { Cell } from './session.ts';

/**
 * `(?, ?), (?, ?)` for a list of rows of one width, which must not be empty. Built flat, as one node of Kysely's tree: a node each
 * for 500 rows costs three times as much to compile.
 */
export const tuples = (rows: readonly (readonly Cell[])[]): RawBuilder<unknown> => {
  const width = rows[0]?.length ?? 0;
  const texts = ['('];
  const cells: Cell[] = [];
  for (const row of rows) {
    for (const cell of row) {
      cells.push(cell);
      texts.push(cells.length % width === 0 ? '), (' : ', ');
    }
  }
  texts[texts.length - 1] = ')';
  return sql(Object.assign(texts, { raw: texts }), ...cells);
};
