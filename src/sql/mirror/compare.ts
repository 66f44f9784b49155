import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { sql } from 'kysely';
import type { EventStore, Position } from '../../ports/event-store.ts';
import { sqlFailure } from '../database/failures.ts';
import type { Session, Tables } from '../database/session.ts';
import { type Checkpoint, readCheckpoint } from './checkpoint.ts';
import { differ } from './differ.ts';
import { askLog, type MirrorFailure, step } from './failure.ts';
import { foldLog } from './fold-log.ts';
import { inSession, mirrorPlace, type PlaceOptions } from './place.ts';
import type { MemberRow, RoomRow } from './rows.ts';
import { differences } from './tables.ts';

/**
 * Compares the mirror's rows with the log, replayed to the mirror's own checkpoint. Rows and checkpoint are read in one snapshot,
 * so it may run beside a mirror at work; it changes nothing.
 */

export interface CompareOptions extends PlaceOptions {
  readonly store: EventStore;
  /** Events replayed so far. */
  readonly onProgress?: (events: number) => void;
}

export interface Comparison {
  /** Where the rows are. */
  readonly position: Position | undefined;
  /** The log has events after that: lag, not difference. */
  readonly behind: boolean;
  readonly rooms: number;
  readonly members: number;
  /** A sentence each; empty where rows and log agree. */
  readonly differences: readonly string[];
}

/** Compares the mirror with the log. A Left where database or log cannot be read. */
export const compareMirror = (options: CompareOptions): TE.TaskEither<MirrorFailure, Comparison> =>
  pipe(
    TE.fromEither(mirrorPlace(options)),
    TE.chain(({ settings, tables }) =>
      inSession(settings, { readOnly: true }, (session) => compareIn(options, session, tables)),
    ),
  );

const compareIn = (
  options: CompareOptions,
  session: Session,
  tables: Tables,
): TE.TaskEither<MirrorFailure, Comparison> =>
  pipe(
    TE.Do,
    TE.bind('identity', () => askLog(options.store.identity)),
    TE.bind('unfit', () => step(() => unfitTables(session, tables))),
    TE.chain(({ identity, unfit }) =>
      unfit.length > 0
        ? TE.right({ position: undefined, behind: true, rooms: 0, members: 0, differences: unfit })
        : compareRows(options, session, tables, identity),
    ),
  );

const compareRows = (
  options: CompareOptions,
  session: Session,
  tables: Tables,
  identity: string,
): TE.TaskEither<MirrorFailure, Comparison> =>
  pipe(
    TE.Do,
    TE.bind('rows', () => step(() => readAgain(() => readMirror(session, tables)))),
    TE.bind('end', () => askLog(options.store.end)),
    TE.chain(({ rows, end }) => step(() => againstLog(options, rows, identity, end))),
  );

const againstLog = async (
  { store, onProgress }: CompareOptions,
  { checkpoint, rooms, members }: MirrorRows,
  identity: string,
  end: Position | undefined,
): Promise<Comparison> => {
  const position = checkpoint?.position;
  const found = { position, rooms: rooms.length, members: members.length };
  if (checkpoint !== undefined && checkpoint.log !== identity) {
    const foreign = `the mirror's rows are of another log (${checkpoint.log}) than this one (${identity})`;
    return { ...found, behind: true, differences: [foreign] };
  }
  const log = await foldLog(store, position, onProgress);
  const ahead = position === log.position ? [] : ['the mirror is ahead of the log, which does not hold its checkpoint'];
  const differing = differ([...log.rooms.values()], rooms, members);
  return { ...found, behind: end !== position, differences: [...ahead, ...log.unknown, ...differing] };
};

const unfitTables = async (session: Session, tables: Tables): Promise<string[]> => {
  const found: string[] = [];
  for (const kind of ['rooms', 'members'] as const) {
    const shape = await session.shape(tables[kind]);
    found.push(
      ...(shape === undefined ? [`the mirror has no table ${tables[kind]}`] : differences(kind, tables[kind], shape)),
    );
  }
  if ((await session.shape(tables.checkpoint)) === undefined)
    found.push(`the mirror has no table ${tables.checkpoint}`);
  return found;
};

/** A rebuild that swaps its tables in ends the snapshot: three tries. */
const readAgain = async <A>(read: () => Promise<A>): Promise<A> => {
  for (let tries = 1; ; tries += 1) {
    try {
      return await read();
    } catch (error) {
      if (sqlFailure(error) !== 'busy' || tries === 3) throw error;
    }
  }
};

interface MirrorRows {
  readonly checkpoint: Checkpoint | undefined;
  readonly rooms: readonly RoomRow[];
  readonly members: readonly MemberRow[];
}

/** Rows and checkpoint of one moment. */
const readMirror = async (session: Session, tables: Tables): Promise<MirrorRows> =>
  session.db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (trx) => {
      const checkpoint = await readCheckpoint(trx, tables.checkpoint);
      const page = async <Row>(table: string, columns: readonly string[]): Promise<Row[]> => {
        const all: Row[] = [];
        const cells = sql.join(['id', ...columns].map((column) => sql.id(column)));
        for (let last = -1; ; ) {
          const { rows } = await sql<Row & { readonly id: number }>`
            SELECT ${cells} FROM ${sql.id(table)} WHERE id > ${last} ORDER BY id LIMIT 5000`.execute(trx);
          for (const row of rows) all.push(row);
          const end = rows.at(-1);
          if (end === undefined) return all;
          last = end.id;
        }
      };
      return {
        checkpoint,
        rooms: await page<RoomRow>(tables.rooms, ['name', 'domain', 'flag']),
        members: await page<MemberRow>(tables.members, ['username', 'domain', 'room', 'flag']),
      };
    });
