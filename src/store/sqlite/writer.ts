import { DatabaseSync } from 'node:sqlite';
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { sqliteFailure } from './failure.ts';
import type { Answers, Append, Appends, Fatal, WriterData } from './protocol.ts';
import { Transactions } from './transaction.ts';
import { createWalBound, mostWalBytes } from './wal.ts';

/**
 * The writer thread of the embedded log. What arrives while a commit waits for the disk goes together into the next
 * transaction: with 64 appends in flight one fsync carries 64 of them (median).
 */

/** Appends in one transaction: bounds the time until the first of them is answered. */
const mostInTransaction = 1_000;

/** Milliseconds to wait for a lock that another connection holds. */
const timeoutMs = 5_000;

const openWriter = ({ file, mostBytes }: WriterData): DatabaseSync => {
  const db = new DatabaseSync(file, { timeout: timeoutMs });
  // Half of the pages that an append dirties lie anywhere in the indices: the longer the WAL, the more of them are written back
  // once for several appends. On a log of a million events, 64 an fsync: 12,500 to 15,000 appends/s at 4,000 pages, 17,500 at
  // 16,000. In between, because a checkpoint holds up commits while it lasts (50 to 100 ms).
  db.exec(
    `PRAGMA synchronous = FULL; PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 8000; PRAGMA journal_size_limit = ${mostWalBytes}`,
  );
  if (mostBytes !== undefined) db.exec(`PRAGMA max_page_count = ${Math.ceil(mostBytes / 4_096)}`);
  return db;
};

const run = (port: MessagePort, data: WriterData): void => {
  let db: DatabaseSync;
  let transactions: Transactions;
  let boundWal: () => void;
  try {
    db = openWriter(data);
    transactions = new Transactions(db, data.file);
    boundWal = createWalBound(db, data.file, timeoutMs);
  } catch (cause) {
    const fatal: Fatal = { fatal: sqliteFailure(data.file, 'open the log', cause) };
    port.postMessage(fatal);
    port.close();
    return;
  }
  port.on('message', (message: Appends) => {
    let close = message.close;
    let appends: readonly Append[] = message.appends;
    for (;;) {
      while (appends.length < mostInTransaction) {
        const more: { readonly message: Appends } | undefined = receiveMessageOnPort(port);
        if (more === undefined) break;
        appends = appends.length === 0 ? more.message.appends : [...appends, ...more.message.appends];
        close ||= more.message.close;
      }
      if (appends.length === 0) break;
      const answers: Answers = { answers: transactions.write(appends) };
      port.postMessage(answers);
      boundWal();
      appends = [];
    }
    if (!close) return;
    db.close();
    port.close();
  });
};

if (parentPort === null) throw new Error('store/sqlite/writer.ts runs as a worker thread only');
const given: WriterData = workerData;
run(parentPort, given);
