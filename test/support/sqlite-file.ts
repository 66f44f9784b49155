import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { DatabaseServer } from './database-server.ts';

/**
 * SQLite as if it were a server: what stands for a server that is away is a lock that another process holds on the file, longer
 * than anybody waits for it.
 */
export const startSqlite = async (): Promise<DatabaseServer> => {
  const folder = mkdtempSync(join(tmpdir(), 'imcd-sqlite-'));
  let databases = 0;
  let holder: DatabaseSync | undefined;
  const hold = () => {
    holder = new DatabaseSync(join(folder, `${databases}.db`), { timeout: 5_000 });
    holder.exec('BEGIN IMMEDIATE');
  };
  const release = () => {
    holder?.close();
    holder = undefined;
  };
  return {
    newDatabase: async () => {
      databases += 1;
      return `sqlite:${join(folder, `${databases}.db`)}`;
    },
    kill: async () => hold(),
    restart: async () => release(),
    freeze: (frozen) => (frozen ? hold() : release()),
    stop: async () => {
      release();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
