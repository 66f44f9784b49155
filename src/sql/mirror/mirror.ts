import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Backoff, backoff } from '../../bounds/backoff.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventStore, Position } from '../../ports/event-store.ts';
import type { Ids } from '../../ports/ids.ts';
import type { Log } from '../../ports/log.ts';
import { connect } from '../database/connect.ts';
import type { Session, Tables } from '../database/session.ts';
import { type Checkpoint, insertCheckpoint, readCheckpoint } from './checkpoint.ts';
import { askLog, MirrorError, type MirrorFailure, step } from './failure.ts';
import { lead } from './leader.ts';
import { type MirrorPlace, mirrorPlace, type PlaceOptions } from './place.ts';
import { createMirrorProgress, type MirrorCounters, type MirrorProgress, type MirrorStatus } from './status.ts';
import { type StopSignal, stopSignal } from './stop-signal.ts';
import { ensureTables } from './tables.ts';

/**
 * The mirror: rows that follow the log, with their checkpoint in the same transaction.
 * Here are its sessions with the database: each waits for the lead, leads, and when it fails another is begun.
 */

export interface MirrorOptions extends PlaceOptions {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly ids: Pick<Ids, 'uuid' | 'chance'>;
  readonly log: Log;
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
/** Pauses between two tries to reach the database. */
const reachAgain: Backoff = { firstMs: 100, mostMs: 5_000 };
/** A database that says nothing for so long is taken for gone. */
export const silenceMs = 30_000;

/**
 * Starts the mirror. It never holds up its caller: it works in the background whatever the database does. Of several nodes on
 * one database one leads. A Left of kind `UnusableOption` for files and names that cannot be used.
 */
export const createMirror = (options: MirrorOptions): E.Either<MirrorFailure, Mirror> =>
  pipe(
    mirrorPlace(options),
    E.map((place) => startMirror(options, place)),
  );

const startMirror = (options: MirrorOptions, place: MirrorPlace): Mirror => {
  const progress = createMirrorProgress(place.settings.shown, options.clock, options.store);
  const stop = stopSignal(options.clock);
  const running = run({ ...options, ...place, progress, stop });
  return {
    status: progress.status,
    counters: progress.counters,
    stop: async () => {
      stop.now();
      await running;
    },
  };
};

interface Running extends MirrorOptions, MirrorPlace {
  readonly progress: MirrorProgress;
  readonly stop: StopSignal;
}

const run = async (mirror: Running): Promise<void> => {
  const { progress, stop } = mirror;
  let failures = 0;
  const onLead = (): void => {
    failures = 0;
  };
  while (!stop.asked()) {
    progress.is('connecting');
    const ended = await session(mirror, onLead)();
    if (E.isRight(ended)) continue;
    const pause = meet(ended.left, mirror, failures);
    failures += 1;
    await progress.look();
    await stop.pause(pause);
  }
  progress.is('closed');
};

/** What to do about a failure: the pause before the next try. */
const meet = ({ kind, message, cause }: MirrorFailure, { log, ids, progress }: Running, failures: number): number => {
  const { database, counters } = progress;
  switch (kind) {
    case 'Fenced':
      log.info({ database }, `the mirror starts again from its checkpoint: ${message}`);
      return 0;
    case 'DatabaseUnavailable':
    case 'LogFailed':
      if (progress.is('connecting', message)) {
        counters.connectionsLost += 1;
        log.warn({ database }, `the mirror's database cannot be used, and is tried again: ${message}`);
      }
      return backoff(reachAgain, failures, ids.chance);
    case 'UnusableOption':
    case 'ForeignTable':
    case 'Stopped':
    case 'DatabaseRefused':
    case 'Defect':
      if (progress.is('stopped', message)) {
        counters.stops += 1;
        log.error({ database, cause }, `the mirror has stopped: ${message}`);
      }
      return lookAgainMs;
  }
};

/** One session with the database: waits for the lead, then leads until the end. One that failed is ended at once. */
const session = (mirror: Running, onLead: () => void): TE.TaskEither<MirrorFailure, void> =>
  TE.bracket(
    step(() => connect(mirror.settings)),
    (opened) =>
      pipe(
        step(() => waitForLead(mirror, opened)),
        TE.chain((leads) => (leads ? leadIn(mirror, opened, onLead) : TE.right(undefined))),
      ),
    (opened, ended) => step(() => (E.isLeft(ended) ? opened.abort() : opened.close())),
  );

/** True when this node leads; false where the end was asked for before. */
const waitForLead = async (mirror: Running, opened: Session): Promise<boolean> => {
  const { tables, progress, stop } = mirror;
  while (!(await patiently(mirror, opened, opened.tryLock('leader', tables.rooms)))) {
    progress.is('waiting');
    await patiently(mirror, opened, followCheckpoint(opened, tables, progress));
    await stop.pause(askEveryMs);
    if (stop.asked()) return false;
  }
  return true;
};

const leadIn = (mirror: Running, opened: Session, onLead: () => void): TE.TaskEither<MirrorFailure, void> => {
  const { tables, progress, log } = mirror;
  const patient = <A>(work: Promise<A>): Promise<A> => patiently(mirror, opened, work);
  const tellOfLead = ({ position }: Checkpoint): void => {
    onLead();
    log.info({ database: progress.database, position }, 'this node leads the mirror');
  };
  return pipe(
    step(() => patient(ensureTables(opened, tables, mirror.tableVersion))),
    TE.chain(() => () => patient(openCheckpoint(mirror, opened)())),
    TE.tapIO((checkpoint) => () => tellOfLead(checkpoint)),
    TE.chain((checkpoint) => step(() => lead({ ...mirror, session: opened, patient }, checkpoint))),
  );
};

/** Ends the session where the work takes too long: a frozen server, or a network that swallows. */
const patiently = async <A>({ clock }: Running, { abort }: Session, work: Promise<A>): Promise<A> => {
  const timer = clock.after(silenceMs, abort);
  try {
    return await work;
  } finally {
    timer.cancel();
  }
};

const followCheckpoint = async (opened: Session, tables: Tables, progress: MirrorProgress): Promise<void> => {
  if ((await opened.shape(tables.checkpoint)) === undefined) return;
  const checkpoint = await readCheckpoint(opened.db, tables.checkpoint);
  progress.reached(checkpoint?.position);
  await progress.look();
};

/** The checkpoint to go on from; a new one in new tables. */
const openCheckpoint = (mirror: Running, opened: Session): TE.TaskEither<MirrorFailure, Checkpoint> =>
  pipe(
    TE.Do,
    TE.bind('identity', () => askLog(mirror.store.identity)),
    TE.bind('end', () => askLog(mirror.store.end)),
    TE.bind('found', () => step(() => readCheckpoint(opened.db, mirror.tables.checkpoint))),
    TE.chain(({ identity, end, found }) =>
      step(async () =>
        found === undefined ? firstCheckpoint(mirror, opened, identity) : checked(mirror, found, identity, end),
      ),
    ),
  );

const firstCheckpoint = async ({ tables, ids }: Running, { db }: Session, log: string): Promise<Checkpoint> => {
  const made = { log, position: undefined, generation: ids.uuid() };
  try {
    await insertCheckpoint(db, tables.checkpoint, made);
    return made;
  } catch (error) {
    // A rebuild has put its own there at this moment.
    if ((await readCheckpoint(db, tables.checkpoint)) === undefined) throw error;
    throw new MirrorError('Fenced', `the tables of ${tables.rooms} were built anew`, { cause: error });
  }
};

/** The checkpoint that was found. Throws `MirrorError` of kind `Stopped` where it belongs to another log. */
const checked = (
  { store, tables }: Running,
  found: Checkpoint,
  identity: string,
  end: Position | undefined,
): Checkpoint => {
  const heal = 'Run `imcd rebuild` to build it anew from this log, or name other tables.';
  if (found.log !== identity) {
    const rows = `the rows in ${tables.rooms} mirror another log (${found.log}) than this one (${identity})`;
    throw new MirrorError('Stopped', `${rows}. ${heal}`);
  }
  const { position } = found;
  if (position !== undefined && (end === undefined || store.comparePositions(position, end) > 0))
    throw new MirrorError(
      'Stopped',
      `the rows in ${tables.rooms} are ahead of the log, which has lost its end. ${heal}`,
    );
  return found;
};
