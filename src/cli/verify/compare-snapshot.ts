import { isDeepStrictEqual } from 'node:util';
import { historyOf, type RoomThen } from '../../engine/history.ts';
import { createRooms } from '../../read-models/rooms.ts';
import { readSnapshot } from '../../read-models/snapshot.ts';
import { roomKey } from '../../room/address.ts';
import type { ReplayedLog, Tell } from './replayed-log.ts';

/** Compares a snapshot with the log, each room at the revision that the snapshot has it at. */

export interface SnapshotComparison {
  readonly file: string;
  readonly log: ReplayedLog;
  readonly tell: Tell;
}

/** Resolves with what was compared, for people. Throws `StoreError`. */
export const compareSnapshot = async ({ file, log, tell }: SnapshotComparison): Promise<string> => {
  const { store, identity, end } = log;
  const held = createRooms(12);
  const { comparePositions } = store;
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
    const replayed = log.rooms.get(key);
    const then =
      replayed?.revision === revision && replayed !== undefined ? replayed : await stateAt(key, { revision });
    const [found, wanted] = [wholeRoom({ revision, room }), wholeRoom(then)];
    compared += 1;
    if (isDeepStrictEqual(found, wanted)) continue;
    await tell(`snapshot: ${room.uri} is ${JSON.stringify(found)}; by the log it is ${JSON.stringify(wanted)}`);
  }
  for (const [key, { room }] of log.rooms) {
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
