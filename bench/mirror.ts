import { randomUUID } from 'node:crypto';
import * as E from 'fp-ts/lib/Either.js';
import type { EventStore, NewEvent } from '../src/ports/event-store.ts';
import { type MemberUri, memberKey, type RoomUri, roomKey } from '../src/room/address.ts';
import type { RoomEvent } from '../src/room/events.ts';
import { streamOf } from '../src/room/stream.ts';
import { systemClock } from '../src/runtime/clock.ts';
import { randomIds } from '../src/runtime/ids.ts';
import { compareMirror } from '../src/sql/mirror/compare.ts';
import { createMirror } from '../src/sql/mirror/mirror.ts';
import { rebuildMirror } from '../src/sql/mirror/rebuild.ts';
import { createMemoryStore } from '../src/store/memory.ts';
import { type Dice, diceOf, memberJoined, memberUri, roomCreated, roomUri } from '../test/sql/history.ts';
import { pathOf } from '../test/support/component.ts';
import type { DatabaseServer } from '../test/support/database-server.ts';
import { startMariadb } from '../test/support/mariadb.ts';
import { startPostgres } from '../test/support/postgres.ts';
import { startSqlite } from '../test/support/sqlite-file.ts';
import { databaseAt } from '../test/support/urls.ts';

/**
 * `npm run bench -- mirror [sqlite|mariadb|postgres ...]`: how fast the mirror catches up with 200,000 membership events in
 * 2,000 rooms, and how long a rebuild of 10,000 rooms of 10 members takes. Databases are started here, with their defaults.
 * Afterwards each mirror is compared with the log: a fast mirror that is wrong is no result.
 */
export const run = async (args: readonly string[]): Promise<unknown> => {
  const servers: Readonly<
    Record<string, { readonly program?: string; readonly start: () => Promise<DatabaseServer> }>
  > = {
    sqlite: { start: startSqlite },
    mariadb: { program: 'mariadbd', start: () => startMariadb() },
    postgres: { program: 'postgres', start: () => startPostgres() },
  };
  const results: Record<string, unknown> = {};
  for (const name of args.length === 0 ? Object.keys(servers) : args) {
    const entry = servers[name];
    if (entry === undefined)
      throw new Error(`unknown database ${name}; possible are ${Object.keys(servers).join(', ')}`);
    if (entry.program !== undefined && pathOf(entry.program) === undefined) {
      results[name] = `${entry.program} is not installed`;
      continue;
    }
    const server = await entry.start();
    try {
      results[name] = { catchUp: await catchUp(server), rebuild: await rebuild(server) };
    } finally {
      await server.stop();
    }
  }
  return results;
};

const log = { debug: () => {}, info: () => {}, warn: console.error, error: console.error };
const tables = { roomsTable: 'imc_rooms', membersTable: 'imc_members', tableVersion: 2 } as const;
const ids = randomIds();

/** Twice into the same server: the first is the warm-up of the compiler and of the database's files. */
const catchUp = async (server: DatabaseServer) => {
  const store = createMemoryStore(ids);
  await fill(store, membership(diceOf(1), 2_000, 200_000));
  await follow(server, store);
  return follow(server, store);
};

const follow = async (server: DatabaseServer, store: EventStore) => {
  const database = databaseAt(await server.newDatabase());
  const end = await store.end();
  if (E.isLeft(end) || end.right === undefined) throw new Error('the log is empty');
  globalThis.gc?.();
  const before = process.memoryUsage();
  const cpu = process.cpuUsage();
  const begin = performance.now();
  const mirror = right(createMirror({ ...tables, store, clock: systemClock, ids, log, database }));
  let mostRss = before.rss;
  let longestStall = 0;
  while (mirror.status().position !== end.right || mirror.status().state !== 'live') {
    const slept = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 1));
    longestStall = Math.max(longestStall, performance.now() - slept - 1);
    mostRss = Math.max(mostRss, process.memoryUsage.rss());
    if (mirror.status().state === 'stopped') throw new Error(mirror.status().reason);
  }
  const seconds = (performance.now() - begin) / 1000;
  const used = process.cpuUsage(cpu);
  await mirror.stop();
  const compared = right(await compareMirror({ ...tables, store, database })());
  return {
    events: mirror.counters.eventsWritten,
    eventsPerSecond: Math.round(mirror.counters.eventsWritten / seconds),
    transactions: mirror.counters.transactions,
    cpuSeconds: round((used.user + used.system) / 1e6),
    rssGrowthMb: Math.round((mostRss - before.rss) / 2 ** 20),
    longestStallMs: round(longestStall),
    rows: compared.rooms + compared.members,
    differences: compared.differences.length,
  };
};

const rebuild = async (server: DatabaseServer) => {
  const store = createMemoryStore(ids);
  await fill(store, tenMembersEach(10_000));
  const database = databaseAt(await server.newDatabase());
  const begin = performance.now();
  const rebuilt = right(await rebuildMirror({ ...tables, store, ids, database })());
  const seconds = round((performance.now() - begin) / 1000);
  const compared = right(await compareMirror({ ...tables, store, database })());
  return { rooms: rebuilt.rooms, members: rebuilt.members, seconds, differences: compared.differences.length };
};

const right = <A>(outcome: E.Either<{ readonly message: string }, A>): A => {
  if (E.isLeft(outcome)) throw new Error(outcome.left.message);
  return outcome.right;
};

const round = (n: number): number => Math.round(n * 100) / 100;

function* tenMembersEach(rooms: number): Generator<RoomEvent> {
  for (let n = 0; n < rooms; n += 1) {
    const room = roomUri(`sip:chat-${n}@imc.test`);
    yield roomCreated(room, memberUri('sip:user0@imc.test'));
    for (let m = 1; m < 10; m += 1) yield memberJoined(room, memberUri(`sip:user${m}@imc.test`));
  }
}

/** Joins, exits, invitations and answers to them: two come for one that goes. */
function* membership(dice: Dice, rooms: number, events: number): Generator<RoomEvent> {
  const uris = Array.from({ length: rooms }, (_, n) => roomUri(`sip:chat-${n}@imc.test`));
  const places = new Map<RoomUri, Map<string, 'in' | 'invited'>>(uris.map((uri) => [uri, new Map()]));
  const owner = memberUri('sip:owner@imc.test');
  for (const uri of uris) yield roomCreated(uri, owner);
  for (let n = 0; n < events; n += 1) {
    const room = uris[dice(rooms)] as RoomUri;
    const members = places.get(room) as Map<string, 'in' | 'invited'>;
    const [member, place] = pick(dice, members);
    if (place === undefined) {
      const invited = dice(4) === 0;
      members.set(memberKey(member), invited ? 'invited' : 'in');
      yield invited ? { type: 'MemberInvited', data: { room, member, by: owner } } : memberJoined(room, member);
    } else if (place === 'invited') {
      members.set(memberKey(member), 'in');
      yield { type: 'InvitationAccepted', data: { room, member } };
    } else {
      members.delete(memberKey(member));
      yield { type: 'MemberExited', data: { room, member } };
    }
  }
}

const pick = (dice: Dice, members: Map<string, 'in' | 'invited'>): [MemberUri, 'in' | 'invited' | undefined] => {
  const known = dice(3) === 0 ? [...members.entries()][dice(members.size)] : undefined;
  if (known !== undefined) return [memberUri(`sip:${known[0]}`), known[1]];
  const fresh = memberUri(`sip:user${dice(1_000_000)}@imc.test`);
  return [fresh, members.get(memberKey(fresh))];
};

const fill = async (store: EventStore, events: Iterable<RoomEvent>): Promise<void> => {
  const ends = new Map<string, bigint>();
  const time = new Date().toISOString();
  for (const { type, data } of events) {
    const stream = streamOf(roomKey(data.room));
    const metadata = {
      $correlationId: '4e7b7c1c-4f0c-4b9a-8a5e-0d6f0a3c9f11',
      $causationId: '4e7b7c1c-4f0c-4b9a-8a5e-0d6f0a3c9f11',
      version: 1,
      actor: 'sip:owner@imc.test',
      source: 'udp:127.0.0.1:5060',
      node: 'bench',
      time,
    };
    const event: NewEvent = { id: randomUUID(), type, data, metadata };
    const done = await store.append(stream, ends.get(stream) ?? 'no_stream', [event])();
    if (E.isLeft(done)) throw new Error(done.left.kind);
    ends.set(stream, done.right.revision);
  }
};
