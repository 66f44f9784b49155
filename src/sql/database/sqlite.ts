import { Worker } from 'node:worker_threads';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from 'kysely';
import { SqliteError } from './failures.ts';
import { type Cell, type Session, swapByCopy, type TableShape } from './session.ts';
import type { Question, Reply, WorkerData } from './sqlite-worker.ts';
import { tuples } from './values.ts';

/**
 * A session with a SQLite file, which a thread of its own holds, in the terms of `session.ts`.
 * Kysely's driver is made here, since its own would block this thread.
 */

/** Opens a SQLite file, in a thread of its own. `readOnly`: the file must be there, and nothing of it is changed. */
export const connectSqlite = async (file: string, readOnly: boolean): Promise<Session> => {
  const { ask, end } = startWorker({ file, readOnly });
  const db = new Kysely<unknown>({ dialect: dialectOf(ask) });
  try {
    await sql`SELECT count(*) FROM sqlite_master`.execute(db);
  } catch (error) {
    await end();
    throw error;
  }
  return {
    dialect: 'sqlite',
    db,
    rows: (rows) => sql`VALUES ${tuples(rows)}`,
    among: (keys) => sql`(VALUES ${tuples(keys)})`,
    tryLock: async (purpose, table) => {
      try {
        await ask({ kind: 'lock', file: `${file}.${encodeURIComponent(table)}.${purpose}` });
        return true;
      } catch (error) {
        if (error instanceof SqliteError && error.code === 5) return false;
        throw error;
      }
    },
    shape: (table) => tableShape(db, table),
    swap: (live, built) => swapByCopy(db, live, built),
    abort: end,
    close: async () => {
      await ask({ kind: 'close' }).catch(() => {});
      await end();
    },
  };
};

type Ask = (question: Question) => Promise<Extract<Reply, { rows: unknown }>>;

/** The worker answers in the order of the questions. */
const startWorker = (data: WorkerData): { readonly ask: Ask; readonly end: () => Promise<void> } => {
  const worker = new Worker(new URL('./sqlite-worker.ts', import.meta.url), { workerData: data });
  const waiting: { resolve: (reply: Extract<Reply, { rows: unknown }>) => void; reject: (error: Error) => void }[] = [];
  let ended: Error | undefined;
  const fail = (error: Error): void => {
    ended ??= error;
    for (const { reject } of waiting.splice(0)) reject(error);
  };
  worker.on('message', (reply: Reply) => {
    const asked = waiting.shift();
    if ('error' in reply) asked?.reject(new SqliteError(reply.error, reply.code));
    else asked?.resolve(reply);
  });
  worker.on('error', (cause) => fail(new Error(`The thread of ${data.file} has ended: ${String(cause)}`, { cause })));
  worker.on('exit', () => fail(new Error(`The thread of ${data.file} has ended.`)));
  return {
    ask: (question) =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) return reject(ended);
        waiting.push({ resolve, reject });
        // As text: 2,000 parameters cost a structured clone five times as much.
        worker.postMessage(JSON.stringify(question));
      }),
    end: async () => {
      await worker.terminate();
    },
  };
};

const dialectOf = (ask: Ask): Dialect => ({
  createAdapter: () => new SqliteAdapter(),
  createIntrospector: (db) => new SqliteIntrospector(db),
  createQueryCompiler: () => new SqliteQueryCompiler(),
  createDriver: () => driverOf(ask),
});

const driverOf = (ask: Ask): Driver => {
  const run = async (text: string): Promise<void> => {
    await ask({ kind: 'query', sql: text, parameters: [] });
  };
  const connection: DatabaseConnection = {
    executeQuery: async <R>({ sql: text, parameters }: CompiledQuery): Promise<QueryResult<R>> => {
      const { rows, changes } = await ask({ kind: 'query', sql: text, parameters: parameters as readonly Cell[] });
      return { rows: rows as R[], numAffectedRows: BigInt(changes) };
    },
    streamQuery: () => {
      throw new TypeError('rows are read by pages, never as a stream');
    },
  };
  return {
    init: async () => {},
    acquireConnection: async () => connection,
    // A transaction that only reads takes no lock from others; one that writes asks for it at its first statement.
    beginTransaction: (_, { accessMode }) => run(accessMode === 'read only' ? 'BEGIN' : 'BEGIN IMMEDIATE'),
    commitTransaction: () => run('COMMIT'),
    rollbackTransaction: () => run('ROLLBACK'),
    releaseConnection: async () => {},
    destroy: async () => {},
  };
};

const tableShape = async (db: Kysely<unknown>, table: string): Promise<TableShape | undefined> => {
  const columns = await sql<{ name: string; type: string; notnull: number; given: string | null; pk: number }>`
    SELECT name, type, "notnull", dflt_value AS given, pk FROM pragma_table_info(${table}) ORDER BY cid`.execute(db);
  if (columns.rows.length === 0) return undefined;
  const indexes = await sql<{ name: string; single: number; origin: string; column: string | null }>`
    SELECT l.name AS name, l."unique" AND NOT l.partial AS single, l.origin AS origin, i.name AS column
    FROM pragma_index_list(${table}) l, pragma_index_info(l.name) i ORDER BY l.name, i.seqno`.execute(db);
  const parts = [...Map.groupBy(indexes.rows, ({ name }) => name).values()];
  const names = (index: typeof indexes.rows) => index.map(({ column }) => column ?? '(expression)');
  return {
    columns: columns.rows.map(({ name, type, notnull, given, pk }) => ({
      name,
      type: type.toLowerCase(),
      nullable: notnull === 0 && pk === 0,
      // The rowid by another name: given by SQLite.
      hasDefault: given !== null || (pk === 1 && type.toLowerCase() === 'integer'),
    })),
    unique: parts.filter((index) => index[0]?.single === 1 && index[0].origin !== 'pk').map(names),
    primaryKey: columns.rows.filter(({ pk }) => pk > 0).map(({ name }) => name),
    indexed: parts.flatMap((index) => names(index).slice(0, 1)),
  };
};
