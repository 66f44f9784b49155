/** `node write-log.ts FILE EVENTS ROOMS MEMBERS`: makes a log in a process of its own, whose memory is not measured. */
import * as E from 'fp-ts/lib/Either.js';
import { systemClock } from '../../src/runtime/clock.ts';
import { randomIds } from '../../src/runtime/ids.ts';
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import { makeLog } from './make-log.ts';

const [file = '', events, rooms, members] = process.argv.slice(2);
const ids = randomIds();
const opened = await openSqliteStore({ file, ids, clock: systemClock })();
if (E.isLeft(opened)) throw new Error(opened.left.message);
await makeLog(opened.right, ids, { events: Number(events), rooms: Number(rooms), members: Number(members) });
await opened.right.close();
