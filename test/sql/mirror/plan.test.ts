import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { sql } from 'kysely';
import type { Position, StoredEvent } from '../../../src/ports/event-store.ts';
import { roomKey } from '../../../src/room/address.ts';
import { type RoomEvent, roomEvents } from '../../../src/room/events.ts';
import { applyInPlace } from '../../../src/room/fold.ts';
import type { RoomState } from '../../../src/room/room.ts';
import { streamOf } from '../../../src/room/stream.ts';
import type { Session } from '../../../src/sql/database/session.ts';
import { connectSqlite } from '../../../src/sql/database/sqlite.ts';
import { differ } from '../../../src/sql/mirror/differ.ts';
import { planBatch } from '../../../src/sql/mirror/plan-batch.ts';
import type { MemberRow, RoomRow } from '../../../src/sql/mirror/rows.ts';
import { createTables, tablesOf } from '../../../src/sql/mirror/tables.ts';
import { writePlans } from '../../../src/sql/mirror/write.ts';
import { diceOf, memberExited, memberJoined, memberUri, randomHistory, roomCreated, roomUri } from '../history.ts';
import { right } from '../world.ts';

const tables = right(tablesOf('imc_rooms', 'imc_members'));

describe('what a batch of events changes in the tables', () => {
  let folder: string;
  let session: Session;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'imcd-plan-'));
    session = await connectSqlite(join(folder, 'plan.db'), false);
    await createTables(session, tables);
  });
  after(async () => {
    await session.close();
    rmSync(folder, { recursive: true });
  });

  /** Writes the batches, one transaction each; gives how many rows were missing, and the differences from a fold of all. */
  const write = async (batches: readonly (readonly RoomEvent[])[]) => {
    const states = new Map<string, RoomState>();
    let missing = 0;
    for (const batch of batches) {
      const { plans } = await planBatch(batch.map(stored));
      const found = await session.db.transaction().execute((trx) => writePlans(session, trx, tables, plans));
      missing += found.rooms + found.members;
      for (const event of batch) {
        const key = roomKey(event.data.room);
        states.set(key, applyInPlace(states.get(key), event, ''));
      }
    }
    const rooms = await sql<RoomRow>`SELECT name, domain, flag FROM imc_rooms ORDER BY id`.execute(session.db);
    const members = await sql<MemberRow>`SELECT username, domain, room, flag FROM imc_members ORDER BY id`.execute(
      session.db,
    );
    await sql`DELETE FROM imc_rooms`.execute(session.db);
    await sql`DELETE FROM imc_members`.execute(session.db);
    const living = [...states.values()].filter((room) => room !== undefined);
    return {
      missing,
      rows: rooms.rows.length + members.rows.length,
      differences: differ(living, rooms.rows, members.rows),
    };
  };

  it('is what a fold of the log says, wherever the batches end', async () => {
    let rows = 0;
    const types = new Set<string>();
    for (let seed = 1; seed <= 60; seed += 1) {
      const dice = diceOf(seed);
      const history = randomHistory(dice, 3, 5);
      const batches = Array.from({ length: 8 }, () => Array.from({ length: 1 + dice(30) }, () => history.next().value));
      for (const { type } of batches.flat()) types.add(type);
      const written = await write(batches);
      assert.deepEqual([seed, written.missing, written.differences], [seed, 0, []]);
      rows += written.rows;
    }
    assert.ok(rows > 100, `only ${rows} rows in all`);
    assert.deepEqual(types, new Set(Object.keys(roomEvents)), 'everything that can happen');
  });

  it('is nothing for a room or a member who comes and goes within it', async () => {
    const room = roomUri('sip:chat-1@imc.test');
    const [alice, bob] = [memberUri('sip:alice@imc.test'), memberUri('sip:bob@imc.test')];
    const destroyed: RoomEvent = { type: 'RoomDestroyed', data: { room, by: alice, cause: 'exit' } };
    const written = await write([
      [roomCreated(room, alice), memberJoined(room, bob), destroyed],
      [roomCreated(room, alice)],
      [memberJoined(room, bob), memberExited(room, bob)],
    ]);
    assert.deepEqual(written, { missing: 0, rows: 2, differences: [] });
  });

  it('keeps the order of a change of hands, there and back again', async () => {
    const room = roomUri('sip:chat-1@imc.test');
    const users = ['a', 'b', 'c'].map((name) => memberUri(`sip:${name}@imc.test`));
    const [a, b, c] = users as [(typeof users)[0], (typeof users)[0], (typeof users)[0]];
    const to = (member: typeof a): RoomEvent => ({ type: 'RoleChanged', data: { room, member, role: 'owner', by: a } });
    const made = [roomCreated(room, a), memberJoined(room, b), memberJoined(room, c)];
    for (const batch of [
      [to(b)],
      [to(b), to(c)],
      [to(b), to(a)],
      [to(b), memberExited(room, a)],
      [to(b), to(c), memberExited(room, b)],
    ]) {
      assert.deepEqual((await write([made, batch])).differences, []);
    }
  });
});

let position = 0;
const stored = ({ type, data }: RoomEvent): StoredEvent => {
  position += 1;
  const stream = streamOf(roomKey(data.room));
  return {
    id: `${position}`,
    stream,
    revision: 0n,
    position: `${position}` as Position,
    type,
    data,
    metadata: {},
    time: '',
  };
};
