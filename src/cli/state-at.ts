import * as E from 'fp-ts/lib/Either.js';
import { known, type RoomThen, type Then } from '../engine/history.ts';
import type { EventStore, Position } from '../engine/ports.ts';
import { type RoomKey, roomOfStream } from '../room/address.ts';
import { applyInPlace } from '../room/room.ts';
import { CliError } from './invocation.ts';

/** All rooms as they were, destroyed ones too, by their keys. Throws `StoreError`. */
export const roomsAt = async (
  store: EventStore,
  then: Pick<Then, 'time' | 'position'>,
  onProgress: (events: number) => void,
): Promise<ReadonlyMap<RoomKey, RoomThen>> => {
  const end = then.time === undefined ? then.position : await positionAt(store, then.time);
  const rooms = new Map<RoomKey, RoomThen>();
  if (then.time !== undefined && end === undefined) return rooms;
  let events = 0;
  for await (const event of store.readAll()) {
    if (end !== undefined && store.comparePositions(event.position, end) > 0) break;
    const key = roomOfStream(event.stream);
    if (key === undefined) continue;
    const room = applyInPlace(rooms.get(key)?.room, known(event), event.time);
    rooms.set(key, { revision: event.revision, room });
    events += 1;
    if (events % 1_000 === 0) onProgress(events);
  }
  return rooms;
};

/** Position of the last event that is not later than a time; undefined where there is none. */
const positionAt = async (store: EventStore, time: string): Promise<Position | undefined> => {
  if (store.audit !== undefined) {
    const found = await store.audit.positionAt(time)();
    if (E.isLeft(found)) throw new CliError(found.left.message);
    return found.right;
  }
  let position: Position | undefined;
  for await (const event of store.readAll()) if (event.time <= time) position = event.position;
  return position;
};
