import * as E from 'fp-ts/lib/Either.js';
import type { Clock } from '../../ports/clock.ts';
import type { EventStore, Position } from '../../ports/event-store.ts';
import type { Ids } from '../../ports/ids.ts';
import type { Log } from '../../ports/log.ts';
import { connect } from '../database/connect.ts';
import { sentenceOf, sqlFailure } from '../database/failures.ts';
import type { Session, Tables } from '../database/session.ts';
import { databaseSettings } from '../database/url.ts';
import { type Checkpoint, Fenced, insertCheckpoint, readCheckpoint } from './checkpoint.ts';
import { lead, MirrorStopped } from './leader.ts';
import { createProgress, type MirrorCounters, type MirrorStatus, type Progress } from './status.ts';
import { type StopSignal, stopSignal } from './stop-signal.ts';
import { ensureTables, ForeignTable, tablesOf } from './tables.ts';

export interface MirrorOptions {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly ids: Pick<Ids, 'uuid' | 'chance'>;
  readonly log: Log;
  /** `db_url`; not `none`. */
  readonly url: string;
  /** `db_password`: used where the URL has none. */
  readonly password?: string;
  readonly roomsTable: string;
  readonly membersTable: string;
  /** 2 for OpenSIPS, 1 for Kamailio. */
  readonly tableVersion: 1 | 2;
}

export interface Mirror {
  readonly status: () => MirrorStatus;
  readonly counters: MirrorCounters;
  /** Finishes the transaction that is under way, and lets another node lead. */
  readonly stop: () => Promise<void>;
}

/** How often a node that does not lead asks whether it may. */
const askEveryMs = 1_000;
/** How long a mirror that has stopped aloud waits before it looks whether the cause is gone. */
const lookAgainMs = 10_000;
/** Longest pause between two tries to reach the database. */
const longestPauseMs = 5_000;
/** A database that says nothing for so long is taken for gone. */
export const silenceMs = 30_000;

/**
 * The mirror: rows that follow the log, with their checkpoint in the same transaction. It never holds up its caller: it starts at
 * once, and works in the background whatever the database does. Of several nodes on one database one leads. Throws
 * `DatabaseUrlError` and `ForeignTable` for a URL and for names that cannot be used.
 */
export const createMirror = (options: MirrorOptions): Mirror => {
  const settings = databaseSettings(options.url, options.password);
  const tables = tablesOf(options.roomsTable, options.membersTable);
  const progress = createProgress(settings.shown, options.clock, options.store);
  const stop = stopSignal(options.clock);
  const running = run(options, () => connect(settings), tables, progress, stop);
  return {
    status: progress.status,
    counters: progress.counters,
    stop: async () => {
      stop.now();
      await running;
    },
  };
};

const run = async (
  options: MirrorOptions,
  open: () => Promise<Session>,
  tables: Tables,
  progress: Progress,
  stop: StopSignal,
): Promise<void> => {
  let failures = 0;
  while (!stop.asked()) {
    let session: Session | undefined;
    try {
      progress.is('connecting');
      session = await open();
      await serve(options, session, tables, progress, stop, () => {
        failures = 0;
      });
    } catch (error) {
      await session?.abort();
      session = undefined;
      const pause = meet(error, options.log, progress, failures);
      failures += 1;
      await progress.look();
      await stop.pause(pause);
    }
    await session?.close();
  }
  progress.is('closed');
};

/** What to do about an error: the pause before the next try. */
const meet = (error: unknown, log: Log, progress: Progress, failures: number): number => {
  const reason = sentenceOf(error);
  if (error instanceof Fenced) {
    log.info({ database: progress.database }, `the mirror starts again from its checkpoint: ${reason}`);
    return 0;
  }
  const final = error instanceof ForeignTable || error instanceof MirrorStopped || sqlFailure(error) === 'permanent';
  const news = progress.is(final ? 'stopped' : 'connecting', reason);
  if (final) {
    if (news) {
      progress.counters.stops += 1;
      log.error({ database: progress.database, cause: error }, `the mirror has stopped: ${reason}`);
    }
    return lookAgainMs;
  }
  if (news) {
    progress.counters.connectionsLost += 1;
    log.warn({ database: progress.database }, `the mirror's database cannot be used, and is tried again: ${reason}`);
  }
  return Math.min(longestPauseMs, 100 * 2 ** Math.min(failures, 10));
};

/** One session with the database: waits for the lead, then leads until the end. */
const serve = async (
  options: MirrorOptions,
  session: Session,
  tables: Tables,
  progress: Progress,
  stop: StopSignal,
  onLead: () => void,
): Promise<void> => {
  const { clock } = options;
  const patient = <A>(work: Promise<A>) => withPatience(clock, session, work);
  while (!(await patient(session.tryLock('leader', tables.rooms)))) {
    progress.is('waiting');
    await patient(followCheckpoint(session, tables, progress));
    await stop.pause(askEveryMs);
    if (stop.asked()) return;
  }
  await patient(ensureTables(session, tables, options.tableVersion));
  const checkpoint = await patient(openCheckpoint(options, session, tables));
  onLead();
  options.log.info({ database: progress.database, position: checkpoint.position }, 'this node leads the mirror');
  await lead({ ...options, session, tables, progress, stop, patient }, checkpoint);
};

/** Ends the session where the work takes too long: a frozen server, or a network that swallows. */
const withPatience = async <A>(clock: Clock, session: Session, work: Promise<A>): Promise<A> => {
  const timer = clock.after(silenceMs, session.abort);
  try {
    return await work;
  } finally {
    timer.cancel();
  }
};

const followCheckpoint = async (session: Session, tables: Tables, progress: Progress): Promise<void> => {
  if ((await session.shape(tables.checkpoint)) === undefined) return;
  const checkpoint = await readCheckpoint(session.db, tables.checkpoint);
  progress.reached(checkpoint?.position);
  await progress.look();
};

/** The checkpoint to go on from; a new one in new tables. Throws `MirrorStopped` where it belongs to another log. */
const openCheckpoint = async (options: MirrorOptions, session: Session, tables: Tables): Promise<Checkpoint> => {
  const identity = await options.store.identity();
  if (E.isLeft(identity)) throw new Error(identity.left.message, { cause: identity.left });
  const end = await options.store.end();
  if (E.isLeft(end)) throw new Error(end.left.message, { cause: end.left });
  const found = await readCheckpoint(session.db, tables.checkpoint);
  if (found === undefined) {
    const made = { log: identity.right, position: undefined, generation: options.ids.uuid() };
    try {
      await insertCheckpoint(session.db, tables.checkpoint, made);
      return made;
    } catch (error) {
      // A rebuild has put its own there at this moment.
      if ((await readCheckpoint(session.db, tables.checkpoint)) === undefined) throw error;
      throw new Fenced(`the tables of ${tables.rooms} were built anew`, { cause: error });
    }
  }
  const heal = 'Run `imcd rebuild` to build it anew from this log, or name other tables.';
  if (found.log !== identity.right) {
    throw new MirrorStopped(
      `the rows in ${tables.rooms} mirror another log (${found.log}) than this one (${identity.right}). ${heal}`,
    );
  }
  if (found.position !== undefined && !isWithin(options.store, found.position, end.right)) {
    throw new MirrorStopped(`the rows in ${tables.rooms} are ahead of the log, which has lost its end. ${heal}`);
  }
  return found;
};

const isWithin = (store: EventStore, position: Position, end: Position | undefined): boolean =>
  end !== undefined && store.comparePositions(position, end) <= 0;
