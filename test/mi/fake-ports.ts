import * as E from 'fp-ts/lib/Either.js';
import type { Answer, Origin } from '../../src/engine/conference.ts';
import { createStatistics } from '../../src/metrics/statistics.ts';
import { newMiCounters } from '../../src/mi/counters.ts';
import { createMiDispatch } from '../../src/mi/dispatch.ts';
import type { Contact, MiPorts } from '../../src/mi/ports.ts';
import type { StoredEvent } from '../../src/ports/event-store.ts';
import type { LogLevel } from '../../src/ports/log.ts';
import type { Statistic } from '../../src/ports/statistics.ts';
import { MemberUri, memberKey, RoomUri, roomKey } from '../../src/room/address.ts';
import type { RoomCommand } from '../../src/room/commands.ts';
import type { Member, Room } from '../../src/room/room.ts';
import { roomPrefix, streamOf } from '../../src/room/stream.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { randomIds } from '../../src/runtime/ids.ts';
import { logTo } from '../../src/runtime/log.ts';

export const uri = (text: string): MemberUri => {
  if (!MemberUri.is(text)) throw new Error(`${text} is no member URI`);
  return text;
};
export const roomUri = (text: string): RoomUri => {
  if (!RoomUri.is(text)) throw new Error(`${text} is no room URI`);
  return text;
};

/** A room; the first member owns it, a `?` before a name marks an invited one. */
export const room = (name: string, ...names: readonly string[]): Room => {
  const members = names.map((written, index): Member => {
    const place = { uri: uri(`sip:${written.replace('?', '')}@x.org`), since: '2026-11-22T14:00:00.000Z' };
    if (written.startsWith('?')) return { ...place, role: 'invited', inviter: uri(`sip:${names[0]}@x.org`) };
    return { ...place, role: index === 0 ? 'owner' : 'member' };
  });
  return {
    uri: roomUri(`sip:${name}@x.org`),
    private: false,
    topic: '',
    owner: memberKey(members[0]?.uri ?? uri('sip:nobody@x.org')),
    members: new Map(members.map((member) => [memberKey(member.uri), member])),
  };
};

export interface Fake {
  readonly ports: MiPorts;
  readonly rooms: Map<string, Room>;
  readonly executed: { readonly command: RoomCommand; readonly origin: Origin }[];
  /** What `execute` answers. */
  answer: Answer;
  readonly events: StoredEvent[];
  readonly statistics: Statistic[];
  readonly bindings: Contact[];
  level: LogLevel;
  readonly lines: string[];
  readonly call: (method: string, params?: unknown) => Promise<unknown>;
  readonly ask: (text: string) => Promise<string | undefined>;
}

const parseUri = (text: string): string | undefined => /^sips?:([\w.%-]+@[\w.-]+)/i.exec(text)?.[1];

export const fakePorts = (): Fake => {
  const rooms = new Map<string, Room>();
  const lines: string[] = [];
  const log = logTo({ write: (line: string) => lines.push(line) }, 'debug');
  const events: StoredEvent[] = [];
  const statistics: Statistic[] = [];
  const bindings: Contact[] = [];
  const executed: Fake['executed'] = [];
  async function* give(wanted: (event: StoredEvent) => boolean) {
    for (const event of events) if (wanted(event)) yield event;
  }
  const ports: MiPorts = {
    rooms: {
      get size() {
        return rooms.size;
      },
      buckets: 16,
      get: (key) => rooms.get(key),
      all: () => rooms.values(),
      revision: () => 7n,
    },
    conference: {
      execute: (command, origin, answer) => {
        executed.push({ command, origin });
        answer(fake.answer);
      },
    },
    clock: systemClock,
    ids: randomIds(),
    statistics: createStatistics(async () => statistics),
    version: '1.2.3',
    startedAt: Date.now() - 65_000,
    log: {
      level: () => fake.level,
      setLevel: (level) => {
        fake.level = level;
      },
    },
    parseRoom: (text) => {
      const plain = parseUri(text);
      return plain === undefined ? E.left('no SIP URI') : E.right(roomUri(`sip:${plain}`));
    },
    parseMember: (text) => {
      const plain = parseUri(text) ?? (/^[\w.-]+$/.test(text) ? `${text}@x.org` : undefined);
      return plain === undefined ? E.left('no user') : E.right(uri(`sip:${plain}`));
    },
    explain: ({ reason }) => `no: ${reason}`,
    history: {
      ofRoom: (key, from) => give((event) => event.stream === streamOf(key) && event.revision >= from),
      ofUser: (key) => give((event) => JSON.stringify(event.data).toLowerCase().includes(key)),
      stateAt: async (key, { revision }) => ({ revision, room: rooms.get(key) }),
    },
    bindings: (user) => bindings.filter((one) => user === undefined || memberKey(one.user) === user),
    storeStatus: () => ({ url: 'memory:', reachable: true }),
    mirrorStatus: () => ({ url: 'none' }),
  };
  const dispatch = createMiDispatch(ports, log, newMiCounters());
  const ask = async (text: string) => {
    const pieces = await dispatch(text, { source: 'mi:test' });
    if (pieces === undefined) return undefined;
    let whole = '';
    for await (const piece of pieces) whole += piece;
    return whole;
  };
  const fake: Fake = {
    ports,
    rooms,
    executed,
    answer: { kind: 'done' },
    events,
    statistics,
    bindings,
    level: 'info',
    lines,
    ask,
    call: async (method, params) => {
      const text = await ask(JSON.stringify({ jsonrpc: '2.0', method, params, id: 'c' }));
      const { result, error, id, jsonrpc } = JSON.parse(text ?? '{}');
      if (id !== 'c' || jsonrpc !== '2.0') throw new Error(`wrong envelope: ${text}`);
      return error ?? result;
    },
  };
  return fake;
};

/** Puts a room where the rooms are. */
export const put = (fake: Fake, one: Room): void => {
  fake.rooms.set(roomKey(one.uri), one);
};

/** Events of a room, a second apart. */
export const addEvents = (fake: Fake, name: string, count: number): void => {
  for (let i = 0; i < count; i += 1) {
    const time = new Date(Date.UTC(2026, 10, 22, 14, 0, i)).toISOString();
    fake.events.push({
      id: `${name}-${i}`,
      stream: `${roomPrefix}${name}@x.org`,
      revision: BigInt(i),
      position: String(fake.events.length) as StoredEvent['position'],
      type: i === 0 ? 'RoomCreated' : 'MemberJoined',
      time,
      data: { room: `sip:${name}@x.org`, member: `sip:u${i}@x.org` },
      metadata: { actor: `sip:u${i}@x.org`, source: 'udp:192.0.2.1:5060', callId: `call-${i}`, time },
    });
  }
};
