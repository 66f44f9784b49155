import * as E from 'fp-ts/lib/Either.js';
import { type Backoff, backoff } from '../../bounds/backoff.ts';
import { followLog } from '../../engine/follow-log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventStore, Position } from '../../ports/event-store.ts';
import type { Ids } from '../../ports/ids.ts';
import type { Log } from '../../ports/log.ts';
import { sentenceOf, sqlFailure } from '../database/failures.ts';
import type { Session, Tables } from '../database/session.ts';
import { type Checkpoint, moveCheckpoint, readCheckpoint } from './checkpoint.ts';
import { MirrorError } from './failure.ts';
import type { RoomPlan } from './plan.ts';
import { type PlannedBatch, planBatch } from './plan-batch.ts';
import { createQueue } from './queue.ts';
import type { MirrorProgress } from './status.ts';
import type { StopSignal } from './stop-signal.ts';
import { type Missing, writePlans } from './write.ts';

/**
 * What the leading node does: follows the log, plans batches, and writes each with its checkpoint in one transaction.
 * Ends with its session; who leads next is `mirror.ts`' affair.
 */

/** How often a leader with nothing to write asks whether its session and its checkpoint are still what they were. */
const askEveryMs = 2_000;
/** How long a leader that is asked to stop goes on writing what the log holds already. */
const lastWorkMs = 2_000;
/** After so many tries of one transaction in a row the session is begun anew. */
const mostTries = 20;
/** Pauses between them. */
const writeAgain: Backoff = { firstMs: 20, mostMs: 1_000 };

export interface Leading {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly ids: Pick<Ids, 'chance'>;
  readonly log: Log;
  readonly session: Session;
  readonly tables: Tables;
  readonly progress: MirrorProgress;
  readonly stop: StopSignal;
  /** Ends the session where the work takes too long. */
  readonly patient: <A>(work: Promise<A>) => Promise<A>;
}

/** Follows the log from the checkpoint until the end is asked for. Rejects where the session or the checkpoint is lost. */
export const lead = async (leading: Leading, from: Checkpoint): Promise<void> => {
  const { progress, stop } = leading;
  let checkpoint = from;
  const queue = createQueue(progress, leading.store, checkpoint.position);
  progress.reached(checkpoint.position);
  progress.is('catching up');
  progress.damaged(false);
  stop.onStop = queue.wake;
  const feed = followLog({
    ...leading,
    name: 'mirror',
    from: checkpoint.position,
    onEvents: queue.take,
    onCaughtUp: () => queue.caughtUp(true),
    onLost: () => queue.caughtUp(false),
  });
  const planNext = () => {
    const events = queue.next();
    return events.length === 0 ? undefined : { count: events.length, planned: planBatch(events) };
  };
  let next: ReturnType<typeof planNext>;
  const mayEnd = endOfWork(leading);
  try {
    while (!(await mayEnd(checkpoint.position))) {
      const batch = next ?? planNext();
      next = undefined;
      if (batch !== undefined) {
        const planned = await batch.planned;
        // What comes after is planned while the database works.
        next = planNext();
        checkpoint = await write(leading, checkpoint, planned, batch.count);
        progress.reached(checkpoint.position);
        queue.done();
      } else {
        if (queue.isCaughtUp()) progress.is('live');
        if (!(await queue.wait(leading.clock, stop.asked() ? 50 : askEveryMs)))
          await leading.patient(stillOurs(leading, checkpoint));
      }
    }
  } finally {
    feed.stop();
    stop.onStop = undefined;
  }
};

/** Whether to end: when asked to, once the rows are where the log ended at that moment, or 2 s later. */
const endOfWork = ({ stop, store, clock }: Leading) => {
  let until: { readonly position: Position | undefined; readonly late: number } | undefined;
  return async (position: Position | undefined): Promise<boolean> => {
    if (!stop.asked()) return false;
    if (until === undefined) {
      const end = await store.end();
      if (E.isLeft(end)) return true;
      until = { position: end.right, late: clock.monotonic() + lastWorkMs };
    }
    if (until.position === undefined || clock.monotonic() > until.late) return true;
    return position !== undefined && store.comparePositions(position, until.position) >= 0;
  };
};

const stillOurs = async ({ session, tables }: Leading, checkpoint: Checkpoint): Promise<void> => {
  const found = await readCheckpoint(session.db, tables.checkpoint);
  if (found?.generation !== checkpoint.generation || found.position !== checkpoint.position) {
    throw new MirrorError('Fenced', `the tables of ${tables.rooms} were built anew`);
  }
};

/** Writes events and checkpoint in one transaction; gives the checkpoint after them. */
const write = async (
  leading: Leading,
  checkpoint: Checkpoint,
  { plans, position, unknown }: PlannedBatch,
  events: number,
): Promise<Checkpoint> => {
  let after = checkpoint;
  if (position !== undefined) {
    const { moved, missing } = await commit(leading, checkpoint, plans, position);
    after = moved;
    leading.progress.counters.transactions += 1;
    leading.progress.counters.eventsWritten += events;
    if (missing.rooms + missing.members > 0) alarm(leading, missing);
  }
  if (unknown !== undefined) throw new MirrorError('Stopped', unknown);
  return after;
};

const commit = async (
  leading: Leading,
  checkpoint: Checkpoint,
  plans: readonly RoomPlan[],
  position: Position,
): Promise<{ readonly moved: Checkpoint; readonly missing: Missing }> => {
  const { session, tables, progress, stop, ids, log } = leading;
  for (let tries = 1; ; tries += 1) {
    try {
      return await leading.patient(
        session.db.transaction().execute(async (trx) => {
          const moved = await moveCheckpoint(trx, tables.checkpoint, checkpoint, position);
          return { moved, missing: await writePlans(session, trx, tables, plans) };
        }),
      );
    } catch (error) {
      if (error instanceof MirrorError) throw error;
      const failure = sqlFailure(error);
      if (failure === 'permanent') {
        throw new MirrorError(
          'Stopped',
          `a transaction cannot succeed: ${sentenceOf(error)}. If somebody has changed the tables, \`imcd rebuild\` heals them.`,
          { cause: error },
        );
      }
      if (failure === 'lost' || tries === mostTries || stop.asked()) throw error;
      progress.counters.retries += 1;
      log.debug({ database: progress.database, tries }, `the mirror tries a transaction again: ${sentenceOf(error)}`);
      await stop.pause(backoff(writeAgain, tries - 1, ids.chance));
    }
  }
};

const alarm = ({ progress, log }: Leading, missing: Missing): void => {
  const first = !progress.status().damaged;
  progress.counters.missingRows += missing.rooms + missing.members;
  progress.damaged(true);
  if (first) {
    log.error(
      { database: progress.database, ...missing },
      'rows were not where the mirror left them: somebody has changed its tables. `imcd verify` lists what differs, `imcd rebuild` heals it',
    );
  }
};
