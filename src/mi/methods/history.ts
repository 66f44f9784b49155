import * as E from 'fp-ts/lib/Either.js';
import type { StoredEvent } from '../../ports/event-store.ts';
import { memberKey, roomKey } from '../../room/address.ts';
import { longList } from '../encode.ts';
import { eventJson, eventSchema, stateJson, stateSchema } from '../event-json.ts';
import { type Arguments, imcSpellings, type Method, type Param } from '../method.ts';
import type { RpcError } from '../rpc.ts';
import { noSuchRoom, roomArgument, roomParam } from './rooms.ts';

const natural = {
  anyOf: [
    { type: 'integer', minimum: 0 },
    { type: 'string', pattern: '^[0-9]{1,15}$' },
  ],
};
const from: Param = { name: 'from', optional: true, meaning: 'first revision', schema: natural };
const limit: Param = { name: 'limit', optional: true, meaning: 'most events; default 1000', schema: natural };
const since: Param = { name: 'since', optional: true, meaning: 'not before: RFC 3339' };
const until: Param = { name: 'until', optional: true, meaning: 'not after: RFC 3339' };
export const userParam: Param = { name: 'user', meaning: "a user's SIP URI, user@domain, or user of our own domain" };

const events = {
  type: 'object',
  required: ['EVENTS'],
  properties: { EVENTS: { type: 'array', items: eventSchema } },
};
const defaultLimit = 1000;

const bad = (what: string): E.Either<RpcError, never> => E.left({ code: 400, message: `bad param: ${what}` });

const numberOf = (given: Arguments, name: string): number | undefined | 'bad' => {
  const value = given[name];
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && /^[0-9]{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : 'bad';
};

/** RFC 3339, brought to UTC and milliseconds as events have it. */
const timeOf = (given: Arguments, name: string): string | undefined | 'bad' => {
  const value = given[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(value))
    return 'bad';
  const ms = Date.parse(value.replace(' ', 'T'));
  return Number.isNaN(ms) ? 'bad' : new Date(ms).toISOString();
};

interface Filter {
  readonly since: string | undefined;
  readonly until: string | undefined;
  readonly limit: number;
}

const filterOf = (given: Arguments): E.Either<RpcError, Filter> => {
  const most = numberOf(given, 'limit');
  if (most === 'bad') return bad('limit is a whole number');
  const first = timeOf(given, 'since');
  if (first === 'bad') return bad('since is a time such as 2026-11-22T14:00:00Z');
  const last = timeOf(given, 'until');
  if (last === 'bad') return bad('until is a time such as 2026-11-22T14:00:00Z');
  return E.right({ since: first, until: last, limit: most ?? defaultLimit });
};

async function* filtered(source: AsyncIterable<StoredEvent>, filter: Filter): AsyncGenerator<unknown> {
  let left = filter.limit;
  if (left === 0) return;
  for await (const event of source) {
    if (filter.since !== undefined && event.time < filter.since) continue;
    if (filter.until !== undefined && event.time > filter.until) continue;
    yield eventJson(event);
    left -= 1;
    if (left === 0) return;
  }
}

export const roomHistory: Method = {
  spellings: imcSpellings('room_history'),
  summary: "a room's events in order: who did what, when, from where",
  params: [roomParam, from, limit, since, until],
  result: events,
  run: async (ports, given) => {
    const room = roomArgument(ports, given);
    if (E.isLeft(room)) return room;
    const first = numberOf(given, 'from');
    if (first === 'bad') return bad('from is a revision, a whole number');
    const filter = filterOf(given);
    if (E.isLeft(filter)) return filter;
    const source = ports.history.ofRoom(roomKey(room.right), BigInt(first ?? 0));
    return E.right({ EVENTS: longList(filtered(source, filter.right)) });
  },
};

export const userHistory: Method = {
  spellings: imcSpellings('user_history'),
  summary: 'all that one user did, or had done to them, over all rooms',
  params: [userParam, limit, since, until],
  result: events,
  run: async (ports, given) => {
    const user = typeof given.user === 'string' ? ports.parseMember(given.user) : E.left('it must be text');
    if (E.isLeft(user)) return bad(`user: ${user.left}`);
    const filter = filterOf(given);
    if (E.isLeft(filter)) return filter;
    return E.right({ EVENTS: longList(filtered(ports.history.ofUser(memberKey(user.right)), filter.right)) });
  },
};

export const roomState: Method = {
  spellings: imcSpellings('room_state'),
  summary: 'a room with its members and their roles: now, or as it was at a revision or a time',
  params: [
    roomParam,
    { name: 'revision', optional: true, meaning: 'after the event of this revision', schema: natural },
    { name: 'at', optional: true, meaning: 'at this time: RFC 3339' },
  ],
  result: stateSchema,
  run: async (ports, given) => {
    const room = roomArgument(ports, given);
    if (E.isLeft(room)) return room;
    const revision = numberOf(given, 'revision');
    if (revision === 'bad') return bad('revision is a whole number');
    const time = timeOf(given, 'at');
    if (time === 'bad') return bad('at is a time such as 2026-11-22T14:00:00Z');
    if (revision !== undefined && time !== undefined) return bad('only one of revision and at');
    const key = roomKey(room.right);
    if (revision === undefined && time === undefined) {
      const now = stateJson(ports.rooms.revision(key), ports.rooms.get(key));
      return now === null ? E.left(noSuchRoom) : E.right(now);
    }
    const then = await ports.history.stateAt(key, {
      ...(revision === undefined ? {} : { revision: BigInt(revision) }),
      ...(time === undefined ? {} : { time }),
    });
    const shown = stateJson(then.revision, then.room);
    return shown === null ? E.left(noSuchRoom) : E.right(shown);
  },
};
