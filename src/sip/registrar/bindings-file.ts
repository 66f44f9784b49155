import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import type { MemberKey } from '../../room/address.ts';
import type { Target } from '../transport/transport.ts';
import { isTransportName, transports } from '../transport/transports.ts';
import type { BindingsFile, Registered } from './location.ts';

/** `bindings.db`: a node's own file. What it holds is ephemeral; without it users are reachable again when they register. */

const format = 1;
const schema = `
  CREATE TABLE IF NOT EXISTS bindings (
    aor TEXT NOT NULL, contact TEXT NOT NULL, identity TEXT NOT NULL, call_id TEXT NOT NULL, cseq INTEGER NOT NULL,
    expires INTEGER NOT NULL, q TEXT, transport TEXT NOT NULL, host TEXT NOT NULL, port INTEGER NOT NULL,
    PRIMARY KEY (aor, identity)
  ) WITHOUT ROWID, STRICT;
  PRAGMA user_version = ${format};
`;

/** Writes after which the WAL, some 10 KB each, is moved into the file. */
const checkpointAfter = 400;

/**
 * Opens or makes the file. A commit is in the operating system's hands: it outlives a kill of the process, and costs no
 * fsync; those are left to a thread (`bindings-checkpoint.ts`). After a power cut the file is as it was some time before.
 *
 * @param failed told when that thread has failed; checkpoints are this thread's from then on
 * @throws a sentence, where the file is a newer server's or none of ours
 */
export const openBindingsFile = (path: string, failed: (error: Error) => void = () => {}): BindingsFile => {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 1000');
    database.exec('PRAGMA wal_checkpoint(TRUNCATE); PRAGMA wal_autocheckpoint = 0');
    const found = Number(database.prepare('PRAGMA user_version').get()?.user_version ?? 0);
    if (found > format)
      throw new Error(`it has format ${found}, this imcd knows ${format}. Use the newer imcd, or move the file away.`);
    database.exec(schema);
    // From here on this connection writes the WAL alone. The thread syncs that before it touches the file.
    database.exec('PRAGMA synchronous = OFF');
  } catch (error) {
    database.close();
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`The registrations in ${path} cannot be read: ${reason}`, { cause: error });
  }
  const remove = database.prepare('DELETE FROM bindings WHERE aor = ?');
  const insert = database.prepare('INSERT INTO bindings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const all = database.prepare('SELECT * FROM bindings');

  let thread: Worker | undefined;
  let alone = false;
  let writes = 0;
  const checkpointSometimes = (): void => {
    writes += 1;
    if (alone || writes % checkpointAfter !== 0) return;
    if (thread === undefined) {
      thread = new Worker(new URL('./bindings-checkpoint.ts', import.meta.url), { workerData: path });
      thread.unref();
      thread.on('error', (error) => {
        alone = true;
        database.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 1000');
        failed(error instanceof Error ? error : new Error(String(error)));
      });
    }
    thread.postMessage('checkpoint');
  };

  return {
    *load() {
      for (const row of all.iterate()) {
        const text = (name: string): string => String(row[name] ?? '');
        const transport = text('transport');
        if (!isTransportName(transport)) continue;
        const target: Target = { transport, host: text('host'), port: Number(row.port) };
        yield {
          key: text('aor') as MemberKey,
          binding: {
            contact: text('contact'),
            identity: text('identity'),
            callId: text('call_id'),
            cseq: Number(row.cseq),
            expires: Number(row.expires),
            q: row.q === null ? undefined : text('q'),
            target,
            fallback: undefined,
          },
        };
      }
    },
    write: (changes) => {
      database.exec('BEGIN IMMEDIATE');
      try {
        for (const [key, bindings] of changes) {
          remove.run(key);
          for (const binding of bindings) {
            const { transport, host, port } = lasting(binding);
            const { contact, identity, callId, cseq, expires, q } = binding;
            insert.run(key, contact, identity, callId, cseq, Math.trunc(expires), q ?? null, transport, host, port);
          }
        }
        database.exec('COMMIT');
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK');
        throw error;
      }
      checkpointSometimes();
    },
    close: () => {
      void thread?.terminate();
      database.exec('PRAGMA synchronous = NORMAL'); // the last connection to close moves the WAL into the file
      database.close();
    },
  };
};

/** A connection does not outlive the process: then the user is reached at the contact's own address, if at all. */
const lasting = ({ target, fallback }: Registered): Target =>
  transports[target.transport].connected ? (fallback ?? target) : target;
