import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { StoredEvent } from '../../ports/event-store.ts';
import { memberKey, type RoomKey, roomKey } from '../../room/address.ts';
import {
  givenNatural,
  givenRoom,
  givenTime,
  givenUser,
  naturalParam,
  notBoth,
  roomParam,
  userParam,
} from '../arguments.ts';
import { longList } from '../encode.ts';
import { eventJson, eventSchema, stateJson, stateSchema } from '../event-json.ts';
import { type Arguments, imcSpellings, type Method, type Param } from '../method.ts';
import type { HistoryPorts, MiPorts } from '../ports.ts';
import type { RpcError } from '../rpc.ts';
import { noSuchRoom } from './rooms.ts';

const from = naturalParam('from', 'first revision');
const limit = naturalParam('limit', 'most events; default 1000');
const since: Param = { name: 'since', optional: true, meaning: 'not before: RFC 3339' };
const until: Param = { name: 'until', optional: true, meaning: 'not after: RFC 3339' };
const defaultLimit = 1000;

const events = {
  type: 'object',
  required: ['EVENTS'],
  properties: { EVENTS: { type: 'array', items: eventSchema } },
};

interface Filter {
  readonly since: string | undefined;
  readonly until: string | undefined;
  readonly limit: number;
}

const givenFilter = (given: Arguments): E.Either<RpcError, Filter> =>
  pipe(
    E.Do,
    E.apS('most', givenNatural(given, 'limit')),
    E.apS('since', givenTime(given, 'since')),
    E.apS('until', givenTime(given, 'until')),
    E.map(({ most = defaultLimit, ...window }) => ({ ...window, limit: most })),
  );

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
  run: (ports, given) =>
    pipe(
      E.Do,
      E.apS('room', givenRoom(ports, given)),
      E.apS('first', givenNatural(given, 'from', 'a revision, a whole number')),
      E.apS('filter', givenFilter(given)),
      E.map(({ room, first = 0, filter }) => filtered(ports.history.ofRoom(roomKey(room), BigInt(first)), filter)),
      E.map((shown) => ({ EVENTS: longList(shown) })),
      TE.fromEither,
    ),
};

export const userHistory: Method = {
  spellings: imcSpellings('user_history'),
  summary: 'all that one user did, or had done to them, over all rooms',
  params: [userParam, limit, since, until],
  result: events,
  run: (ports, given) =>
    pipe(
      E.Do,
      E.apS('user', givenUser(ports, given, 'user')),
      E.apS('filter', givenFilter(given)),
      E.map(({ user, filter }) => filtered(ports.history.ofUser(memberKey(user)), filter)),
      E.map((shown) => ({ EVENTS: longList(shown) })),
      TE.fromEither,
    ),
};

/** What `stateAt` is asked for; empty: the state of now. */
type Moment = Parameters<HistoryPorts['stateAt']>[1];

const givenMoment = (given: Arguments): E.Either<RpcError, Moment> =>
  pipe(
    E.Do,
    E.apS('revision', givenNatural(given, 'revision')),
    E.apS('time', givenTime(given, 'at')),
    E.chainFirst(() => notBoth(given, 'revision', 'at')),
    E.map(({ revision, time }) => ({
      ...(revision === undefined ? {} : { revision: BigInt(revision) }),
      ...(time === undefined ? {} : { time }),
    })),
  );

const stateOf = async ({ rooms, history }: MiPorts, room: RoomKey, moment: Moment) =>
  moment.revision === undefined && moment.time === undefined
    ? { revision: rooms.revision(room), room: rooms.get(room) }
    : history.stateAt(room, moment);

export const roomState: Method = {
  spellings: imcSpellings('room_state'),
  summary: 'a room with its members and their roles: now, or as it was at a revision or a time',
  params: [
    roomParam,
    naturalParam('revision', 'after the event of this revision'),
    { name: 'at', optional: true, meaning: 'at this time: RFC 3339' },
  ],
  result: stateSchema,
  run: (ports, given) =>
    pipe(
      E.Do,
      E.apS('room', givenRoom(ports, given)),
      E.apS('moment', givenMoment(given)),
      TE.fromEither,
      TE.chainTaskK(
        ({ room, moment }) =>
          () =>
            stateOf(ports, roomKey(room), moment),
      ),
      TE.map(({ revision, room }) => stateJson(revision, room)),
      TE.chain(TE.fromNullable(noSuchRoom)),
    ),
};
