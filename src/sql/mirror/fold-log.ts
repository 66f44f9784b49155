import type { EventStore, Position } from '../../ports/event-store.ts';
import type { RoomKey } from '../../room/address.ts';
import { applyInPlace } from '../../room/fold.ts';
import type { Room } from '../../room/room.ts';
import { roomOfStream } from '../../room/stream.ts';
import { decode, Undecodable } from '../../room/upcast.ts';

/** All living rooms as the log has them, up to and with one position. */
export interface FoldedLog {
  readonly rooms: ReadonlyMap<RoomKey, Room>;
  readonly events: number;
  /** Of the last event taken; undefined where there was none. */
  readonly position: Position | undefined;
  /** Events that this version does not know, as sentences. Their rooms cannot be trusted. */
  readonly unknown: readonly string[];
}

/**
 * Folds the log from its start, in memory, by the domain's own rules. `until`: the last position that counts; default the present
 * end. `onProgress` is called every 10,000 events. Throws `StoreError`.
 */
export const foldLog = async (
  store: Pick<EventStore, 'readAll' | 'comparePositions'>,
  until: Position | undefined | 'end',
  onProgress: (events: number) => void = () => {},
): Promise<FoldedLog> => {
  const rooms = new Map<RoomKey, Room>();
  const unknown: string[] = [];
  let events = 0;
  let position: Position | undefined;
  if (until === undefined) return { rooms, events, position, unknown };
  for await (const event of store.readAll()) {
    if (until !== 'end' && store.comparePositions(event.position, until) > 0) break;
    const key = roomOfStream(event.stream);
    if (key === undefined) continue;
    position = event.position;
    events += 1;
    if (events % 10_000 === 0) onProgress(events);
    const decoded = decode(event);
    if (decoded instanceof Undecodable) {
      unknown.push(`event ${event.revision} of ${event.stream} is not known to this version: ${decoded.message}`);
      continue;
    }
    const room = applyInPlace(rooms.get(key), decoded, event.time);
    if (room === undefined) rooms.delete(key);
    else rooms.set(key, room);
  }
  return { rooms, events, position, unknown };
};
