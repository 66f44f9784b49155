import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { EventStore, Position, StoredEvent } from '../../ports/event-store.ts';
import type { Ids } from '../../ports/ids.ts';
import type { Room } from '../../room/room.ts';
import { sqlFailure } from '../database/failures.ts';
import type { Session, Tables } from '../database/session.ts';
import { type Checkpoint, insertCheckpoint, moveCheckpoint } from './checkpoint.ts';
import { askLog, MirrorError, type MirrorFailure, step } from './failure.ts';
import { foldLog } from './fold-log.ts';
import { inSession, mirrorPlace, type PlaceOptions } from './place.ts';
import { planBatch } from './plan-batch.ts';
import { memberRows, roomRow } from './rows.ts';
import { createTables, dropTables, ensureTables, shadowOf } from './tables.ts';
import { RowWriter, writePlans } from './write.ts';

/**
 * Builds the mirror anew from the log, beside the live tables, and puts it in their place in one moment. A server may be at work on
 * the same mirror: it finds the new generation in the checkpoint and goes on from there.
 */

export interface RebuildOptions extends PlaceOptions {
  readonly store: EventStore;
  readonly ids: Pick<Ids, 'uuid'>;
  readonly tableVersion: 1 | 2;
  readonly onProgress?: (progress: RebuildProgress) => void;
}

export type RebuildProgress =
  | { readonly step: 'reading'; readonly events: number }
  | { readonly step: 'writing'; readonly rooms: number; readonly of: number }
  | { readonly step: 'swapping' };

export interface Rebuilt {
  readonly rooms: number;
  readonly members: number;
  readonly events: number;
  /** Place in the log that the new rows are at. */
  readonly position: Position | undefined;
}

/** Rooms in one transaction while the new tables fill. */
const roomsAtOnce = 500;

/** Builds the mirror anew. Where it fails the live tables are as they were; `Stopped`: the message says what a person should do. */
export const rebuildMirror = (options: RebuildOptions): TE.TaskEither<MirrorFailure, Rebuilt> =>
  pipe(
    TE.fromEither(mirrorPlace(options)),
    TE.chain(({ settings, tables }) =>
      inSession(settings, { readOnly: false }, (session) => rebuildIn(options, session, tables)),
    ),
  );

const rebuildIn = (
  options: RebuildOptions,
  session: Session,
  tables: Tables,
): TE.TaskEither<MirrorFailure, Rebuilt> => {
  const shadow = shadowOf(tables);
  return pipe(
    step(() => prepare(options, session, tables, shadow)),
    TE.chain(() => askLog(options.store.identity)),
    TE.chain((identity) => step(() => build(options, session, shadow, identity))),
    TE.tap(() => step(() => swapIn(options, session, tables, shadow))),
  );
};

const prepare = async (options: RebuildOptions, session: Session, tables: Tables, shadow: Tables): Promise<void> => {
  if (!(await session.tryLock('rebuild', tables.rooms)))
    throw new MirrorError('Stopped', `Another \`imcd rebuild\` of ${tables.rooms} is at work: wait for it to end.`);
  await ensureTables(session, tables, options.tableVersion);
  await dropTables(session, shadow);
  await createTables(session, shadow);
};

const build = async (options: RebuildOptions, session: Session, shadow: Tables, identity: string): Promise<Rebuilt> => {
  const { store, onProgress } = options;
  const log = await foldLog(store, 'end', (events) => onProgress?.({ step: 'reading', events }));
  if (log.unknown.length > 0) throw new MirrorError('Stopped', log.unknown.join('\n'));
  const rooms = [...log.rooms.values()];
  let members = 0;
  for (let n = 0; n < rooms.length; n += roomsAtOnce) {
    members += await insertRooms(session, shadow, rooms.slice(n, n + roomsAtOnce));
    onProgress?.({ step: 'writing', rooms: Math.min(n + roomsAtOnce, rooms.length), of: rooms.length });
  }
  const checkpoint = { log: identity, position: log.position, generation: options.ids.uuid() };
  await insertCheckpoint(session.db, shadow.checkpoint, checkpoint);
  const { events, position } = await followTail(store, session, shadow, checkpoint);
  return { rooms: rooms.length, members, events: log.events + events, position };
};

const insertRooms = async (session: Session, shadow: Tables, rooms: readonly Room[]): Promise<number> =>
  session.db.transaction().execute(async (trx) => {
    const write = new RowWriter(session, trx, shadow);
    await write.insertRooms(rooms.map((room) => roomRow(room.uri, room.private)));
    return write.insertMembers(rooms.flatMap(memberRows));
  });

/** What came into the log meanwhile, so that the swap takes the rows back by a moment only; the server's mirror follows on. */
const followTail = async (
  store: EventStore,
  session: Session,
  shadow: Tables,
  from: Checkpoint,
): Promise<{ readonly events: number; readonly position: Position | undefined }> => {
  let checkpoint = from;
  let events = 0;
  const write = async (batch: readonly StoredEvent[]): Promise<void> => {
    checkpoint = await writeTail(session, shadow, checkpoint, batch);
    events += batch.length;
  };
  let batch: StoredEvent[] = [];
  for await (const event of store.readAll(checkpoint.position)) {
    batch.push(event);
    if (batch.length < 1_000) continue;
    await write(batch);
    batch = [];
  }
  if (batch.length > 0) await write(batch);
  return { events, position: checkpoint.position };
};

const writeTail = async (
  session: Session,
  shadow: Tables,
  checkpoint: Checkpoint,
  batch: readonly StoredEvent[],
): Promise<Checkpoint> => {
  const { plans, position, unknown } = await planBatch(batch);
  if (unknown !== undefined || position === undefined)
    throw new MirrorError('Stopped', unknown ?? 'the log gave no position');
  return session.db.transaction().execute(async (trx) => {
    const moved = await moveCheckpoint(trx, shadow.checkpoint, checkpoint, position);
    const missing = await writePlans(session, trx, shadow, plans);
    if (missing.rooms + missing.members > 0)
      throw new MirrorError('Stopped', 'somebody else has written to the new tables');
    return moved;
  });
};

/** A report that holds the live tables, or the server's own transaction, is waited for: 10 tries of 5 to 10 s each. */
const swapIn = async (options: RebuildOptions, session: Session, tables: Tables, shadow: Tables): Promise<void> => {
  options.onProgress?.({ step: 'swapping' });
  for (let tries = 1; ; tries += 1) {
    try {
      await session.swap(tables, shadow);
      return;
    } catch (error) {
      if (sqlFailure(error) !== 'busy' || tries === 10) throw error;
    }
  }
};
