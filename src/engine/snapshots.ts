import { join } from 'node:path';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Clock, Timer } from '../ports/clock.ts';
import { type EventStore, type Position, StoreError, type StoreFailure } from '../ports/event-store.ts';
import type { Log } from '../ports/log.ts';
import type { Rooms } from '../read-models/rooms.ts';
import { readSnapshot, writeSnapshot } from '../read-models/snapshot.ts';
import type { RoomKey } from '../room/address.ts';
import { streamOf } from '../room/stream.ts';

export interface SnapshotOptions {
  readonly store: EventStore;
  readonly rooms: Rooms;
  readonly clock: Clock;
  readonly log: Log;
  /** The folder of `data`; undefined: none is kept (a log in memory ends with the process). */
  readonly folder: string | undefined;
}

export interface Snapshots {
  /** From where the log is to be followed; undefined: from its start. */
  readonly from: Position | undefined;
  /** Begins to write them now and then. `position`: all events up to it are applied; `events`: how many were seen. */
  readonly keep: (position: () => Position | undefined, events: () => number) => void;
  /** Writes a last one, where there is anything new. */
  readonly stop: () => Promise<void>;
}

/** Where a node keeps it, in its `data`. */
export const snapshotFile = (folder: string): string => join(folder, 'rooms.snapshot');

/** How often it is looked whether a snapshot is due. */
const lookMs = 30_000;
/** Due after so many new events, 1 to 2 s of replay, ... */
const dueEvents = 50_000;
/** ... or after so long, where there is any. */
const dueMs = 600_000;

/** Reads the snapshot of the rooms, and keeps one. Left: the log cannot be asked for its identity, its end, or its events. */
export const openSnapshots = (options: SnapshotOptions): TE.TaskEither<StoreFailure, Snapshots> => {
  const { store, folder } = options;
  if (folder === undefined) return TE.right({ from: undefined, keep: () => {}, stop: () => Promise.resolve() });
  const file = snapshotFile(folder);
  return pipe(
    TE.bindTo('identity')(store.identity),
    TE.bind('end', () => store.end),
    TE.bind('from', ({ identity, end }) => load(options, { file, identity, end })),
    TE.map(({ identity, from }) => keepSnapshots(options, { file, identity, from })),
  );
};

interface Asked {
  readonly file: string;
  /** Of the log. */
  readonly identity: string;
  readonly end: Position | undefined;
}

/** The position that the rooms stand at after the snapshot; undefined where there is none that can be used. */
const load = (options: SnapshotOptions, asked: Asked): TE.TaskEither<StoreFailure, Position | undefined> => {
  const { store, rooms, clock, log } = options;
  const began = clock.monotonic();
  const { comparePositions } = store;
  const loaded = readSnapshot({ ...asked, rooms, comparePositions, now: clock.now() });
  if (loaded.kind === 'ignored') log.warn({}, loaded.why);
  if (loaded.kind !== 'loaded') return TE.right(undefined);
  return pipe(
    reread(options, loaded.reread),
    TE.map(() => {
      log.info({ rooms: rooms.size, ms: Math.round(clock.monotonic() - began) }, 'the snapshot of the rooms was read');
      return loaded.position;
    }),
  );
};

/** Rooms that the snapshot does not hold whole are read from the start of their streams. */
const reread = (
  { store, rooms, clock }: SnapshotOptions,
  keys: readonly RoomKey[],
): TE.TaskEither<StoreFailure, void> =>
  TE.tryCatch(async () => {
    for (const key of keys) {
      for await (const event of store.readStream(streamOf(key))) {
        if (rooms.apply(event, clock.now()) === 'gap') rooms.stop(key, `stream ${event.stream} lacks events`);
      }
    }
  }, failureOf);

const failureOf = (cause: unknown): StoreFailure => {
  if (cause instanceof StoreError) return cause.failure;
  throw cause; // a defect
};

const keepSnapshots = (
  { rooms, clock, log }: SnapshotOptions,
  { file, identity, from }: Omit<Asked, 'end'> & Pick<Snapshots, 'from'>,
): Snapshots => {
  let position: () => Position | undefined = () => from;
  let events: () => number = () => 0;
  let writtenEvents = 0;
  let writtenAt = clock.monotonic();
  let timer: Timer | undefined;
  let writing: Promise<void> | undefined;

  const write = async (): Promise<void> => {
    const at = position();
    if (at === undefined) return;
    const seen = events();
    try {
      const written = await writeSnapshot({ file, rooms, identity, position: at, clock });
      log.debug({ ...written }, 'a snapshot of the rooms was written');
    } catch (error) {
      // The log has everything: a start without the snapshot only takes longer.
      log.warn({ err: error }, `the snapshot ${file} could not be written`);
    }
    writtenEvents = seen;
    writtenAt = clock.monotonic();
  };

  const look = (): void => {
    const fresh = events() - writtenEvents;
    const due = fresh >= dueEvents || (fresh > 0 && clock.monotonic() - writtenAt >= dueMs);
    if (!due || writing !== undefined) {
      timer = clock.after(lookMs, look);
      return;
    }
    writing = write().finally(() => {
      writing = undefined;
      timer = clock.after(lookMs, look);
    });
  };

  return {
    from,
    keep: (currentPosition, currentEvents) => {
      position = currentPosition;
      events = currentEvents;
      timer = clock.after(lookMs, look);
    },
    stop: async () => {
      await writing;
      timer?.cancel();
      if (events() > writtenEvents) await write();
    },
  };
};
