import * as E from 'fp-ts/lib/Either.js';
import { known, type RoomThen, type Then } from '../../engine/history.ts';
import { type EventStore, type Position, type StoredEvent, StoreError } from '../../ports/event-store.ts';
import { createRooms } from '../../read-models/rooms.ts';
import { type RoomKey, roomKey } from '../../room/address.ts';

/** All rooms of the log by replay, up to its end or to a time or place in it. */

/** Power of 2 of the buckets: for as many rooms as one log is likely to hold. */
const hashSize = 12;

/** All rooms that lived then, by their keys. Throws `StoreError`, also for an event that this version does not know. */
export const roomsAt = async (
  store: EventStore,
  then: Pick<Then, 'time' | 'position'>,
  onProgress: (events: number) => void,
): Promise<ReadonlyMap<RoomKey, RoomThen>> => {
  const end = then.time === undefined ? then.position : await positionAt(store, then.time);
  if (then.time !== undefined && end === undefined) return new Map();
  const rooms = createRooms(hashSize);
  const now = Date.now();
  let applied = 0;
  const apply = (event: StoredEvent): void => {
    if (rooms.apply(event, now) === 'applied') applied += 1;
    else refuse(event);
  };
  await replay(store, end, apply, () => onProgress(applied));
  const found = new Map<RoomKey, RoomThen>();
  for (const room of rooms.all()) {
    const key = roomKey(room.uri);
    found.set(key, { revision: rooms.revision(key), room });
  }
  return found;
};

/** An event that could not be applied: throws what is wrong with it. */
const refuse = (event: StoredEvent): never => {
  known(event);
  const { stream, revision } = event;
  throw new StoreError({
    kind: 'StoreDamaged',
    message: `revision ${revision} of ${stream} does not follow on those before it: events are missing`,
  });
};

/** All events up to `end`, or up to the log's present end. In batches: an asynchronous step for each event costs 3 us. */
const replay = (
  store: EventStore,
  end: Position | undefined,
  apply: (event: StoredEvent) => void,
  onBatch: () => void,
): Promise<void> =>
  new Promise((resolve, reject) => {
    const isAfter = (event: StoredEvent): boolean =>
      end !== undefined && store.comparePositions(event.position, end) > 0;
    const finish = (failure?: unknown): void => {
      // Not at once: the subscription may call back before `subscribe` has returned.
      queueMicrotask(() => subscription.stop());
      if (failure === undefined) resolve();
      else reject(failure);
    };
    const subscription = store.subscribe(undefined, {
      onEvents: (events) => {
        try {
          for (const event of events) {
            if (isAfter(event)) return finish();
            apply(event);
          }
          onBatch();
        } catch (error) {
          finish(error);
        }
      },
      onCaughtUp: () => finish(),
      onStopped: (failure) => finish(new StoreError(failure)),
    });
  });

/** Position of the last event that is not later than a time; undefined where there is none. */
const positionAt = async (store: EventStore, time: string): Promise<Position | undefined> => {
  if (store.audit !== undefined) {
    const found = await store.audit.positionAt(time)();
    if (E.isLeft(found)) throw new StoreError(found.left);
    return found.right;
  }
  let position: Position | undefined;
  for await (const event of store.readAll()) if (event.time <= time) position = event.position;
  return position;
};
