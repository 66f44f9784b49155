import { type Kysely, sql } from 'kysely';
import type { Position } from '../../ports/event-store.ts';
import { MirrorError } from './failure.ts';

/**
 * The mirror's checkpoint: how far its rows are, read and moved.
 * Moving it is what fences a second leader.
 */

/** How far the rows are: kept beside them, and moved in the transaction that changes them. */
export interface Checkpoint {
  /** The log's identity: its positions mean nothing in another log. */
  readonly log: string;
  /** Undefined where no event has been taken yet. */
  readonly position: Position | undefined;
  /** Made new by each build of the tables: whoever follows on from the old ones must look again. */
  readonly generation: string;
}

/** The checkpoint; undefined in a new table. */
export const readCheckpoint = async (db: Kysely<unknown>, table: string): Promise<Checkpoint | undefined> => {
  const { rows } = await sql<{ log: string; position: string | null; generation: string }>`
    SELECT log, position, generation FROM ${sql.id(table)} WHERE id = 1`.execute(db);
  const [row] = rows;
  if (row === undefined) return undefined;
  return { ...row, position: row.position === null ? undefined : (row.position as Position) };
};

export const insertCheckpoint = async (db: Kysely<unknown>, table: string, made: Checkpoint): Promise<void> => {
  await sql`INSERT INTO ${sql.id(table)} (id, log, position, generation)
    VALUES (1, ${made.log}, ${made.position ?? null}, ${made.generation})`.execute(db);
};

/** Moves the checkpoint; the first statement of every transaction, so that a second leader waits here. Throws `MirrorError` of kind `Fenced`. */
export const moveCheckpoint = async (
  db: Kysely<unknown>,
  table: string,
  from: Checkpoint,
  to: Position,
): Promise<Checkpoint> => {
  const was = from.position === undefined ? sql`position IS NULL` : sql`position = ${from.position}`;
  const { numAffectedRows } = await sql`UPDATE ${sql.id(table)} SET position = ${to}
    WHERE id = 1 AND log = ${from.log} AND generation = ${from.generation} AND ${was}`.execute(db);
  if (numAffectedRows !== 1n) {
    throw new MirrorError('Fenced', `the checkpoint in ${table} was moved by another process`);
  }
  return { ...from, position: to };
};
