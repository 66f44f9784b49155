import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { SqlDialect } from './settings.ts';

/**
 * A connection to a database, in terms that are the same for all dialects.
 * What differs between them is a member of `Session`, so that a new dialect is one more file.
 */

/** A cell as it is written or read. */
export type Cell = string | number | null;

export type ColumnType = 'text' | 'integer';

/** A table as the database's own catalogue describes it. */
export interface TableShape {
  readonly columns: readonly {
    readonly name: string;
    /** In lower case, length included: `char(64)`, `int(10) unsigned`, `integer`. */
    readonly type: string;
    readonly nullable: boolean;
    /** The database gives it a value where the insert gives none. */
    readonly hasDefault: boolean;
    /** MySQL: how it compares. */
    readonly collation?: string;
  }[];
  /** Columns of each unique key, the primary one left out. */
  readonly unique: readonly (readonly string[])[];
  readonly primaryKey: readonly string[];
  /** Columns by which an index starts. */
  readonly indexed: readonly string[];
  /** MySQL: the storage engine. */
  readonly engine?: string;
}

/** Tables of a mirror that are being built or swapped. */
export interface Tables {
  readonly rooms: string;
  readonly members: string;
  readonly checkpoint: string;
}

/**
 * One connection to a database, and where its dialect differs from the others'. Locks and transactions belong to the connection
 * and end with it: a leader whose connection is gone can write nothing more.
 */
export interface Session {
  readonly dialect: SqlDialect;
  readonly db: Kysely<unknown>;
  /** A row source for `INSERT INTO table (columns)`, in the order of `rows`. At most 1,000 rows. */
  readonly rows: (rows: readonly (readonly Cell[])[], types: readonly ColumnType[]) => RawBuilder<unknown>;
  /** The right side of `(columns) IN`, of text columns. At most 1,000 rows. */
  readonly among: (keys: readonly (readonly string[])[]) => RawBuilder<unknown>;
  /** Takes the lock of this purpose for the mirror in `table`, or says at once that another has it. Held until the session ends. */
  readonly tryLock: (purpose: 'leader' | 'rebuild', table: string) => Promise<boolean>;
  /** The table's shape; undefined where there is no such table. */
  readonly shape: (table: string) => Promise<TableShape | undefined>;
  /** Puts the tables `built` into the place of `live`, with all their rows, for every reader in one moment. */
  readonly swap: (live: Tables, built: Tables) => Promise<void>;
  /** Ends the connection at once, whatever is under way: for a server that does not answer. */
  readonly abort: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The swap of databases whose transactions hold everything: rows and checkpoint are replaced, while grants, views and triggers stay. */
export const swapByCopy = async (db: Kysely<unknown>, live: Tables, built: Tables): Promise<void> =>
  db.transaction().execute(async (trx) => {
    // The checkpoint first: the projector's transactions begin with it too, so that the two wait for each other and never deadlock.
    for (const [table, from, columns] of [
      [live.checkpoint, built.checkpoint, ['id', 'log', 'position', 'generation']],
      [live.rooms, built.rooms, ['id', 'name', 'domain', 'flag']],
      [live.members, built.members, ['id', 'username', 'domain', 'room', 'flag']],
    ] as const) {
      const cells = sql.join(columns.map((column) => sql.id(column)));
      await sql`DELETE FROM ${sql.id(table)}`.execute(trx);
      await sql`INSERT INTO ${sql.id(table)} (${cells}) SELECT ${cells} FROM ${sql.id(from)} ORDER BY id`.execute(trx);
    }
    for (const table of [built.members, built.rooms, built.checkpoint])
      await sql`DROP TABLE ${sql.id(table)}`.execute(trx);
  });
