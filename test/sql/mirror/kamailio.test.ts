import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { sql } from 'kysely';
import type { EventStore } from '../../../src/ports/event-store.ts';
import type { Room } from '../../../src/room/room.ts';
import { randomIds } from '../../../src/runtime/ids.ts';
import { foldLog } from '../../../src/sql/mirror/fold-log.ts';
import { createMemoryStore } from '../../../src/store/memory.ts';
import { component } from '../../support/component.ts';
import type { DatabaseServer } from '../../support/database-server.ts';
import { startKamailioImc } from '../../support/kamailio-imc.ts';
import { startMariadb } from '../../support/mariadb.ts';
import { openSipClient, type SipClient } from '../../support/sip-client.ts';
import { append, memberJoined, memberUri, roomCreated, roomUri } from '../history.ts';
import { importFrom } from '../import-from.ts';
import { createWorld, type World } from '../world.ts';

const [alice, bob, carol, dave] = ['alice', 'Bob', 'carol', 'dave'].map((name) =>
  memberUri(`sip:${name}@imc.test`),
) as [
  ReturnType<typeof memberUri>,
  ReturnType<typeof memberUri>,
  ReturnType<typeof memberUri>,
  ReturnType<typeof memberUri>,
];
const first = roomUri('sip:Chat-1@imc.test');
const second = roomUri('sip:chat-2@imc.test');

const needed = {
  ...component('kamailio', 'kamailio kamailio-mysql-modules'),
  ...component('mariadbd', 'mariadb-server'),
};

describe('Kamailio on a copy of the mirror', needed, () => {
  let server: DatabaseServer;
  let folder: string;
  let url: string;
  let world: World;
  let users: SipClient;
  before(async () => {
    server = await startMariadb();
  });
  after(() => server.stop());
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'imcd-kamailio-'));
    url = await server.newDatabase();
    world = createWorld(url);
    users = await openSipClient();
  });
  afterEach(async () => {
    users.close();
    await world.end();
    rmSync(folder, { recursive: true });
  });

  it('has the same rooms and members, its chat reaches them, and what it leaves is imported', async () => {
    await append(
      world.store,
      roomCreated(first, alice),
      memberJoined(first, bob),
      { type: 'RoleChanged', data: { room: first, member: bob, role: 'admin', by: alice } },
      { type: 'MemberInvited', data: { room: first, member: carol, by: alice } },
      roomCreated(second, carol, true),
      { type: 'MemberAdded', data: { room: second, member: alice, by: carol } },
      { type: 'RoleChanged', data: { room: second, member: alice, role: 'owner', by: carol } },
    );
    const mirror = world.mirror({ tableVersion: 1 });
    await world.caughtUp(mirror);
    await mirror.stop();
    const own = await server.newDatabase();
    const { db } = await world.session();
    const [source, target] = [url, own].map((one) => one.slice(one.lastIndexOf('/') + 1));
    for (const table of ['version', 'imc_rooms', 'imc_members']) {
      await sql`CREATE TABLE ${sql.id(target ?? '', table)} LIKE ${sql.id(source ?? '', table)}`.execute(db);
      await sql`INSERT INTO ${sql.id(target ?? '', table)} SELECT * FROM ${sql.id(source ?? '', table)}`.execute(db);
    }

    const kamailio = await startKamailioImc(folder, own, users);
    try {
      const say = async (from: string, uri: string, body: string): Promise<void> => {
        const { status } = await users.request({ from, uri, body, contentType: 'text/plain' });
        assert.equal(status, 200);
      };
      /** The next copy for a user that holds this. */
      const copy = async (user: string, holds: RegExp): Promise<string> => {
        const { body } = await users.next(
          ({ headers, body }) => headers.to === `<${user}>` && holds.test(String(body)),
        );
        return String(body);
      };
      const ask = async (from: string, to: string, body: string): Promise<string[]> => {
        await say(from, to, body);
        const listed = await copy(from, /^(?:Members|Rooms):/);
        return listed
          .split('\n')
          .slice(1)
          .filter((line) => line !== '')
          .sort();
      };
      assert.deepEqual(await ask(alice, 'sip:chat-manager@imc.test', '#rooms'), ['[Chat-1]', '[chat-2]']);
      assert.deepEqual(await ask(alice, first, '#list'), ['*[alice]', '~[Bob]']);
      assert.deepEqual(await ask(carol, second, '#list'), ['*[alice]', '~[carol]']);

      await say(bob, first, 'good morning');
      assert.equal(await copy(alice, /good morning/), '[Bob]: good morning');

      await say(carol, first, '#accept');
      await say(dave, first, '#join');
    } finally {
      await kamailio.stop();
    }

    const fresh = createMemoryStore(randomIds());
    const { rooms, members, left } = await importFrom(fresh, own);
    assert.deepEqual([rooms, members, left], [2, 6, []]);
    assert.deepEqual(await inWords(fresh), {
      [first]: [`${bob} admin`, `${alice} owner`, `${carol} member`, `${dave} member`],
      [second]: ['private', `${alice} owner`, `${carol} admin`],
    });
    // Back into the log that the mirror came from: only what is new.
    assert.equal((await importFrom(world.store, own)).members, 1);
    assert.ok((await inWords(world.store))[first]?.includes(`${dave} member`));
  });
});

const inWords = async (store: EventStore): Promise<Record<string, string[]>> => {
  const { rooms } = await foldLog(store, 'end');
  const words = (room: Room) => [
    ...(room.private ? ['private'] : []),
    ...[...room.members.values()].map(({ uri, role }) => `${uri} ${role}`).sort(),
  ];
  return Object.fromEntries([...rooms.values()].map((room) => [room.uri, words(room)]));
};
