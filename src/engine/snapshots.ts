import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import type { Clock, Timer } from '../ports/clock.ts';
import type { EventStore, Position } from '../ports/event-store.ts';
import type { Log } from '../ports/log.ts';
import type { Rooms } from '../read-models/rooms.ts';
import { readSnapshot, writeSnapshot } from '../read-models/snapshot.ts';
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

/** Reads the snapshot of the rooms, and keeps one. Rejects where the log cannot be asked for its identity or its end. */
export const openSnapshots = async (options: SnapshotOptions): Promise<Snapshots> => {
  const { store, rooms, clock, log, folder } = options;
  if (folder === undefined) return { from: undefined, keep: () => {}, stop: () => Promise.resolve() };
  const file = snapshotFile(folder);
  const identity = await orThrow(store.identity());
  const end = await orThrow(store.end());
  const began = clock.monotonic();
  const loaded = readSnapshot({
    file,
    rooms,
    identity,
    end,
    comparePositions: store.comparePositions,
    now: clock.now(),
  });
  let from: Position | undefined;
  if (loaded.kind === 'ignored') log.warn({}, loaded.why);
  if (loaded.kind === 'loaded') {
    from = loaded.position;
    for (const key of loaded.reread) {
      for await (const event of store.readStream(streamOf(key))) {
        if (rooms.apply(event, clock.now()) === 'gap') rooms.stop(key, `stream ${event.stream} lacks events`);
      }
    }
    log.info({ rooms: rooms.size, ms: Math.round(clock.monotonic() - began) }, 'the snapshot of the rooms was read');
  }

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

const orThrow = async <A>(outcome: Promise<E.Either<{ readonly message: string }, A>>): Promise<A> => {
  const either = await outcome;
  if (E.isLeft(either)) throw new Error(either.left.message, { cause: either.left });
  return either.right;
};
