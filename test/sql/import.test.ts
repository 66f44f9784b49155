import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { EventStore } from '../../src/ports/event-store.ts';
import type { RoomUri } from '../../src/room/address.ts';
import { userOf } from '../../src/room/address.ts';
import { randomIds } from '../../src/runtime/ids.ts';
import { foldLog } from '../../src/sql/mirror/fold-log.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { append, memberExited, memberUri, roomUri } from './history.ts';
import { importFrom } from './import-from.ts';

type RoomCells = readonly [name: string, domain: string, flag: number];
type MemberCells = readonly [user: string, domain: string, room: string, flag: number];

describe('import of the tables of OpenSIPS and Kamailio', () => {
  let folder: string;
  let store: EventStore;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'imcd-import-'));
    store = createMemoryStore(randomIds());
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** A database as SQLite's imc-create.sql makes it, with rows in the order of their ids. */
  const tables = (rooms: readonly RoomCells[], members: readonly MemberCells[], version = 2): string => {
    const file = join(folder, 'imc.db');
    rmSync(file, { force: true });
    const db = new DatabaseSync(file);
    db.exec(readFileSync(new URL('../../schemas/sql/sqlite.sql', import.meta.url), 'utf8'));
    db.exec(`DROP TABLE imc_rooms_checkpoint; UPDATE version SET table_version = ${version}`);
    const room = db.prepare('INSERT INTO imc_rooms (name, domain, flag) VALUES (?, ?, ?)');
    for (const row of rooms) room.run(...row);
    const member = db.prepare('INSERT INTO imc_members (username, domain, room, flag) VALUES (?, ?, ?, ?)');
    for (const row of members) member.run(...row);
    db.close();
    return `sqlite:${file}`;
  };
  const run = (from: string) =>
    importFrom(store, from, (room: RoomUri) =>
      userOf(room).startsWith('lobby') ? 'its name is no room here' : undefined,
    );
  /** Rooms of the log, each as one line: the URI, `private`, then the members with their roles. */
  const inLog = async () => {
    const { rooms } = await foldLog(store, 'end');
    return [...rooms.values()].map((room) =>
      [
        room.uri,
        ...(room.private ? ['private'] : []),
        ...[...room.members.values()].map((m) => `${m.uri}=${m.role}`),
      ].join(' '),
    );
  };

  it('takes over rows as OpenSIPS leaves them: flags, case, owner first and then the newest', async () => {
    const from = tables(
      [
        ['chat-2', 'imc.test', 1],
        ['Chat-1', 'imc.test', 0],
      ],
      [
        ['alice', 'imc.test', 'sip:chat-2@imc.test', 1],
        ['carol', 'imc.test', 'sip:chat-2@imc.test', 4],
        ['Dave', 'imc.test', 'sip:Chat-1@imc.test', 1],
        ['erin', 'imc.test', 'sip:Chat-1@imc.test', 2],
        ['bob', 'imc.test', 'sip:Chat-1@imc.test', 16],
      ],
    );
    assert.deepEqual(await run(from), { rooms: 2, members: 5, already: 0, left: [] });
    assert.deepEqual(await inLog(), [
      'sip:chat-2@imc.test private sip:alice@imc.test=owner sip:carol@imc.test=invited',
      'sip:Chat-1@imc.test sip:Dave@imc.test=owner sip:erin@imc.test=admin sip:bob@imc.test=member',
    ]);
    const metadata = [];
    for await (const event of store.readStream('room-chat-2@imc.test')) metadata.push(event.metadata);
    for (const one of metadata) assert.match(JSON.stringify(one), /"source":"import".*"origin":"sqlite:.*flag=\d"/);
  });

  for (const version of [1, 2]) {
    it(`adds nothing when it is run again (table version ${version})`, async () => {
      const rows = [
        [['chat-1', 'imc.test', 0]],
        [
          ['a', 'imc.test', 'sip:chat-1@imc.test', 1],
          ['b', 'imc.test', 'sip:chat-1@imc.test', 2],
        ],
      ] as const;
      await run(tables(rows[0], rows[1], version));
      const end = await store.end();
      assert.deepEqual(await run(tables(rows[0], rows[1], version)), { rooms: 0, members: 0, already: 2, left: [] });
      assert.deepEqual(await store.end(), end);
    });
  }

  it('never brings back who has left, or a room that was destroyed, since', async () => {
    const from = tables(
      [
        ['chat-1', 'imc.test', 0],
        ['chat-2', 'imc.test', 0],
      ],
      [
        ['a', 'imc.test', 'sip:chat-1@imc.test', 1],
        ['b', 'imc.test', 'sip:chat-1@imc.test', 0],
        ['a', 'imc.test', 'sip:chat-2@imc.test', 1],
      ],
    );
    await run(from);
    await append(store, memberExited(roomUri('sip:chat-1@imc.test'), memberUri('sip:b@imc.test')), {
      type: 'RoomDestroyed',
      data: { room: roomUri('sip:chat-2@imc.test'), by: memberUri('sip:a@imc.test'), cause: 'exit' },
    });
    const { rooms, members, left } = await run(from);
    assert.deepEqual([rooms, members], [0, 0]);
    assert.deepEqual(left, [
      'member sip:b@imc.test of sip:chat-1@imc.test: it was imported before, and has left since',
      'room sip:chat-2@imc.test: it was imported before, and destroyed since',
    ]);
    assert.deepEqual(await inLog(), ['sip:chat-1@imc.test sip:a@imc.test=owner']);
  });

  it('adds to a room that lives what only the tables have', async () => {
    await run(tables([['chat-1', 'imc.test', 0]], [['a', 'imc.test', 'sip:chat-1@imc.test', 1]]));
    const later = await run(
      tables(
        [['chat-1', 'imc.test', 0]],
        [
          ['z', 'imc.test', 'sip:chat-1@imc.test', 1],
          ['a', 'imc.test', 'sip:chat-1@imc.test', 2],
          ['b', 'imc.test', 'sip:chat-1@imc.test', 4],
        ],
      ),
    );
    assert.deepEqual(await inLog(), [
      'sip:chat-1@imc.test sip:a@imc.test=owner sip:z@imc.test=admin sip:b@imc.test=invited',
    ]);
    assert.deepEqual(later.left, [
      'member sip:z@imc.test of sip:chat-1@imc.test: owner in the table, becomes admin: the room has another owner',
      'member sip:a@imc.test of sip:chat-1@imc.test: admin in the table, stays owner as the log has it',
    ]);
  });

  it('lists what is no room or member of ours, and leaves it alone', async () => {
    const long = `chat-${'9'.repeat(59)}`;
    const room = (name: string) => `sip:${name}@imc.test`;
    const { rooms, members, left } = await run(
      tables(
        [
          ['chat-1', 'imc.test', 0],
          ['CHAT-1', 'imc.test', 0],
          ['chat-2', 'imc.test', 0],
          ['chat-3', 'imc.test', 0],
          ['chat-4', 'imc.test', 2],
          ['chat-5', 'imc.test', 8],
          [long, 'imc.test', 0],
          ['lobby', 'imc.test', 0],
          ['sip:chat-6@imc.test', 'imc.test', 0],
        ],
        [
          ['a', 'imc.test', room('chat-1'), 1],
          ['A', 'imc.test', room('chat-1'), 0],
          ['b', 'imc.test', room('chat-1'), 1],
          ['c', 'imc.test', room('chat-1'), 8],
          ['d@e', 'imc.test', room('chat-1'), 0],
          ['f', 'imc.test', room('CHAT-1'), 1],
          ['g', 'imc.test', room('chat-3'), 0],
          ['h', 'imc.test', room('chat-9'), 1],
          ['i', 'imc test', room('chat-1'), 0],
        ],
      ),
    );
    assert.deepEqual([rooms, members], [1, 2]);
    assert.deepEqual(await inLog(), ['sip:chat-1@imc.test sip:a@imc.test=owner sip:b@imc.test=admin']);
    assert.deepEqual(left, [
      'member sip:A@imc.test of sip:chat-1@imc.test: the same user stands in the room already',
      'member sip:b@imc.test of sip:chat-1@imc.test: a second owner; becomes admin',
      'member sip:c@imc.test of sip:chat-1@imc.test: it is marked as deleted',
      'member sip:d@e@imc.test of sip:chat-1@imc.test: its name cannot stand in a SIP URI',
      'member sip:i@imc test of sip:chat-1@imc.test: it is no SIP URI',
      'room sip:CHAT-1@imc.test: it is the same room as sip:chat-1@imc.test, which stands before it',
      'room sip:chat-2@imc.test: it has no members',
      'room sip:chat-3@imc.test: it has members and no owner',
      'room sip:chat-4@imc.test: it is marked as deleted',
      'room sip:chat-5@imc.test: its flag 8 is not known',
      `room sip:${long}@imc.test: The room's whole URI is 77 characters long, and 64 are possible`,
      'room sip:lobby@imc.test: its name is no room here',
      'room sip:sip:chat-6@imc.test@imc.test: its name cannot stand in a SIP URI',
      'member sip:f@imc.test of sip:CHAT-1@imc.test: its room is left out',
      'member sip:h@imc.test of sip:chat-9@imc.test: there is no room sip:chat-9@imc.test',
    ]);
  });

  it('takes a NULL for no name: the row is listed', async () => {
    const file = join(folder, 'loose.db');
    const db = new DatabaseSync(file);
    db.exec(`CREATE TABLE imc_rooms (id INTEGER PRIMARY KEY, name TEXT, domain TEXT, flag INTEGER);
      CREATE TABLE imc_members (id INTEGER PRIMARY KEY, username TEXT, domain TEXT, room TEXT, flag INTEGER);
      INSERT INTO imc_rooms (name, domain, flag) VALUES
        ('chat-1', 'imc.test', 0), ('chat-2', 'imc.test', 0), (NULL, 'imc.test', 0), ('chat-3', 'imc.test', NULL);
      INSERT INTO imc_members (username, domain, room, flag) VALUES
        ('null', 'imc.test', 'sip:chat-1@imc.test', 1), (NULL, 'imc.test', 'sip:chat-1@imc.test', 0),
        ('a', NULL, 'sip:chat-1@imc.test', 0), ('b', 'imc.test', NULL, 0), ('c', 'imc.test', 'sip:chat-1@imc.test', NULL),
        (NULL, 'imc.test', 'sip:chat-2@imc.test', 1), ('d', 'imc.test', 'sip:chat-2@imc.test', 0),
        ('e', 'imc.test', 'sip:NULL@imc.test', 1);`);
    db.close();
    const { rooms, members, left } = await run(`sqlite:${file}`);
    assert.deepEqual([rooms, members], [1, 1]);
    assert.deepEqual(await inLog(), ['sip:chat-1@imc.test sip:null@imc.test=owner']);
    assert.deepEqual(left, [
      'room sip:NULL@imc.test: its name is NULL',
      'room sip:chat-3@imc.test: its flag is NULL',
      'member sip:NULL@imc.test of sip:chat-1@imc.test: its username is NULL',
      'member sip:a@NULL of sip:chat-1@imc.test: its domain is NULL',
      'member sip:b@imc.test of NULL: its room is NULL',
      'member sip:c@imc.test of sip:chat-1@imc.test: its flag is NULL',
      'member sip:NULL@imc.test of sip:chat-2@imc.test: its username is NULL',
      'room sip:chat-2@imc.test: it has members and no owner',
      'member sip:e@imc.test of sip:NULL@imc.test: there is no room sip:NULL@imc.test',
    ]);
  });

  it('says what is wrong with tables that it cannot read', async () => {
    const from = tables([], [], 3);
    await assert.rejects(run(from), /imc_\w+ has version 3; known are 1 \(Kamailio\) and 2 \(OpenSIPS\)/);
    const db = new DatabaseSync(join(folder, 'imc.db'));
    db.exec('DROP TABLE version; DROP TABLE imc_members');
    db.close();
    await assert.rejects(run(from), /There is no table imc_members/);
    await assert.rejects(run(`sqlite:${join(folder, 'none.db')}`), /unable to open/);
  });
});
