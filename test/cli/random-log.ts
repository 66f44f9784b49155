import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import type { EventStore, NewEvent } from '../../src/ports/event-store.ts';
import { MemberUri, type RoomKey, RoomUri, roomKey } from '../../src/room/address.ts';
import type { RoomCommand } from '../../src/room/commands.ts';
import { decide } from '../../src/room/decide.ts';
import { evolve } from '../../src/room/fold.ts';
import type { RoomState } from '../../src/room/room.ts';
import { streamOf } from '../../src/room/stream.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { randomIds } from '../../src/runtime/ids.ts';
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import { temporaryFolder } from '../support/imcd.ts';

/** What a room was after one of its events, by the domain's own `evolve`. */
export interface Step {
  readonly key: RoomKey;
  readonly revision: number;
  readonly time: string;
  readonly type: string;
  readonly actor: string;
  readonly touched: ReadonlySet<string>;
  readonly after: RoomState;
}

const uri = (name: string): MemberUri => {
  const text = `sip:${name}@example.org`;
  if (!MemberUri.is(text)) throw new Error(text);
  return text;
};
const roomUri = (name: string): RoomUri => {
  const text = `sip:${name}@example.org`;
  if (!RoomUri.is(text)) throw new Error(text);
  return text;
};

/** Numbers from 0 to 1 that are the same every time (mulberry32). */
const seeded = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** Appends `count` events, by accepted commands of a few users in a few rooms, a second apart. */
export const randomLog = async (store: EventStore, count: number, seed: number): Promise<readonly Step[]> => {
  const random = seeded(seed);
  const pick = <A>(of: readonly A[]): A => {
    const one = of[Math.floor(random() * of.length)];
    if (one === undefined) throw new Error('nothing to pick');
    return one;
  };
  const rooms = ['chat-1', 'chat-2', 'chat-3'].map(roomUri);
  const users = ['alice', 'bob', 'carol', 'dave', 'erin'].map(uri);
  const states = new Map<RoomKey, { state: RoomState; revision: number }>();
  const steps: Step[] = [];
  const begin = Date.UTC(2026, 10, 22, 14, 0, 0);
  while (steps.length < count) {
    const [room, actor, member] = [pick(rooms), pick(users), pick(users)];
    // A type of command that nobody has thought of here does not compile.
    const commands: { readonly [T in RoomCommand['type']]: RoomCommand | undefined } = {
      CreateRoom: { type: 'CreateRoom', room, actor, private: random() < 0.5 },
      JoinRoom: { type: 'JoinRoom', room, actor },
      InviteMember: { type: 'InviteMember', room, actor, member },
      AcceptInvitation: { type: 'AcceptInvitation', room, actor },
      DenyInvitation: { type: 'DenyInvitation', room, actor },
      RemoveMember: { type: 'RemoveMember', room, actor, member },
      ExitRoom: { type: 'ExitRoom', room, actor },
      AddMember: { type: 'AddMember', room, actor, member },
      ChangeRole: { type: 'ChangeRole', room, actor, member, role: pick(['owner', 'admin', 'member'] as const) },
      SetTopic: {
        type: 'SetTopic',
        room,
        actor,
        topic: pick(['', 'lunch', '\u043e\u0431\u0435\u0434', 'sip:bob@example.org']),
      },
      DestroyRoom: random() < 0.1 ? { type: 'DestroyRoom', room, actor } : undefined,
      ListMembers: undefined,
      ShowTopic: undefined,
      WithdrawInvitation: undefined,
    };
    const asked = Object.values(commands).filter((command) => command !== undefined);
    const key = roomKey(room);
    const before = states.get(key) ?? { state: undefined, revision: -1 };
    const decided = decide({ createOnJoin: true, checkOnCreate: false })(pick(asked))(before.state);
    if (E.isLeft(decided)) continue;
    for (const event of decided.right) {
      const time = new Date(begin + steps.length * 1_000).toISOString();
      const revision = before.revision + 1;
      const after = evolve(before.state, event, time);
      const callId = `call-${steps.length}`;
      const ids = { $correlationId: callId, $causationId: callId, callId };
      const metadata = { ...ids, version: 1, actor, source: 'udp:192.0.2.1:5060', node: 'test', time };
      const written: NewEvent = { id: crypto.randomUUID(), type: event.type, data: event.data, metadata };
      const appended = await store.append(streamOf(key), revision === 0 ? 'no_stream' : BigInt(revision - 1), [
        written,
      ])();
      if (E.isLeft(appended)) throw new Error(appended.left.kind);
      // Whom a topic names has had nothing done to them.
      const touched = new Set(
        Object.entries({ ...event.data, actor }).flatMap(([field, value]) =>
          typeof value === 'string' && value.startsWith('sip:') && field !== 'room' && field !== 'topic'
            ? [value.slice(4).toLowerCase()]
            : [],
        ),
      );
      before.state = after;
      before.revision = revision;
      steps.push({ key, revision, time, type: event.type, actor, touched, after });
    }
    states.set(key, before);
  }
  return steps;
};

/** The embedded log of a folder, open for writing. */
export const openLogIn = async (folder: string): Promise<EventStore> => {
  const opened = await openSqliteStore({ file: join(folder, 'log.db'), ids: randomIds(), clock: systemClock })();
  if (E.isLeft(opened)) throw new Error(opened.left.message);
  return opened.right;
};

/** A folder with a log of 300 events, what it should say, and the options that name it. */
export const folderWithLog = async (seed: number) => {
  const data = temporaryFolder();
  const store = await openLogIn(data);
  const steps = await randomLog(store, 300, seed);
  await store.close();
  const others = ['--domains', 'example.org', '--mi.http', 'none', '--db_url', 'none'];
  return { data, steps, others, where: ['--data', data, ...others] };
};
