import * as E from 'fp-ts/lib/Either.js';
import type { EventStore, Position, StoredEvent } from '../../ports/event-store.ts';
import type { Ids } from '../../ports/ids.ts';
import type { Room } from '../../room/room.ts';
import { connect } from '../database/connect.ts';
import { sqlFailure } from '../database/failures.ts';
import type { Session, Tables } from '../database/session.ts';
import { databaseSettings } from '../database/url.ts';
import { type Checkpoint, insertCheckpoint, moveCheckpoint } from './checkpoint.ts';
import { foldLog } from './fold-log.ts';
import { planBatch } from './plan-batch.ts';
import { memberRows, roomRow } from './rows.ts';
import { createTables, dropTables, ensureTables, shadowOf, tablesOf } from './tables.ts';
import { writePlans, writer } from './write.ts';

export interface RebuildOptions {
  readonly store: EventStore;
  readonly ids: Pick<Ids, 'uuid'>;
  readonly url: string;
  readonly password?: string;
  readonly roomsTable: string;
  readonly membersTable: string;
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

/** The mirror cannot be built; the message says why. */
export class RebuildFailed extends Error {
  override readonly name = 'RebuildFailed';
}

/** Rooms in one transaction while the new tables fill. */
const roomsAtOnce = 500;

/**
 * Builds the mirror anew from the log, beside the live tables, and puts it in their place in one moment. A server may be at work on
 * the same mirror: it finds the new generation in the checkpoint and goes on from there. Rejects with `ForeignTable` where the live
 * tables are not the mirror's, `RebuildFailed`, `StoreError`, or as the driver does; the live tables are then as they were.
 */
export const rebuildMirror = async (options: RebuildOptions): Promise<Rebuilt> => {
  const tables = tablesOf(options.roomsTable, options.membersTable);
  const shadow = shadowOf(tables);
  const session = await connect(databaseSettings(options.url, options.password));
  try {
    if (!(await session.tryLock('rebuild', tables.rooms))) {
      throw new RebuildFailed(`Another \`imcd rebuild\` of ${tables.rooms} is at work: wait for it to end.`);
    }
    await ensureTables(session, tables, options.tableVersion);
    await dropTables(session, shadow);
    await createTables(session, shadow);
    const built = await build(options, session, shadow);
    options.onProgress?.({ step: 'swapping' });
    await patiently(() => session.swap(tables, shadow));
    return built;
  } finally {
    await session.close();
  }
};

const build = async (options: RebuildOptions, session: Session, shadow: Tables): Promise<Rebuilt> => {
  const { store, onProgress } = options;
  const identity = await store.identity();
  if (E.isLeft(identity)) throw new RebuildFailed(identity.left.message, { cause: identity.left });
  const log = await foldLog(store, 'end', (events) => onProgress?.({ step: 'reading', events }));
  if (log.unknown.length > 0) throw new RebuildFailed(log.unknown.join('\n'));
  const rooms = [...log.rooms.values()];
  let members = 0;
  for (let n = 0; n < rooms.length; n += roomsAtOnce) {
    members += await insertRooms(session, shadow, rooms.slice(n, n + roomsAtOnce));
    onProgress?.({ step: 'writing', rooms: Math.min(n + roomsAtOnce, rooms.length), of: rooms.length });
  }
  const checkpoint = { log: identity.right, position: log.position, generation: options.ids.uuid() };
  await insertCheckpoint(session.db, shadow.checkpoint, checkpoint);
  const { events, position } = await followTail(store, session, shadow, checkpoint);
  return { rooms: rooms.length, members, events: log.events + events, position };
};

const insertRooms = async (session: Session, shadow: Tables, rooms: readonly Room[]): Promise<number> =>
  session.db.transaction().execute(async (trx) => {
    const write = writer(session, trx, shadow);
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
    const { plans, position, unknown } = await planBatch(batch);
    if (unknown !== undefined || position === undefined) throw new RebuildFailed(unknown ?? 'the log gave no position');
    checkpoint = await session.db.transaction().execute(async (trx) => {
      const moved = await moveCheckpoint(trx, shadow.checkpoint, checkpoint, position);
      const missing = await writePlans(session, trx, shadow, plans);
      if (missing.rooms + missing.members > 0) throw new RebuildFailed('somebody else has written to the new tables');
      return moved;
    });
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

/** A report that holds the live tables, or the server's own transaction, is waited for: 10 tries of 5 to 10 s each. */
const patiently = async (swap: () => Promise<void>): Promise<void> => {
  for (let tries = 1; ; tries += 1) {
    try {
      await swap();
      return;
    } catch (error) {
      if (sqlFailure(error) !== 'busy' || tries === 10) throw error;
    }
  }
};
