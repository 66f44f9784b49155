import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Clock } from '../../ports/clock.ts';
import type { Audit, EventStore, StoreFailure } from '../../ports/event-store.ts';
import type { Ids } from '../../ports/ids.ts';
import type { Log } from '../../ports/log.ts';
import { createFollowers } from '../followers.ts';
import { createAppender } from './appender.ts';
import { FileEvent } from './event.ts';
import { sqliteFailure } from './failure.ts';
import { identityOf, makeFolder, openForReading, openForWriting, realName } from './format.ts';
import { lockLog } from './lock.ts';
import { createReading } from './reading.ts';
import { batchOf, createReads, pageAfter } from './reads.ts';
import { createRecentEvents } from './recent-events.ts';

/** Milliseconds between a reader's looks whether the log has grown. */
const pollMs = 50;

/** The writer thread's file: `.ts` from the sources, `.js` in a build. */
const writerFile = new URL(import.meta.url.endsWith('.ts') ? './writer.ts' : './writer.js', import.meta.url);

/** A log that answers auditors from an index. */
export type SqliteLog = EventStore & { readonly audit: Audit };

export interface SqliteStoreOptions {
  /** Made, with its folder, where it is missing. Beside it stand `-wal`, `-shm` and `-lock`. */
  readonly file: string;
  readonly ids: Pick<Ids, 'uuid'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly log?: Pick<Log, 'error'>;
  /** Quota of the file: an append beyond it fails as on a full disk. Default: none. */
  readonly mostBytes?: number;
  /** Another writer thread's program: for tests of one that fails. */
  readonly writer?: URL;
}

/**
 * Opens the embedded log for writing; one process at a time. Fails, and changes nothing, where the file is damaged, is not
 * a log, is of a newer format, may not be written, or is held by another server.
 */
export const openSqliteStore =
  (options: SqliteStoreOptions): TaskEither<StoreFailure, SqliteLog> =>
  () =>
    Promise.resolve(
      E.tryCatch(
        () => open(options),
        (cause) => sqliteFailure(options.file, 'open the log', cause),
      ),
    );

const open = ({ file: given, ids, clock, log, mostBytes, writer = writerFile }: SqliteStoreOptions) => {
  makeFolder(given);
  const file = realName(given);
  const lock = lockLog(file);
  try {
    const db = openForWriting(file, ids.uuid, clock.now);
    const identity = identityOf(db, file);
    db.exec('PRAGMA query_only = ON');
    const reading = createReading(db, file);
    const recent = createRecentEvents(reading.endOfRooms());
    const fromFile = pageAfter(reading, file);
    const followers = createFollowers((place) => {
      const events = recent.after(place);
      return events === undefined ? fromFile(place) : batchOf(events);
    });
    const appender = createAppender({
      file,
      mostBytes,
      log,
      writer,
      onWritten: (stream, events, first, revision) => {
        if (!stream.startsWith('room-')) return;
        if (followers.size() === 0) {
          recent.skip(first + events.length - 1);
          return;
        }
        for (const [i, [id, type, time, version, data, metadata]] of events.entries()) {
          const position = first + i;
          const own = revision - events.length + 1 + i;
          const rest = { id, metadata };
          const event = new FileEvent(position, stream, own, type, time, version ?? undefined, data, () => rest);
          recent.add(position, event, data.length + metadata.length);
        }
      },
      onCommitted: followers.wake,
    });
    return {
      shared: false,
      append: appender.append,
      ...createReads({
        reading,
        file,
        identity,
        followers,
        letGo: async () => {
          await appender.close();
          db.close();
          lock.release();
        },
      }),
    };
  } catch (cause) {
    lock.release();
    throw cause;
  }
};

export interface SqliteReaderOptions {
  readonly file: string;
  readonly clock: Pick<Clock, 'after'>;
}

/** Opens the embedded log read-only, beside a server that may be writing it. Its `append` refuses. */
export const openSqliteReader =
  (options: SqliteReaderOptions): TaskEither<StoreFailure, SqliteLog> =>
  () =>
    Promise.resolve(
      E.tryCatch(
        () => openReader(options),
        (cause) => sqliteFailure(options.file, 'open the log', cause),
      ),
    );

const openReader = ({ file, clock }: SqliteReaderOptions): SqliteLog => {
  const db = openForReading(file);
  const identity = identityOf(db, file);
  const reading = createReading(db, file);
  const followers = createFollowers(pageAfter(reading, file));
  let version = reading.version();
  let timer: { readonly cancel: () => void } | undefined;
  const look = (): void => {
    timer = undefined;
    try {
      const now = reading.version();
      if (now !== version) followers.wake();
      version = now;
    } catch (cause) {
      followers.end(sqliteFailure(file, 'follow the log', cause));
    }
    poll();
  };
  const poll = (): void => {
    if (timer === undefined && followers.size() > 0) timer = clock.after(pollMs, look);
  };
  const refused: StoreFailure = { kind: 'StoreRefused', message: `the log ${file} is open for reading only` };
  return {
    shared: true,
    append: () => () => Promise.resolve(E.left(refused)),
    ...createReads({
      reading,
      file,
      identity,
      followers: {
        ...followers,
        subscribe: (after, subscriber) => {
          const subscription = followers.subscribe(after, subscriber);
          poll();
          return subscription;
        },
      },
      letGo: () => {
        timer?.cancel();
        db.close();
        return Promise.resolve();
      },
    }),
  };
};
