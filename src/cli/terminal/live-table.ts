import { printable } from './show.ts';

/** A table whose rows come one after the other: columns grow when a longer cell comes, and never shrink. */
export interface LiveTable {
  readonly add: (row: readonly string[]) => Promise<void>;
  /** Prints what waits, so that a table that goes on live shows all it has. */
  readonly flush: () => Promise<void>;
}

/** So many rows are measured before the first is printed. */
const measured = 500;

export const liveTable = (headings: readonly string[], out: (line: string) => void | Promise<void>): LiveTable => {
  const widths = headings.map(({ length }) => length);
  let waiting: (readonly string[])[] = [headings];
  let headed = false;
  const print = async (): Promise<void> => {
    const rows = waiting;
    waiting = [];
    for (const row of rows) {
      for (const [column, { length }] of row.entries()) {
        if (length > (widths[column] ?? 0)) widths[column] = length;
      }
    }
    for (const row of rows) {
      const line = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
      await out(line.trimEnd());
    }
    headed = true;
  };
  return {
    add: async (row) => {
      waiting.push(row.map((cell) => printable(cell)));
      if (waiting.length >= measured) await print();
    },
    flush: async () => {
      if (waiting.length > (headed ? 0 : 1)) await print();
    },
  };
};
