import { isDeepStrictEqual } from 'node:util';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { chunksOf } from 'fp-ts/lib/ReadonlyArray.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { historyOf, type RoomThen } from '../../engine/history.ts';
import { stateJson } from '../../mi/event-json.ts';
import { type RoomKey, RoomUri, roomKey } from '../../room/address.ts';
import { type CliError, type CliTask, cliError, readingLog } from '../cli-error.ts';
import type { MiAnswer, MiClient } from '../mi/client.ts';
import type { MiFailure } from '../mi/post.ts';
import type { ReplayedLog, Tell } from './replayed-log.ts';

/**
 * Compares a running server's rooms with the log.
 * The server goes on working meanwhile: each room is compared at the revision that the server has it at.
 */

export interface ServerComparison {
  readonly client: MiClient;
  readonly log: ReplayedLog;
  readonly tell: Tell;
}

type NamedKey = readonly [key: RoomKey, uri: RoomUri];

/** Most calls that the server takes at once. */
const batch = 100;

/** The number of rooms compared, or why they were not. */
export type Compared = number | 'another log' | 'no server';

export const compareServer = (given: ServerComparison): CliTask<Compared> =>
  pipe(
    given.client.call('imc_store_status', undefined),
    TE.chainW(
      (status): CliTask<Compared> => (isAnotherLog(status, given.log) ? TE.right('another log') : compareRooms(given)),
    ),
    TE.orElse((failure): CliTask<Compared> => (isNoServer(failure) ? TE.right('no server') : TE.left(failure))),
  );

const isAnotherLog = (status: unknown, { identity }: ReplayedLog): boolean => {
  const { log } = Object(status);
  return typeof log === 'string' && log !== identity;
};

const isNoServer = (failure: CliError | MiFailure): boolean => 'kind' in failure && failure.kind === 'NoServer';

const compareRooms = (given: ServerComparison): CliTask<number> =>
  pipe(
    urisOf(given.client),
    TE.map((listed) => everyRoom(given.log, listed)),
    TE.chainFirst((all) => pipe(all, chunksOf(batch), TE.traverseSeqArray(compareBatch(given)))),
    TE.map((all) => all.length),
  );

/** The rooms of both sides, each once. */
const everyRoom = ({ rooms }: ReplayedLog, listed: readonly RoomUri[]): readonly NamedKey[] => {
  const uris = new Map<RoomKey, RoomUri>();
  for (const [key, { room }] of rooms) if (room !== undefined) uris.set(key, room.uri);
  for (const uri of listed) if (!uris.has(roomKey(uri))) uris.set(roomKey(uri), uri);
  return [...uris];
};

const urisOf = (client: MiClient): CliTask<readonly RoomUri[]> =>
  pipe(
    client.call('imc_list_rooms', undefined),
    TE.map((list) => Object(list).ROOMS),
    TE.filterOrElseW(Array.isArray, () => cliError(`${client.url} lists no rooms`)),
    TE.map((rows) => rows.map((row: unknown) => Object(row).URI).filter(RoomUri.is)),
  );

const statesOf = (client: MiClient, rooms: readonly NamedKey[]): TE.TaskEither<MiFailure, readonly MiAnswer[]> =>
  client.calls(
    'imc_room_state',
    rooms.map(([, uri]) => ({ room: uri })),
  );

const compareBatch =
  (given: ServerComparison) =>
  (rooms: readonly NamedKey[]): CliTask<unknown> =>
    pipe(
      statesOf(given.client, rooms),
      TE.map((answers) => rooms.map((room, index) => ({ room, answer: answers[index] }))),
      TE.chainW(TE.traverseSeqArray(({ room, answer }) => compareRoom(given, room, answer))),
    );

const compareRoom = (given: ServerComparison, room: NamedKey, answer: MiAnswer | undefined): CliTask<void> => {
  if (answer === undefined) return TE.left(cliError(`${given.client.url} answered fewer calls than it was asked`));
  if (E.isRight(answer)) return readingLog(() => compareState(given, room, Object(answer.right)));
  return answer.left.rpcCode === 404 ? lookAgain(given, room) : TE.left(answer.left);
};

/** Destroyed since the replay, or not there although it should be: both look again. */
const lookAgain = (given: ServerComparison, room: NamedKey): CliTask<void> => {
  const { client, log, tell } = given;
  const [key, uri] = room;
  return pipe(
    readingLog(() => historyOf(log.store).stateAt(key, {})),
    TE.chain((now) => {
      if (now.room === undefined) return TE.right(undefined);
      return pipe(
        statesOf(client, [room]),
        TE.chainW(([again]) =>
          again !== undefined && E.isRight(again)
            ? compareRoom(given, room, again)
            : TE.fromTask(() =>
                tell(`server: ${uri} is in the log at revision ${now.revision}, and not in the server`),
              ),
        ),
      );
    }),
  );
};

interface ServerRoom {
  readonly revision: number;
}

/** Throws `StoreError`. */
const compareState = async (
  { log, tell }: ServerComparison,
  [key, uri]: NamedKey,
  server: ServerRoom,
): Promise<void> => {
  const then = await sameRevision(log, key, server);
  const known = log.rooms.get(key)?.revision ?? 0n;
  if (BigInt(server.revision) < known) {
    await tell(`server: ${uri} is at revision ${server.revision}, the log at ${known}: the server lags`);
  }
  if (then.revision !== BigInt(server.revision)) {
    await tell(`server: ${uri} is at revision ${server.revision}, which the log does not hold`);
    return;
  }
  const expected = stateJson(then.revision, then.room);
  if (!isDeepStrictEqual(server, expected)) {
    await tell(
      `server: ${uri} at revision ${server.revision} is ${JSON.stringify(server)}; by the log it is ${JSON.stringify(expected)}`,
    );
  }
};

const sameRevision = async ({ store, rooms }: ReplayedLog, key: RoomKey, server: ServerRoom): Promise<RoomThen> => {
  const replayed = rooms.get(key);
  if (replayed?.revision === BigInt(server.revision)) return replayed;
  return historyOf(store).stateAt(key, { revision: BigInt(server.revision) });
};
