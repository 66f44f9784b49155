import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Clock } from '../ports/clock.ts';
import { type EventStore, StoreError } from '../ports/event-store.ts';
import type { Rooms } from '../read-models/rooms.ts';
import type { RoomKey } from '../room/address.ts';
import { streamOf } from '../room/stream.ts';
import type { Failure } from './conference.ts';

export interface CatchUpPorts {
  readonly store: EventStore;
  readonly rooms: Rooms;
  readonly clock: Clock;
}

/** Longest time, in milliseconds, that a command waits for its room to reach the stream's end. */
export const catchUpMs = 5_000;

/**
 * Brings one room up to the end of its stream by reading the stream, past whatever the projection's own subscription has not
 * given yet. Where an earlier event is missing the room is folded anew from the stream's start.
 */
export const catchUpRoom =
  ({ store, rooms, clock }: CatchUpPorts) =>
  (key: RoomKey): TE.TaskEither<Failure, void> =>
    TE.tryCatch(
      async () => {
        const deadline = clock.monotonic() + catchUpMs;
        const read = async (from: bigint): Promise<boolean> => {
          for await (const event of store.readStream(streamOf(key), { from })) {
            if (rooms.apply(event, clock.now()) === 'gap') return false;
            if (clock.monotonic() > deadline) throw new LaggingError(key);
          }
          return true;
        };
        if (await read((rooms.revision(key) ?? -1n) + 1n)) return;
        rooms.forget(key);
        if (!(await read(0n))) throw new Error(`stream ${streamOf(key)} has a gap: an event is missing from the log`);
      },
      (cause): Failure => {
        if (cause instanceof StoreError) return cause.failure;
        if (cause instanceof LaggingError) return { kind: 'Lagging', message: cause.message };
        return { kind: 'Defect', message: cause instanceof Error ? cause.message : String(cause), cause };
      },
    );

/**
 * Whether this node has seen all of a room's stream. On a shared store nothing that appends nothing is decided without it:
 * the expected revision guards only what appends.
 */
export const isCurrent =
  ({ store, rooms }: CatchUpPorts) =>
  async (key: RoomKey): Promise<E.Either<Failure, boolean>> => {
    if (!store.shared) return E.right(true);
    const last = await store.lastRevision(streamOf(key))();
    if (E.isLeft(last)) return last;
    return E.right(last.right === undefined || (rooms.revision(key) ?? -1n) >= last.right);
  };

class LaggingError extends Error {
  constructor(key: RoomKey) {
    super(`the events of room ${key} could not be read to their end within ${catchUpMs / 1000} s`);
  }
}
