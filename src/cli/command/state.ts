import { sequenceS } from 'fp-ts/lib/Apply.js';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Config } from '../../config/config.ts';
import { historyOf, type RoomThen, type Then } from '../../engine/history.ts';
import { stateJson } from '../../mi/event-json.ts';
import type { EventStore } from '../../ports/event-store.ts';
import type { RoomKey } from '../../room/address.ts';
import type { Room } from '../../room/room.ts';
import { type CliError, type CliTask, readingLog, wrongUsage } from '../cli-error.ts';
import type { Invocation, Run } from '../invocation.ts';
import {
  type NamedRoom,
  numberArgument,
  optional,
  positionArgument,
  roomArgument,
  timeArgument,
} from '../read/filters.ts';
import { withReader } from '../read/open-log.ts';
import { roomsAt } from '../read/state-at.ts';
import { withProgress } from '../terminal/progress.ts';
import { printable, table } from '../terminal/show.ts';
import { localTime } from '../terminal/times.ts';

/** `imcd state [ROOM]`: rooms and members as they are, or were, by replay. */
export const run: Run = (invocation) =>
  pipe(
    invocation.config,
    TE.bindTo('config'),
    TE.bind('question', ({ config }) => questionOf(invocation, config)),
    TE.chain(({ config, question }) => withReader(config, (store) => answer(store, question, invocation))),
  );

interface Question {
  /** Undefined: all rooms. */
  readonly room: NamedRoom | undefined;
  readonly revision: bigint | undefined;
  readonly time: string | undefined;
}

const questionOf = (invocation: Invocation, config: Config): CliTask<Question> => {
  const { args, options } = invocation;
  return pipe(
    sequenceS(E.Apply)({
      room: optional(roomArgument(config))(args[0]),
      moment: oneMoment(options),
      revision: optional(numberArgument('revision'))(options.revision),
    }),
    E.filterOrElse(
      ({ room, revision }) => room !== undefined || revision === undefined,
      () => wrongUsage('--revision counts the events of one room: name the room too'),
    ),
    TE.fromEither,
    TE.bind('time', () => timeArgument(invocation, 'at')),
  );
};

const oneMoment = (options: Invocation['options']): E.Either<CliError, unknown> => {
  const given = ['at', 'revision', 'position'].filter((name) => options[name] !== undefined);
  return given.length > 1
    ? E.left(wrongUsage(`only one of --${given.join(' and --')} can be meant`))
    : E.right(undefined);
};

const answer = (store: EventStore, { room, revision, time }: Question, invocation: Invocation): CliTask<number> =>
  pipe(
    optional(positionArgument(store, 'position'))(invocation.options.position),
    TE.fromEither,
    TE.map((position): Then => ({ revision, time, position })),
    TE.chain((then) =>
      room === undefined ? showAll(store, then, invocation) : showOne(store, room, then, invocation),
    ),
  );

const showOne = (store: EventStore, { uri, key }: NamedRoom, then: Then, invocation: Invocation): CliTask<number> =>
  pipe(
    readingLog(() => historyOf(store).stateAt(key, then)),
    TE.chainTaskK((state) => () => printRoom(uri, state, invocation)),
  );

const printRoom = async (
  uri: string,
  { revision, room }: RoomThen,
  { options, out, err }: Invocation,
): Promise<number> => {
  if (room === undefined) {
    const when = revision === undefined ? 'did not exist' : `was destroyed at revision ${revision}`;
    err(`imcd: ${uri} ${when}`);
    return 1;
  }
  if (options.json) {
    await out(JSON.stringify(stateJson(revision, room)));
    return 0;
  }
  await out(`${room.uri}, ${kindOf(room)}, revision ${revision}, ${room.members.size} members and invited`);
  if (room.topic !== '') await out(printable(`topic: ${room.topic}`));
  const rows = Array.from(room.members.values(), ({ uri: member, role, since }) => [role, member, localTime(since)]);
  for (const line of table(['ROLE', 'MEMBER', 'SINCE'], rows)) await out(line);
  return 0;
};

const showAll = (store: EventStore, then: Then, invocation: Invocation): CliTask<number> =>
  pipe(
    withProgress('replaying the log', 'events', ({ update }) => readingLog(() => roomsAt(store, then, update))),
    TE.chainTaskK((rooms) => () => printRooms(rooms, invocation)),
  );

const printRooms = async (
  rooms: ReadonlyMap<RoomKey, RoomThen>,
  { options, out, err }: Invocation,
): Promise<number> => {
  const rows: string[][] = [];
  for (const { revision, room } of rooms.values()) {
    if (room === undefined) continue;
    if (options.json) await out(JSON.stringify(stateJson(revision, room)));
    else rows.push([room.uri, String(revision), String(room.members.size), ownerOf(room), kindOf(room)]);
  }
  if (options.json) return 0;
  if (rows.length === 0) err('imcd: there were no rooms');
  else for (const line of table(['ROOM', 'REV', 'MEMBERS', 'OWNER', 'KIND'], rows)) await out(line);
  return 0;
};

const ownerOf = (room: Room): string => room.members.get(room.owner)?.uri ?? '-';
const kindOf = (room: Room): string => (room.private ? 'private' : 'public');
