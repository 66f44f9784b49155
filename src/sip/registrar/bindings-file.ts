import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import type { MemberKey } from '../../room/address.ts';
import type { Target } from '../transport/transport.ts';
import { isTransportName, transports } from '../transport/transports.ts';
import type { Binding } from './binding.ts';

/**
 * `bindings.db`: a node's own file of registrations. What it holds is ephemeral; without it users are reachable again when
 * they register.
 */

/** Keeps bindings on disk. Throws what the disk says. */
export interface BindingsFile {
  readonly load: () => Iterable<{ readonly key: MemberKey; readonly binding: Binding }>;
  /** All bindings of each of these users, the ones before forgotten: all of it or nothing, and out of this process's hands. */
  readonly write: (changes: ReadonlyMap<MemberKey, readonly Binding[]>) => void;
  readonly close: () => void;
}

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
  const database = openDatabase(path);
  const remove = database.prepare('DELETE FROM bindings WHERE aor = ?');
  const insert = database.prepare('INSERT INTO bindings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const all = database.prepare('SELECT * FROM bindings');
  const checkpoints = createCheckpoints(database, path, failed);

  return {
    *load() {
      for (const row of all.iterate()) {
        const binding = bindingOf(row);
        if (binding !== undefined) yield { key: String(row.aor) as MemberKey, binding };
      }
    },
    write: (changes) => {
      database.exec('BEGIN IMMEDIATE');
      try {
        for (const [key, bindings] of changes) {
          remove.run(key);
          for (const binding of bindings) insert.run(key, ...columnsOf(binding));
        }
        database.exec('COMMIT');
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK');
        throw error;
      }
      checkpoints.written();
    },
    close: () => {
      checkpoints.close();
      database.exec('PRAGMA synchronous = NORMAL'); // the last connection to close moves the WAL into the file
      database.close();
    },
  };
};

const openDatabase = (path: string): DatabaseSync => {
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
    return database;
  } catch (error) {
    database.close();
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`The registrations in ${path} cannot be read: ${reason}`, { cause: error });
  }
};

/** Has the thread move the WAL into the file every so many writes. It is started with the first time. */
const createCheckpoints = (database: DatabaseSync, path: string, failed: (error: Error) => void) => {
  let thread: Worker | undefined;
  let alone = false;
  let writes = 0;
  const start = (): Worker => {
    const started = new Worker(new URL('./bindings-checkpoint.ts', import.meta.url), { workerData: path });
    started.unref();
    started.on('error', (error) => {
      alone = true;
      database.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 1000');
      failed(error instanceof Error ? error : new Error(String(error)));
    });
    return started;
  };
  return {
    written: (): void => {
      writes += 1;
      if (alone || writes % checkpointAfter !== 0) return;
      thread ??= start();
      thread.postMessage('checkpoint');
    },
    close: (): void => void thread?.terminate(),
  };
};

const columnsOf = (binding: Binding): readonly SQLInputValue[] => {
  const { contact, identity, callId, cseq, expires, q } = binding;
  const { transport, host, port } = lasting(binding);
  return [contact, identity, callId, cseq, Math.trunc(expires), q ?? null, transport, host, port];
};

/** Undefined where the row is of a transport that is not there. */
const bindingOf = (row: Readonly<Record<string, SQLOutputValue>>): Binding | undefined => {
  const text = (name: string): string => String(row[name] ?? '');
  const transport = text('transport');
  if (!isTransportName(transport)) return undefined;
  return {
    contact: text('contact'),
    identity: text('identity'),
    callId: text('call_id'),
    cseq: Number(row.cseq),
    expires: Number(row.expires),
    q: row.q === null ? undefined : text('q'),
    target: { transport, host: text('host'), port: Number(row.port) },
    fallback: undefined,
  };
};

/** A connection does not outlive the process: then the user is reached at the contact's own address, if at all. */
const lasting = ({ target, fallback }: Binding): Target =>
  transports[target.transport].connected ? (fallback ?? target) : target;
