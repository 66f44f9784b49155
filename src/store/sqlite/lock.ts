import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../../ports/event-store.ts';
import { isBusy } from './failure.ts';

/**
 * Keeps a second server away from a log: WAL alone would let it in. The kernel frees the lock when its process dies, however
 * it dies. The lock is an empty database beside the log, for the log itself must stay open to readers.
 * Throws `StoreError` where another process holds it.
 */
export const lockLog = (file: string): { readonly release: () => void } => {
  const name = `${file}-lock`;
  const db = new DatabaseSync(name, { timeout: 0 });
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    db.close();
    if (!isBusy(cause)) throw cause;
    throw new StoreError({
      kind: 'StoreUnavailable',
      message: `another imcd writes the log ${file} (it holds ${name}): stop it first, or name another file in store_url`,
      cause,
    });
  }
  return { release: () => db.close() };
};
