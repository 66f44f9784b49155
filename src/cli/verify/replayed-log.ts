import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { RoomThen } from '../../engine/history.ts';
import type { EventStore, Position } from '../../ports/event-store.ts';
import type { RoomKey } from '../../room/address.ts';
import { because, type CliTask, readingLog } from '../cli-error.ts';
import { roomsAt } from '../read/state-at.ts';
import { withProgress } from '../terminal/progress.ts';

/** The log as `imcd verify` holds it against everything else: replayed from 0. */

export interface ReplayedLog {
  readonly store: EventStore;
  readonly identity: string;
  readonly end: Position | undefined;
  /** Those that live at the end. */
  readonly rooms: ReadonlyMap<RoomKey, RoomThen>;
}

/** Tells one difference. */
export type Tell = (difference: string) => Promise<void>;

export const replayLog = (store: EventStore): CliTask<ReplayedLog> =>
  pipe(
    withProgress('replaying the log', 'events', ({ update }) => readingLog(() => roomsAt(store, {}, update))),
    TE.bindTo('rooms'),
    TE.bind('identity', () => pipe(store.identity, TE.mapLeft(because))),
    TE.bind('end', () => pipe(store.end, TE.mapLeft(because))),
    TE.map((replayed) => ({ ...replayed, store })),
  );
