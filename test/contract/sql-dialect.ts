import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { sql } from 'kysely';
import { systemClock } from '../../src/runtime/clock.ts';
import type { SqlDialect } from '../../src/sql/database/settings.ts';
import { differences } from '../../src/sql/mirror/tables.ts';
import {
  append,
  diceOf,
  memberExited,
  memberJoined,
  memberUri,
  randomHistory,
  roomCreated,
  roomUri,
} from '../sql/history.ts';
import { createWorld, untilStatus, type World } from '../sql/world.ts';
import type { DatabaseServer } from '../support/database-server.ts';
import { createPacedClock } from '../support/paced-clock.ts';
import { until } from '../support/until.ts';

const room = roomUri('sip:chat-1@imc.test');
const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((name) => memberUri(`sip:${name}@imc.test`)) as [
  ReturnType<typeof memberUri>,
  ReturnType<typeof memberUri>,
  ReturnType<typeof memberUri>,
];
const by = alice;

/** What every database that the mirror can be kept in must do. Each adapter brings its server, real and its own. */
export const sqlDialectContract = (dialect: SqlDialect, start: () => Promise<DatabaseServer>): void => {
  let server: DatabaseServer;
  let world: World;
  before(async () => {
    server = await start();
  });
  after(() => server.stop());
  beforeEach(async () => {
    world = createWorld(await server.newDatabase());
  });
  afterEach(() => world.end());

  /** All rows as `name domain flag` and `username domain room flag`, in the order of their ids. */
  const rowsOf = async (rooms = 'imc_rooms', members = 'imc_members') => {
    const { db } = await world.session();
    const inRooms = await sql<
      Record<string, string>
    >`SELECT name, domain, flag FROM ${sql.id(rooms)} ORDER BY id`.execute(db);
    const inMembers = await sql<Record<string, string>>`
      SELECT username, domain, room, flag FROM ${sql.id(members)} ORDER BY id`.execute(db);
    return [inRooms, inMembers].map(({ rows }) => rows.map((row) => Object.values(row).join(' ')));
  };
  const agrees = async () => assert.deepEqual((await world.compare()).differences, []);

  it('is the dialect that it says', async () => {
    assert.equal((await world.session()).dialect, dialect);
  });

  describe('tables', () => {
    for (const tableVersion of [2, 1] as const) {
      it(`are made in the module's shape, with version ${tableVersion}`, async () => {
        await world.caughtUp(world.mirror({ tableVersion }));
        const session = await world.session();
        for (const kind of ['rooms', 'members'] as const) {
          const shape = await session.shape(`imc_${kind}`);
          assert.deepEqual(shape === undefined ? undefined : differences(kind, `imc_${kind}`, shape), []);
        }
        const { rows } = await sql<{ table_name: string; table_version: number }>`
          SELECT table_name, table_version FROM version ORDER BY table_name`.execute(session.db);
        assert.deepEqual(
          rows.map((row) => [row.table_name.trim(), row.table_version]),
          [
            ['imc_members', tableVersion],
            ['imc_rooms', tableVersion],
          ],
        );
      });
    }

    it('may have any name', async () => {
      const names = { roomsTable: 'r"o`o\'m\\s; DROP -- $1 ?', membersTable: 'Members.of é' };
      const mirror = world.mirror(names);
      await append(world.store, roomCreated(room, alice), memberJoined(room, bob), memberExited(room, bob));
      await world.caughtUp(mirror);
      await world.rebuild(names);
      await append(world.store, memberJoined(room, carol));
      await world.caughtUp(mirror);
      assert.deepEqual(await rowsOf(names.roomsTable, names.membersTable), [
        ['chat-1 imc.test 0'],
        ['alice imc.test sip:chat-1@imc.test 1', 'carol imc.test sip:chat-1@imc.test 0'],
      ]);
      assert.deepEqual((await world.compare(names)).differences, []);
    });

    it('of another shape stop the mirror, which says how they differ and leaves them alone', async () => {
      const { db, shape } = await world.session();
      await sql`CREATE TABLE imc_rooms (id INTEGER NOT NULL, name CHAR(32) NOT NULL, topic CHAR(64))`.execute(db);
      await sql`INSERT INTO imc_rooms (id, name) VALUES (7, 'lobby')`.execute(db);
      const as = await shape('imc_rooms');
      const mirror = world.mirror();
      await untilStatus(mirror, ({ state }) => state === 'stopped');
      const { reason = '' } = mirror.status();
      for (const difference of ['column name is char(32)', 'no column domain', 'a column topic', 'no unique key']) {
        assert.ok(reason.includes(difference), `${difference}: ${reason}`);
      }
      assert.equal(world.lines.length, 1);
      assert.deepEqual(await shape('imc_rooms'), as);
      assert.equal(await shape('imc_members'), undefined);
    });

    it('with rows of another program stop the mirror', async () => {
      const before = world.mirror();
      await world.caughtUp(before);
      await before.stop();
      const { db } = await world.session();
      await sql`DROP TABLE imc_rooms_checkpoint`.execute(db);
      await sql`INSERT INTO imc_rooms (name, domain, flag) VALUES ('chat-9', 'imc.test', 0)`.execute(db);
      const mirror = world.mirror();
      await untilStatus(mirror, ({ state }) => state === 'stopped');
      assert.match(mirror.status().reason ?? '', /imc_rooms holds rows that imcd has not written/);
      await assert.rejects(world.rebuild(), /holds rows that imcd has not written/);
    });
  });

  describe('rows', () => {
    it('follow a history of everything that can happen, whatever the batches', async () => {
      const history = randomHistory(diceOf(1));
      const some = (n: number) => Array.from({ length: n }, () => history.next().value);
      await append(world.store, ...some(1_500));
      const mirror = world.mirror();
      await world.caughtUp(mirror);
      await agrees();
      for (let n = 0; n < 60; n += 1) {
        await append(world.store, ...some(1 + (n % 7)));
        if (n % 3 === 0) await world.caughtUp(mirror);
        if (n % 20 === 0) await agrees();
      }
      await world.caughtUp(mirror);
      await agrees();
      assert.equal(mirror.status().damaged, false);
      assert.deepEqual(world.lines, []);
    });

    it('stand owner first, also after the room was handed over', async () => {
      const mirror = world.mirror();
      await append(world.store, roomCreated(room, alice, true), memberJoined(room, bob), memberJoined(room, carol));
      await world.caughtUp(mirror);
      await append(world.store, { type: 'RoleChanged', data: { room, member: carol, role: 'owner', by } });
      await world.caughtUp(mirror);
      assert.deepEqual(await rowsOf(), [
        ['chat-1 imc.test 1'],
        [
          'carol imc.test sip:chat-1@imc.test 1',
          'alice imc.test sip:chat-1@imc.test 2',
          'bob imc.test sip:chat-1@imc.test 0',
        ],
      ]);
    });

    it('hold any name that a URI can hold, apart by each byte', async () => {
      const mirror = world.mirror();
      const marks = "-_.!~*'()&=+$,;?/";
      const limit = roomUri(`sip:chat-${'9'.repeat(41)}@imc.example`);
      const users = [
        `sip:${marks}@imc.test`,
        `sip:${'x'.repeat(64)}@${'y'.repeat(60)}.org`,
        'sip:%22%5C%25%60%23@imc.test',
        'sip:%F0%9F%90%98%C3%A9@imc.test',
        'sip:a%20@imc.test',
        'sip:a@imc.test',
        'sip:a@[2001:db8::1]',
        'sip:Anna@IMC.test',
      ].map(memberUri);
      assert.equal(limit.length, 62);
      await append(world.store, roomCreated(limit, alice), ...users.map((user) => memberJoined(limit, user)));
      await append(world.store, roomCreated(roomUri('sip:Chat-1@imc.test'), alice));
      await world.caughtUp(mirror);
      const [, members] = await rowsOf();
      for (const user of users) {
        const [name = '', domain = ''] = user.slice(4).split('@');
        assert.ok(members?.includes(`${name} ${domain} ${limit} 0`), user);
      }
      await append(world.store, ...users.map((user) => memberExited(limit, user)));
      await world.caughtUp(mirror);
      await agrees();
      assert.equal(mirror.status().damaged, false);
      assert.equal((await rowsOf())[1]?.length, 2);
    });

    it('follow the log without a wait of their own: nothing between an event and its rows hangs on a timer', async () => {
      // Timers never fire here. What is left is the database's own time, which the benchmark `mirror` shows.
      const mirror = world.mirror({ clock: { ...systemClock, after: () => ({ cancel: () => {} }) } });
      await append(world.store, roomCreated(room, alice));
      await world.caughtUp(mirror);
      const { db } = await world.session();
      for (let n = 1; n <= 15; n += 1) {
        await append(world.store, memberJoined(room, memberUri(`sip:user${n}@imc.test`)));
        await until('the row is there', async () => {
          const { rows } = await sql<{ n: number }>`SELECT count(*) AS n FROM imc_members`.execute(db);
          return Number(rows[0]?.n) === n + 1;
        });
      }
    });
  });

  describe('trouble', () => {
    it('in the tables is an alarm; verify lists it and rebuild heals it while the mirror works', async () => {
      const mirror = world.mirror();
      const other = roomUri('sip:chat-2@imc.test');
      await append(world.store, roomCreated(room, alice), memberJoined(room, bob), roomCreated(other, carol));
      await world.caughtUp(mirror);
      const { db } = await world.session();
      await sql`DELETE FROM imc_members WHERE username = 'bob'`.execute(db);
      await sql`DELETE FROM imc_rooms WHERE name = 'chat-2'`.execute(db);
      await append(world.store, memberExited(room, bob), memberJoined(other, bob));
      await world.caughtUp(mirror);
      assert.equal(mirror.counters.missingRows, 2);
      assert.equal(mirror.status().damaged, true);
      assert.equal(world.lines.length, 1);
      assert.deepEqual((await world.compare()).differences, [
        'room sip:chat-2@imc.test is in the log, and has no row',
        'room sip:chat-2@imc.test: member sip:bob@imc.test is in the log, and has no row',
      ]);
      await world.rebuild();
      await agrees();
      await append(world.store, memberJoined(room, bob));
      await untilStatus(mirror, ({ state, damaged }) => state === 'live' && !damaged);
      await world.caughtUp(mirror);
      await agrees();
    });

    it('of a change that cannot be written stops the mirror aloud', async () => {
      const mirror = world.mirror();
      await append(world.store, roomCreated(room, alice));
      await world.caughtUp(mirror);
      const { db } = await world.session();
      await sql`INSERT INTO imc_members (username, domain, room, flag) VALUES ('bob', 'imc.test', ${room}, 0)`.execute(
        db,
      );
      await append(world.store, memberJoined(room, bob));
      await untilStatus(mirror, ({ state }) => state === 'stopped');
      assert.match(mirror.status().reason ?? '', /cannot succeed/);
      assert.equal(mirror.counters.stops, 1);
      assert.ok(mirror.status().lagSeconds > 0);
    });

    it('of an event that this version does not know stops the mirror there', async () => {
      await append(world.store, roomCreated(room, alice), {
        ...memberJoined(room, bob),
        type: 'MemberPraised',
      } as never);
      const mirror = world.mirror();
      await untilStatus(mirror, ({ state }) => state === 'stopped');
      assert.match(mirror.status().reason ?? '', /event 1 of room-chat-1@imc\.test is not known/);
      assert.deepEqual((await rowsOf())[1], ['alice imc.test sip:chat-1@imc.test 1']);
    });

    it('of another log stops the mirror; rebuild takes the tables over', async () => {
      await append(world.store, roomCreated(room, alice));
      const before = world.mirror();
      await world.caughtUp(before);
      await before.stop();
      const { db } = await world.session();
      await sql`UPDATE imc_rooms_checkpoint SET log = 'another'`.execute(db);
      // A mirror that has stopped looks again every 10 s: here time runs faster.
      const clock = createPacedClock(50);
      const mirror = world.mirror({ clock });
      await untilStatus(mirror, ({ state }) => state === 'stopped');
      assert.match(mirror.status().reason ?? '', /another log/);
      assert.match((await world.compare()).differences[0] ?? '', /another log/);
      await world.rebuild();
      await world.caughtUp(mirror);
      await agrees();
    });

    it('of rows that somebody else has locked is waited for', async () => {
      const mirror = world.mirror();
      await append(world.store, roomCreated(room, alice));
      await world.caughtUp(mirror);
      const { db } = await world.session();
      await db.transaction().execute(async (trx) => {
        await sql`UPDATE imc_rooms_checkpoint SET log = log`.execute(trx);
        await append(world.store, memberJoined(room, bob));
        // Longer than any of the databases lets a statement wait for a lock.
        await until('it has tried again', () => mirror.counters.retries > 0);
      });
      await world.caughtUp(mirror);
      assert.equal(mirror.counters.connectionsLost, 0);
      await agrees();
    });

    it('of a database that takes what it is sent and says nothing is waited for', async () => {
      // Silence of 30 s ends a session: here time runs faster.
      const mirror = world.mirror({ clock: createPacedClock(20) });
      await append(world.store, roomCreated(room, alice));
      await world.caughtUp(mirror);
      server.freeze(true);
      try {
        await append(world.store, memberJoined(room, bob));
        await untilStatus(mirror, ({ state }) => state === 'connecting');
      } finally {
        server.freeze(false);
      }
      await world.caughtUp(mirror);
      assert.ok(mirror.counters.connectionsLost > 0);
      await agrees();
    });

    it('of the database itself is waited for', async () => {
      const mirror = world.mirror();
      await append(world.store, roomCreated(room, alice));
      await world.caughtUp(mirror);
      await server.kill();
      await append(world.store, memberJoined(room, bob), memberJoined(room, carol));
      await untilStatus(mirror, ({ lagSeconds }) => lagSeconds > 0.2);
      await server.restart();
      await world.caughtUp(mirror);
      assert.equal(mirror.status().lagSeconds, 0);
      await agrees();
    });
  });

  describe('several nodes', () => {
    it('lead one at a time, and another takes over', async () => {
      const first = world.mirror();
      await append(world.store, roomCreated(room, alice));
      await world.caughtUp(first);
      const clock = createPacedClock();
      const second = world.mirror({ clock });
      await untilStatus(second, ({ state }) => state === 'waiting');
      await append(world.store, memberJoined(room, bob));
      await world.caughtUp(first);
      assert.equal(second.counters.transactions, 0);
      await first.stop();
      clock.waited = 0;
      await append(world.store, memberJoined(room, carol));
      await untilStatus(second, ({ state }) => state === 'live');
      assert.ok(clock.waited < 5_000, `it waited ${clock.waited} ms`);
      await world.caughtUp(second);
      await agrees();
    });

    it('agree while one rebuilds and the other writes', async () => {
      const mirror = world.mirror();
      const history = randomHistory(diceOf(2), 20, 20);
      const some = (n: number) => Array.from({ length: n }, () => history.next().value);
      await append(world.store, ...some(500));
      for (let n = 0; n < 3; n += 1) {
        const rebuilt = world.rebuild();
        for (let m = 0; m < 20; m += 1) await append(world.store, ...some(10));
        await rebuilt;
      }
      await append(world.store, ...some(10));
      await world.caughtUp(mirror);
      await agrees();
      assert.deepEqual(world.lines, []);
    });
  });
};
