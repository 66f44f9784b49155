import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import type { Position, StoredEvent } from '../../src/ports/event-store.ts';
import { createRooms, type Rooms } from '../../src/read-models/rooms.ts';
import { readSnapshot, snapshotSchema, writeSnapshot } from '../../src/read-models/snapshot.ts';
import { fieldsOf } from '../../src/room/codec-fields.ts';
import { roomEvents } from '../../src/room/events.ts';
import { Enrolled, Invited, RoomProperties } from '../../src/room/room.ts';
import { roomPrefix } from '../../src/room/stream.ts';
import { systemClock } from '../../src/runtime/clock.ts';

const folder = mkdtempSync(join(tmpdir(), 'imcd-snapshot-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const newFile = (): string => {
  files += 1;
  return join(folder, `${files}.snapshot`);
};

const identity = '0b9a4f2e-0000-4000-8000-000000000001';
const positionOf = (n: number): Position => String(n).padStart(12, '0') as Position;
const comparePositions = (a: Position, b: Position): number => (a < b ? -1 : a > b ? 1 : 0);
const now = Date.UTC(2026, 10, 23, 12);

/** A log of rooms' events, as a store would give it: revisions counted per stream, positions over all. */
const createLog = () => {
  const events: StoredEvent[] = [];
  const revisions = new Map<string, bigint>();
  const add = (room: number, type: string, data: object, at = now): StoredEvent => {
    const stream = `${roomPrefix}chat-${room}@example.org`;
    const revision = (revisions.get(stream) ?? -1n) + 1n;
    revisions.set(stream, revision);
    const time = new Date(at).toISOString();
    const actor = 'sip:alice@example.org';
    const event: StoredEvent = {
      id: `00000000-0000-4000-8000-${String(events.length).padStart(12, '0')}`,
      stream,
      revision,
      position: positionOf(events.length),
      type,
      time,
      data: { room: `sip:chat-${room}@example.org`, ...data },
      metadata: {
        $correlationId: `call-${events.length}`,
        $causationId: `call-${events.length}`,
        version: 1,
        actor,
        source: 'test',
        node: 'test',
        time,
        callId: `call-${events.length}`,
        cseq: '1 MESSAGE',
        fromTag: 'tag',
      },
    };
    events.push(event);
    return event;
  };
  return { events, add };
};

const create = (owner: string) =>
  ['RoomCreated', { owner: `sip:${owner}@example.org`, private: false, cause: 'create' }] as const;
const joined = (user: string) => ['MemberJoined', { member: `sip:${user}@example.org` }] as const;
const invite = (user: string) =>
  ['MemberInvited', { member: `sip:${user}@example.org`, by: 'sip:alice@example.org', scheme: 'sips' }] as const;
const promote = (user: string) =>
  ['RoleChanged', { member: `sip:${user}@example.org`, role: 'admin', by: 'sip:alice@example.org' }] as const;
const topic = (text: string) => ['TopicChanged', { topic: text, by: 'sip:alice@example.org' }] as const;
const destroy = () => ['RoomDestroyed', { by: 'sip:alice@example.org', cause: 'destroy' }] as const;

/** All that the rooms know, in a form that compares. */
const stateOf = (rooms: Rooms) => {
  const records = [];
  for (let bucket = 0; bucket < rooms.buckets; bucket += 1) {
    for (const { key, revision, room } of rooms.dump(bucket)) {
      records.push([key, revision, room && { ...room, members: [...room.members] }] as const);
    }
  }
  records.sort(([a], [b]) => (a < b ? -1 : 1));
  return { size: rooms.size, records, requests: [...rooms.requests.entries()].sort() };
};

const fill = (rooms: Rooms, events: readonly StoredEvent[]): void => {
  for (const event of events) rooms.apply(event, now);
};

const load = (file: string, rooms: Rooms, end: Position | undefined, of = identity) =>
  readSnapshot({ file, rooms, identity: of, end, comparePositions, now });

describe('the schema of snapshots', () => {
  it('rises with what a room is and with what it is made of, so that no older imcd takes one over and loses something', () => {
    const fields = [RoomProperties, Enrolled, Invited].map((codec) => fieldsOf(codec).map(([name]) => name));
    const events = Object.fromEntries(Object.entries(roomEvents).map(([type, { version }]) => [type, version]));
    assert.deepEqual(
      { schema: snapshotSchema, fields, events },
      {
        schema: 2,
        fields: [
          ['uri', 'private', 'topic'],
          ['uri', 'role', 'since', 'scheme'],
          ['uri', 'role', 'since', 'inviter', 'scheme'],
        ],
        events: {
          RoomCreated: 1,
          MemberJoined: 1,
          MemberInvited: 1,
          InvitationAccepted: 1,
          InvitationDenied: 1,
          InvitationWithdrawn: 1,
          MemberRemoved: 1,
          MemberExited: 1,
          MemberAdded: 1,
          RoleChanged: 1,
          TopicChanged: 1,
          RoomDestroyed: 1,
        },
      },
    );
  });
});

describe('snapshots of the rooms', () => {
  it('bring back all: topics, members, roles, invitations, sips, revisions of destroyed rooms, recent requests', async () => {
    const log = createLog();
    for (const [type, data] of [create('alice'), joined('Bob'), promote('Bob'), invite('carol'), joined('dave')])
      log.add(1, type, data);
    for (const [type, data] of [create('alice'), destroy()]) log.add(2, type, data);
    log.add(1, ...topic(' two  blanks, \u043e\u0431\u0435\u0434 '));
    log.add(3, ...create('eve'), now - 3_600_000);
    const rooms = createRooms(2);
    fill(rooms, log.events);
    const file = newFile();
    await writeSnapshot({ file, rooms, clock: systemClock, identity, position: positionOf(8) });
    const loaded = createRooms(4);
    const outcome = load(file, loaded, positionOf(8));
    assert.deepEqual(outcome, { kind: 'loaded', position: positionOf(8), reread: [] });
    assert.deepEqual(stateOf(loaded), stateOf(rooms));
    assert.equal(loaded.requests.size, 8, 'the request of an hour ago is forgotten');
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it('are whole although rooms come, go and change while they are written: with the events after them, as a replay', async () => {
    const commands = fc.array(fc.tuple(fc.nat(150), fc.nat(3)), { minLength: 1_200, maxLength: 1_600 });
    await fc.assert(
      fc.asyncProperty(commands, fc.integer({ min: 300, max: 900 }), async (steps, at) => {
        const log = createLog();
        const alive = new Set<number>();
        const step = ([room, what]: readonly [number, number]) => {
          if (!alive.has(room)) {
            alive.add(room);
            return log.add(room, ...create('alice'));
          }
          if (what === 0) {
            alive.delete(room);
            return log.add(room, ...destroy());
          }
          const [type, data] = what < 2 ? joined(`user${what}`) : invite(`guest${what}`);
          return log.add(room, type, data);
        };
        const rooms = createRooms(1);
        for (const one of steps.slice(0, at)) rooms.apply(step(one), now);
        const file = newFile();
        const later = steps.slice(at);
        // A clock by which every slice is over at once: changes come between any two slices of 32 rooms.
        let time = 0;
        const clock = {
          ...systemClock,
          monotonic: () => {
            for (const one of later.splice(0, 40)) rooms.apply(step(one), now);
            time += 10;
            return time;
          },
        };
        await writeSnapshot({ file, rooms, clock, identity, position: positionOf(at - 1) });
        for (const one of later) rooms.apply(step(one), now);
        const restarted = createRooms(1);
        assert.equal(load(file, restarted, positionOf(log.events.length)).kind, 'loaded');
        for (const event of log.events.slice(at)) assert.notEqual(restarted.apply(event, now), 'gap');
        const { size, records } = stateOf(restarted);
        const whole = stateOf(rooms);
        assert.deepEqual({ size, records }, { size: whole.size, records: whole.records });
      }),
      { numRuns: 30 },
    );
  });

  it('take no room over that was stopped: it is to be read anew', async () => {
    const log = createLog();
    log.add(1, ...create('alice'));
    log.add(1, 'MemberTeleported', {});
    log.add(2, ...create('alice'));
    const rooms = createRooms(2);
    fill(rooms, log.events);
    const file = newFile();
    await writeSnapshot({ file, rooms, clock: systemClock, identity, position: positionOf(2) });
    const loaded = createRooms(2);
    const outcome = load(file, loaded, positionOf(2));
    assert.deepEqual(outcome.kind === 'loaded' && outcome.reread, ['chat-1@example.org']);
    assert.equal(loaded.size, 1);
  });

  describe('are ignored, with a sentence, and leave the rooms empty', () => {
    const written = async (): Promise<string> => {
      const log = createLog();
      for (let room = 0; room < 50; room += 1) log.add(room, ...create('alice'));
      const rooms = createRooms(2);
      fill(rooms, log.events);
      const file = newFile();
      await writeSnapshot({ file, rooms, clock: systemClock, identity, position: positionOf(49) });
      return file;
    };
    const refused = (file: string, why: RegExp, end: Position | undefined = positionOf(49), of = identity): void => {
      const rooms = createRooms(2);
      const outcome = load(file, rooms, end, of);
      assert.ok(outcome.kind === 'ignored', outcome.kind);
      assert.match(outcome.why, why);
      assert.equal(rooms.size, 0);
    };

    it('where a byte has changed, anywhere', async () => {
      const file = await written();
      const whole = readFileSync(file);
      for (let at = 10; at < whole.length; at += 97) {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        writeFileSync(file, bytes);
        refused(file, /damaged|another log|ahead|schema|cannot be read/);
      }
    });
    it('where the end is missing, or something follows it', async () => {
      const file = await written();
      const whole = readFileSync(file);
      for (const length of [0, 1, 100, whole.length - 1, whole.length - 100]) {
        writeFileSync(file, whole.subarray(0, length));
        refused(file, /damaged/);
      }
      writeFileSync(file, whole);
      appendFileSync(file, 'x\n');
      refused(file, /damaged/);
    });
    it('where it is of another schema', async () => {
      const file = await written();
      writeFileSync(file, readFileSync(file, 'utf8').replace('"schema":2', '"schema":0'));
      refused(file, /schema 0/);
    });
    it('where it belongs to another log', async () => {
      refused(await written(), /another log/, positionOf(49), '0b9a4f2e-0000-4000-8000-000000000002');
    });
    it('where the log ends before it', async () => {
      const file = await written();
      refused(file, /ahead of the log/, positionOf(48));
      const rooms = createRooms(2);
      assert.equal(load(file, rooms, positionOf(50)).kind, 'loaded');
    });
  });

  it('that are not there are no trouble', () => {
    assert.deepEqual(load(newFile(), createRooms(2), positionOf(1)), { kind: 'none' });
  });

  it('leave the old one in place where they cannot be written', async () => {
    const log = createLog();
    log.add(1, ...create('alice'));
    const rooms = createRooms(2);
    fill(rooms, log.events);
    await assert.rejects(
      writeSnapshot({
        file: join(folder, 'nowhere', 'x'),
        rooms,
        clock: systemClock,
        identity,
        position: positionOf(0),
      }),
      /ENOENT/,
    );
  });
});
