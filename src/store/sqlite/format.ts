import { existsSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import type { StoreFailure } from '../../ports/event-store.ts';
import { StoreError } from '../../ports/event-store.ts';
import { eventTime } from '../../room/time.ts';
import { isUnwritable } from './failure.ts';

/**
 * The embedded log as a file: its schema, its format's number, and how it is made, recognised and opened.
 * What is not a log of ours, or of a newer format, is refused and not touched.
 */

/** `imcd` in ASCII: SQLite's `application_id`, by which `file` and we know a log. */
export const applicationId = 0x696d6364;
/** SQLite's `user_version`: the format that this code writes. */
export const formatVersion = 1;

/**
 * Rooms' events and recorded messages share the positions, not the table: a replay never passes over messages.
 * Stream names stand once, and `version` is `metadata.version`: a replay never parses metadata. `touched` finds a user's events across rooms; there is no index for time, which grows with the
 * position closely enough for a binary search.
 */
const table = (name: string): string => `
  CREATE TABLE ${name} (
    position INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL REFERENCES stream (id),
    revision INTEGER NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    time TEXT NOT NULL,
    version INTEGER,
    data TEXT NOT NULL,
    metadata TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX ${name}_revision ON ${name} (stream, revision);
  CREATE UNIQUE INDEX ${name}_id ON ${name} (id);`;

const schema = `
  CREATE TABLE log (identity TEXT NOT NULL, created TEXT NOT NULL) STRICT;
  CREATE TABLE stream (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  ${table('event')}
  ${table('transcript')}
  CREATE TABLE touched (user TEXT NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (user, position)) STRICT, WITHOUT ROWID;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${formatVersion};`;

const numberOf = (db: DatabaseSync, sql: string): number => {
  const row = db.prepare(sql).get();
  const value = row === undefined ? undefined : Object.values(row)[0];
  return typeof value === 'number' ? value : 0;
};

const damaged = (message: string): StoreError => new StoreError({ kind: 'StoreDamaged', message });

/** Whether a database is a log that this code can read; `new` for an empty one. Throws `StoreError` for any other. */
const examine = (db: DatabaseSync, file: string): 'ours' | 'new' => {
  const application = numberOf(db, 'PRAGMA application_id');
  const version = numberOf(db, 'PRAGMA user_version');
  if (application === applicationId) {
    if (version <= formatVersion) return 'ours';
    throw damaged(
      `the log ${file} has format ${version}, written by a newer imcd, and ${formatVersion} is the newest known here: nothing was changed; run that imcd`,
    );
  }
  if (application === 0 && version === 0 && numberOf(db, 'SELECT count(*) FROM sqlite_schema') === 0) return 'new';
  throw damaged(
    `${file} is a database of another program (application_id ${application}): nothing was changed; name another file in store_url`,
  );
};

/** The file's full name with symbolic links followed, so that all who open it find the same lock beside it. */
export const realName = (file: string): string =>
  existsSync(file) ? realpathSync(file) : join(realpathSync(dirname(file)), basename(file));

/** Makes the log's folder, for its owner alone, where it is missing. */
export const makeFolder = (file: string): void => {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
};

/** A database connection set up for the writing process. The lock is held by the caller. Throws. */
export const openForWriting = (file: string, identity: () => string, now: () => number): DatabaseSync => {
  const size = existsSync(file) ? statSync(file).size : 0;
  const wal = `${file}-wal`;
  // SQLite deletes a WAL that stands beside an empty file: the last chance to save something would be gone.
  if (size === 0 && existsSync(wal) && statSync(wal).size > 0)
    throw damaged(
      `the log ${file} is missing or empty, but ${wal} holds changes to it: nothing was changed; restore the log, or move that file away`,
    );
  const db = new DatabaseSync(file, { timeout: 5_000 });
  try {
    if (examine(db, file) === 'new') {
      // In the rollback journal's mode: a file whose contents stand in the WAL alone would look empty after a crash.
      db.exec(`PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; BEGIN EXCLUSIVE; ${schema}`);
      db.prepare('INSERT INTO log VALUES (?, ?)').run(identity(), eventTime(now()));
      db.exec('COMMIT');
    }
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    return db;
  } catch (cause) {
    db.close();
    throw cause;
  }
};

/** A connection that cannot write, to a log that is there. Throws. */
export const openForReading = (file: string): DatabaseSync => {
  if (!existsSync(file)) {
    const missing: StoreFailure = {
      kind: 'StoreUnavailable',
      message: `there is no log at ${file}: check store_url and data, or start the server once`,
    };
    throw new StoreError(missing);
  }
  try {
    return openToRead(file, file);
  } catch (cause) {
    // Readers of a WAL need its index file, which cannot be made in a folder without the right to write. Where there is no
    // WAL there is no writer either, and the file may be read as it stands.
    if (!isUnwritable(cause) || existsSync(`${file}-wal`)) throw cause;
    return openToRead(new URL(`${pathToFileURL(file).href}?immutable=1`), file);
  }
};

const openToRead = (name: string | URL, file: string): DatabaseSync => {
  const db = new DatabaseSync(name, { readOnly: true, timeout: 5_000 });
  try {
    if (examine(db, file) === 'new') throw damaged(`${file} is empty: it is not a log yet`);
    return db;
  } catch (cause) {
    db.close();
    throw cause;
  }
};

/** The log's identity. Throws. */
export const logIdentity = (db: DatabaseSync, file: string): string => {
  const row = db.prepare('SELECT identity FROM log').get();
  const identity = row?.identity;
  if (typeof identity !== 'string') throw damaged(`the log ${file} has lost its identity: restore it from a backup`);
  return identity;
};
