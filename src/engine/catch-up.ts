import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Deadline, deadlineIn } from '../bounds/deadline.ts';
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
 * Brings one room up to the end of its stream by reading the stream, past whatever the node's own subscription has not
 * given yet. Where an earlier event is missing the room is folded anew from the stream's start.
 */
export const catchUpRoom =
  (ports: CatchUpPorts) =>
  (key: RoomKey): TE.TaskEither<Failure, void> =>
    pipe(
      TE.fromIO(() => deadlineIn(ports.clock, catchUpMs)),
      TE.chain((deadline) => readToEnd(ports, key, deadline)),
      TE.chainEitherK((reached) => atEnd(key, reached)),
    );

/**
 * Whether this node has seen all of a room's stream. On a shared store nothing that appends nothing is decided without it:
 * the expected revision guards only what appends.
 */
export const isCurrent =
  ({ store, rooms }: CatchUpPorts) =>
  (key: RoomKey): TE.TaskEither<Failure, boolean> =>
    store.shared
      ? pipe(
          store.lastRevision(streamOf(key)),
          TE.map((last) => last === undefined || (rooms.revision(key) ?? -1n) >= last),
        )
      : TE.right(true);

/** Catches up with a room where this node has not seen all of its stream. */
export const makeCurrent =
  (ports: CatchUpPorts) =>
  (key: RoomKey): TE.TaskEither<Failure, void> =>
    pipe(
      isCurrent(ports)(key),
      TE.chain((current) => (current ? TE.right(undefined) : catchUpRoom(ports)(key))),
    );

/** How far a read came: to the stream's end, to an event whose predecessor is missing, or to its deadline. */
type Reached = 'end' | 'gap' | 'late';

const readToEnd = (ports: CatchUpPorts, key: RoomKey, deadline: Deadline): TE.TaskEither<Failure, Reached> =>
  pipe(
    read(ports, key, (ports.rooms.revision(key) ?? -1n) + 1n, deadline),
    TE.chain((reached) => {
      if (reached !== 'gap') return TE.right(reached);
      ports.rooms.forget(key);
      return read(ports, key, 0n, deadline);
    }),
  );

const read = (
  { store, rooms, clock }: CatchUpPorts,
  key: RoomKey,
  from: bigint,
  deadline: Deadline,
): TE.TaskEither<Failure, Reached> =>
  TE.tryCatch(async () => {
    for await (const event of store.readStream(streamOf(key), { from })) {
      if (rooms.apply(event, clock.now()) === 'gap') return 'gap';
      if (deadline.left() === 0) return 'late';
    }
    return 'end';
  }, catchUpFailure);

const catchUpFailure = (cause: unknown): Failure =>
  cause instanceof StoreError
    ? cause.failure
    : { kind: 'Defect', message: cause instanceof Error ? cause.message : String(cause), cause };

const atEnd = (key: RoomKey, reached: Reached): E.Either<Failure, void> => {
  switch (reached) {
    case 'end':
      return E.right(undefined);
    case 'late':
      return E.left({
        kind: 'Lagging',
        message: `the events of room ${key} could not be read to their end within ${catchUpMs / 1000} s`,
      });
    case 'gap':
      return E.left({
        kind: 'Defect',
        message: `stream ${streamOf(key)} has a gap: an event is missing from the log`,
      });
  }
};
