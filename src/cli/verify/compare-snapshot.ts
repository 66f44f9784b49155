import { isDeepStrictEqual } from 'node:util';
import { historyOf, type RoomThen } from '../../engine/history.ts';
import type { EventStore, Position } from '../../ports/event-store.ts';
import { createRooms } from '../../read-models/rooms.ts';
import { readSnapshot } from '../../read-models/snapshot.ts';
import { type RoomKey, roomKey } from '../../room/address.ts';

export interface SnapshotComparison {
  readonly file: string;
  readonly store: EventStore;
  readonly identity: string;
  readonly end: Position | undefined;
  /** All living rooms by replay. */
  readonly rooms: ReadonlyMap<RoomKey, RoomThen>;
  readonly tell: (difference: string) => Promise<void>;
}

/** Compares a snapshot with the log, each room at the revision that the snapshot has it at. Resolves with what was compared, for people. */
export const compareSnapshot = async (given: SnapshotComparison): Promise<string> => {
  const { file, store, identity, end, tell } = given;
  const { comparePositions } = store;
  const held = createRooms(12);
  const loaded = readSnapshot({ file, rooms: held, identity, end, comparePositions, now: Date.now() });
  if (loaded.kind === 'none') return 'none is there';
  if (loaded.kind === 'ignored') {
    await tell(`snapshot: ${loaded.why}`);
    return 'not compared';
  }
  const { stateAt } = historyOf(store);
  let compared = 0;
  for (const room of held.all()) {
    const key = roomKey(room.uri);
    const revision = held.revision(key);
    const replayed = given.rooms.get(key);
    const then =
      replayed?.revision === revision && replayed !== undefined ? replayed : await stateAt(key, { revision });
    const [found, wanted] = [wholeRoom({ revision, room }), wholeRoom(then)];
    compared += 1;
    if (isDeepStrictEqual(found, wanted)) continue;
    await tell(`snapshot: ${room.uri} is ${JSON.stringify(found)}; by the log it is ${JSON.stringify(wanted)}`);
  }
  for (const [key, { room }] of given.rooms) {
    if (held.get(key) !== undefined || room === undefined) continue;
    const revision = held.revision(key);
    const then = await stateAt(key, revision === undefined ? { position: loaded.position } : { revision });
    if (then.room !== undefined)
      await tell(`snapshot: ${room.uri} is in the log at that position, and not in the snapshot`);
  }
  return `${compared} rooms compared`;
};

/** Every field of the room and of its members, those too that people are not shown; the members as a list: their order counts. */
const wholeRoom = ({ revision, room }: RoomThen) =>
  room === undefined ? null : { ...room, revision: Number(revision ?? 0n), members: [...room.members.values()] };
