import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Audit, EventStore, StoreFailure } from '../../ports/event-store.ts';
import type { Ids } from '../../ports/ids.ts';
import type { Log } from '../../ports/log.ts';
import { categoryOf } from '../../room/stream.ts';
import { newStoreCounters, newStoreOperations } from '../counters.ts';
import { createFollowers, type Followers } from '../followers.ts';
import type { CountedStore } from '../metrics.ts';
import { AppendQueue, type SqliteCounters } from './append-queue.ts';
import { FileEvent } from './event.ts';
import { sqliteFailure } from './failure.ts';
import { logIdentity, makeFolder, openForReading, openForWriting, realName } from './format.ts';
import { lockLog } from './lock.ts';
import { LogFile } from './log-file.ts';
import { batchOf, createLogReads, pageAfter } from './log-reads.ts';
import type { EventRow } from './protocol.ts';
import { RecentEvents } from './recent-events.ts';

/**
 * Opens the embedded log: for the one process that writes it, and for any number of readers beside it.
 * Puts the parts together; none of them knows the others.
 */

/** Milliseconds between a reader's looks whether the log has grown. */
const pollMs = 50;

/** The writer thread's file: `.ts` from the sources, `.js` in a build. */
const writerFile = new URL(import.meta.url.endsWith('.ts') ? './writer.ts' : './writer.js', import.meta.url);

/** A log that answers auditors from an index. */
export type SqliteLog = EventStore & CountedStore & { readonly audit: Audit };

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
export const openSqliteStore = (options: SqliteStoreOptions): TE.TaskEither<StoreFailure, SqliteLog> =>
  TE.tryCatch(
    async () => open(options),
    (cause) => sqliteFailure(options.file, 'open the log', cause),
  );

const open = ({
  file: given,
  ids,
  clock,
  log: lines,
  mostBytes,
  writer = writerFile,
}: SqliteStoreOptions): SqliteLog => {
  makeFolder(given);
  const file = realName(given);
  const lock = lockLog(file);
  try {
    const db = openForWriting(file, ids.uuid, clock.now);
    const identity = logIdentity(db, file);
    db.exec('PRAGMA query_only = ON');
    const counters: SqliteCounters = { operations: { ...newStoreOperations(), commits: 0 }, failures: {} };
    const log = new LogFile(db, file);
    const recent = new RecentEvents(log.endOfRooms());
    const fromFile = pageAfter(log, file, counters);
    const followers = createFollowers((place) => {
      const events = recent.after(place);
      return events === undefined ? fromFile(place) : batchOf(events);
    }, counters);
    const queue = new AppendQueue({
      file,
      mostBytes,
      log: lines,
      writer,
      counters,
      onWritten: (stream, events, first, revision) => {
        if (categoryOf(stream) !== 'room') return;
        if (followers.size() === 0) recent.skip(first + events.length - 1);
        else keep(recent, stream, events, first, revision);
      },
      onCommitted: followers.wake,
    });
    const letGo = async (): Promise<void> => {
      await queue.close();
      db.close();
      lock.release();
    };
    return {
      shared: false,
      append: (stream, expected, events) => () => queue.append(stream, expected, events),
      ...createLogReads({ log, file, identity, followers, counters, letGo }),
      counters,
      pendingAppends: () => queue.pending,
    };
  } catch (cause) {
    lock.release();
    throw cause;
  }
};

/** Keeps what was just written for those who follow, so that they need not read it from the file. */
const keep = (
  recent: RecentEvents,
  stream: string,
  events: readonly EventRow[],
  first: number,
  revision: number,
): void => {
  for (const [i, [id, type, time, version, data, metadata]] of events.entries()) {
    const position = first + i;
    const own = revision - events.length + 1 + i;
    const rest = { id, metadata };
    const event = new FileEvent(position, stream, own, type, time, version ?? undefined, data, () => rest);
    recent.add(position, event, data.length + metadata.length);
  }
};

export interface SqliteReaderOptions {
  readonly file: string;
  readonly clock: Pick<Clock, 'after'>;
}

/** Opens the embedded log read-only, beside a server that may be writing it. Its `append` refuses. */
export const openSqliteReader = (options: SqliteReaderOptions): TE.TaskEither<StoreFailure, SqliteLog> =>
  TE.tryCatch(
    async () => openReader(options),
    (cause) => sqliteFailure(options.file, 'open the log', cause),
  );

const openReader = ({ file, clock }: SqliteReaderOptions): SqliteLog => {
  const db = openForReading(file);
  const identity = logIdentity(db, file);
  const counters = newStoreCounters();
  const log = new LogFile(db, file);
  const followers = createFollowers(pageAfter(log, file, counters), counters);
  let version = log.dataVersion();
  let timer: Timer | undefined;
  const look = (): void => {
    timer = undefined;
    try {
      const now = log.dataVersion();
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
  const polling: Followers = {
    ...followers,
    subscribe: (after, subscriber) => {
      const subscription = followers.subscribe(after, subscriber);
      poll();
      return subscription;
    },
  };
  const letGo = async (): Promise<void> => {
    timer?.cancel();
    db.close();
  };
  const refused: StoreFailure = { kind: 'StoreRefused', message: `the log ${file} is open for reading only` };
  return {
    shared: true,
    append: () => TE.left(refused),
    ...createLogReads({ log, file, identity, followers: polling, counters, letGo }),
    counters,
    pendingAppends: () => 0,
  };
};
