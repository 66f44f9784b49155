import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';

/** The bound of the WAL file, which SQLite's own checkpoints do not give where somebody always reads. */

/** Past this the WAL is made to begin again at its start. Above what stands in it between two checkpoints that nobody hinders. */
export const mostWalBytes = 48 * 1024 * 1024;
/** How far the WAL grows until the next try, where somebody read without an end. */
const nextTryBytes = 16 * 1024 * 1024;
/** Milliseconds that commits may be held up. A reader of ours is through with its page in 5. */
const patienceMs = 250;

/**
 * Bounds the WAL: to be called after every transaction. SQLite's own checkpoints give way to readers, and where some read
 * without a pause there is hardly a moment at which the WAL can begin again; here the writer waits for them, once in a while.
 *
 * @param timeout milliseconds that the connection waits for locks otherwise
 */
export const createWalBound = (db: DatabaseSync, file: string, timeout: number): (() => void) => {
  const wal = `${file}-wal`;
  let most = mostWalBytes;
  return () => {
    const size = statSync(wal, { throwIfNoEntry: false })?.size ?? 0;
    if (size <= mostWalBytes) most = mostWalBytes;
    if (size <= most) return;
    db.exec(`PRAGMA busy_timeout = ${patienceMs}`);
    try {
      // A row, not an error, tells of a reader that did not end.
      db.exec('PRAGMA wal_checkpoint(RESTART)');
    } catch {
      // A disk that fails or is full fails the next append too, and that one says so.
    } finally {
      db.exec(`PRAGMA busy_timeout = ${timeout}`);
      most = size + nextTryBytes;
    }
  };
};
