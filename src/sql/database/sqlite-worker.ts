import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

/**
 * The thread that a mirror in SQLite is written by: a slow disk stalls it, and never SIP. One question at a time, in order;
 * see `sqlite.ts` for the other end.
 */

export type Question =
  | { readonly kind: 'query'; readonly sql: string; readonly parameters: readonly (string | number | null)[] }
  | { readonly kind: 'lock'; readonly file: string }
  | { readonly kind: 'close' };

export type Reply =
  | { readonly rows: readonly Record<string, unknown>[]; readonly changes: number }
  | { readonly error: string; readonly code: number };

export interface WorkerData {
  readonly file: string;
  readonly readOnly: boolean;
}

const { file, readOnly } = workerData as WorkerData;
let db: DatabaseSync | undefined;
const locks = new Map<string, DatabaseSync>();
const statements = new Map<string, { readonly statement: StatementSync; readonly reads: boolean }>();

const open = (): DatabaseSync => {
  if (!readOnly) mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const opened = new DatabaseSync(file, { readOnly, timeout: 5_000 });
  // With WAL and NORMAL a commit costs no fsync. A power cut may take the last ones, rows and checkpoint together: they are written again.
  // 16 MB each of cache and of WAL before a checkpoint: twice as fast as the defaults when catching up over 100,000 rows.
  if (!readOnly) opened.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  opened.exec('PRAGMA cache_size = -16000; PRAGMA wal_autocheckpoint = 4000');
  return opened;
};

const prepared = (database: DatabaseSync, sql: string) => {
  const known = statements.get(sql);
  if (known !== undefined) return known;
  const statement = database.prepare(sql);
  const made = { statement, reads: statement.columns().length > 0 };
  if (statements.size >= 64) statements.clear();
  statements.set(sql, made);
  return made;
};

const query = (sql: string, parameters: readonly (string | number | null)[]): Reply => {
  db ??= open();
  const { statement, reads } = prepared(db, sql);
  if (reads) return { rows: statement.all(...parameters), changes: 0 };
  return { rows: [], changes: Number(statement.run(...parameters).changes) };
};

/** A lock that the system frees when the process ends, however it ends: an exclusive transaction on a file beside the database. */
const takeLock = (name: string): Reply => {
  const lock = locks.get(name) ?? new DatabaseSync(name, { timeout: 0 });
  locks.set(name, lock);
  if (!lock.isTransaction) lock.exec('BEGIN EXCLUSIVE');
  return { rows: [], changes: 0 };
};

const answer = (question: Question): Reply => {
  switch (question.kind) {
    case 'query':
      return query(question.sql, question.parameters);
    case 'lock':
      return takeLock(question.file);
    case 'close':
      statements.clear();
      for (const lock of locks.values()) lock.close();
      db?.close();
      return { rows: [], changes: 0 };
  }
};

parentPort?.on('message', (text: string) => {
  let reply: Reply;
  try {
    reply = answer(JSON.parse(text) as Question);
  } catch (error) {
    const { message, errcode } = error as Error & { readonly errcode?: number };
    // The primary result code is the low byte; 14 (cannot open) for what is not SQLite's, such as a folder that cannot be made.
    reply = { error: message, code: errcode === undefined ? 14 : errcode & 0xff };
  }
  parentPort?.postMessage(reply);
});
