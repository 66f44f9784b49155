import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { StoredEvent } from '../src/ports/event-store.ts';
import { createRooms } from '../src/read-models/rooms.ts';
import { readSnapshot, writeSnapshot } from '../src/read-models/snapshot.ts';
import { roomPrefix } from '../src/room/stream.ts';
import { systemClock } from '../src/runtime/clock.ts';
import { positionOf } from '../src/store/eventstoredb/wire.ts';

/**
 * A snapshot of many rooms: how long it takes to write, how long the longest slice keeps SIP waiting, and how long a start
 * takes to read it and apply the newer events.
 *
 * `npm run bench -- snapshot [--rooms 100000] [--members 3] [--newer 1000] [--rounds 3]`
 */
export const run = async (args: readonly string[]): Promise<unknown> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rooms: { type: 'string', default: '100000' },
      members: { type: 'string', default: '3' },
      newer: { type: 'string', default: '1000' },
      rounds: { type: 'string', default: '3' },
    },
  });
  const [count, members, newer] = [Number(values.rooms), Number(values.members), Number(values.newer)];
  const folder = mkdtempSync(join(tmpdir(), 'imcd-snapshot-'));
  try {
    const file = join(folder, 'rooms.snapshot');
    const full = createRooms(4);
    for (let room = 0; room < count; room += 1) {
      full.apply(event(room, 0, 'RoomCreated', { owner: user(room, 0), private: false, cause: 'create' }), 0);
      for (let n = 1; n < members; n += 1) full.apply(event(room, n, 'MemberJoined', { member: user(room, n) }), 0);
    }
    const of = { identity: 'bench', position: positionOf(1n, 1n) };
    const writes = [];
    const restarts = [];
    for (let round = 0; round < Number(values.rounds); round += 1) {
      writes.push(await writeSnapshot({ file, rooms: full, clock: systemClock, ...of }));
      const began = performance.now();
      const rooms = createRooms(4);
      const loaded = readSnapshot({
        file,
        rooms,
        identity: 'bench',
        end: of.position,
        comparePositions: () => 0,
        now: Date.now(),
      });
      if (loaded.kind !== 'loaded') throw new Error(JSON.stringify(loaded));
      for (let n = 0; n < newer; n += 1) {
        const applied = rooms.apply(event(n, members, 'MemberJoined', { member: user(n, members) }), 0);
        if (applied !== 'applied') throw new Error(applied);
      }
      restarts.push(Math.round(performance.now() - began));
    }
    return { rooms: count, members, newer, writes, restartMs: restarts };
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const user = (room: number, n: number): string => `sip:user${room}-${n}@example.org`;

const event = (room: number, revision: number, type: string, data: object): StoredEvent => ({
  id: '',
  stream: `${roomPrefix}chat-${room}@example.org`,
  revision: BigInt(revision),
  position: positionOf(1n, 1n),
  type,
  time: '2026-01-01T00:00:00.000Z',
  data: { room: `sip:chat-${room}@example.org`, ...data },
  metadata: { version: 1 },
});
