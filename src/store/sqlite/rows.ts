import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';

/**
 * Rows of the log as arrays of cells, which a replay of a million of them reads faster than records.
 * What stands in a cell is checked here, so that a file whose cells are not what they should be is found out.
 */

export type Row = readonly SQLOutputValue[];

/** A statement whose rows come as arrays. */
export const prepareRows = (db: DatabaseSync, sql: string): StatementSync => {
  const statement = db.prepare(sql);
  statement.setReturnArrays(true);
  return statement;
};

/** All rows of a statement that `prepareRows` has made. Throws what SQLite throws. */
export const allRows = (statement: StatementSync, ...values: readonly (number | string)[]): readonly Row[] => {
  const found: unknown = statement.all(...values);
  return found as readonly Row[];
};

export const firstRow = (statement: StatementSync, ...values: readonly (number | string)[]): Row | undefined =>
  allRows(statement, ...values)[0];

export const numberIn = (row: Row, column: number): number => {
  const value = row[column];
  if (typeof value !== 'number') throw new Error(`column ${column} of the log holds ${typeof value}, not a number`);
  return value;
};

export const textIn = (row: Row, column: number): string => {
  const value = row[column];
  if (typeof value !== 'string') throw new Error(`column ${column} of the log holds ${typeof value}, not text`);
  return value;
};
