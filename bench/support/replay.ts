/** `node replay.ts FILE`: a log into the rooms in memory as at the server's start, in a process of its own; JSON out. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as E from 'fp-ts/lib/Either.js';
import { createRooms } from '../../src/read-models/rooms.ts';
import { roomKey } from '../../src/room/address.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { openSqliteReader } from '../../src/store/sqlite/open.ts';
import { follow, round, timed } from './measure.ts';
import { usageOf } from './process.ts';

const opened = await openSqliteReader({ file: process.argv[2] ?? '', clock: systemClock })();
if (E.isLeft(opened)) throw new Error(opened.left.message);
const log = opened.right;
const rooms = createRooms(4);
const measured = await timed(() =>
  follow(log, (events) => {
    const now = Date.now();
    for (const event of events) rooms.apply(event, now);
  }),
);
const { residentMb } = usageOf(process.pid);
setFlagsFromString('--expose-gc');
const gc: unknown = runInNewContext('gc');
const heapMb = (): number => {
  if (typeof gc === 'function') gc();
  return process.memoryUsage().heapUsed / 2 ** 20;
};
const withRooms = heapMb();
const size = rooms.size;
for (const { uri } of [...rooms.all()]) rooms.forget(roomKey(uri));
console.log(JSON.stringify({ ...measured, rooms: size, roomsHeapMb: round(withRooms - heapMb()), residentMb }));
await log.close();
