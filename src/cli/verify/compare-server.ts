import { isDeepStrictEqual } from 'node:util';
import { historyOf, type RoomThen } from '../../engine/history.ts';
import { stateJson } from '../../mi/event-json.ts';
import type { EventStore } from '../../ports/event-store.ts';
import { type RoomKey, RoomUri, roomKey } from '../../room/address.ts';
import { CliError } from '../invocation.ts';
import { type MiClient, MiError } from '../mi/client.ts';

export interface ServerComparison {
  readonly client: MiClient;
  readonly store: EventStore;
  readonly identity: string;
  /** All rooms by replay, destroyed ones too. */
  readonly rooms: ReadonlyMap<RoomKey, RoomThen>;
  readonly tell: (difference: string) => Promise<void>;
}

interface ServerRoom {
  readonly revision: number;
}

const batch = 100;

/**
 * Compares a running server's rooms with the log. The server goes on working meanwhile: each room is compared at the
 * revision that the server has it at. Resolves with the number of rooms compared.
 */
export const compareServer = async (given: ServerComparison): Promise<number | 'another log'> => {
  const { client, identity, rooms } = given;
  const status = Object(await client.call('imc_store_status', undefined));
  if (typeof status.log === 'string' && status.log !== identity) return 'another log';
  const uris = new Map<RoomKey, RoomUri>();
  for (const [key, { room }] of rooms) if (room !== undefined) uris.set(key, room.uri);
  for (const uri of await urisOf(client)) if (!uris.has(roomKey(uri))) uris.set(roomKey(uri), uri);
  const all = [...uris];
  for (let first = 0; first < all.length; first += batch) {
    const some = all.slice(first, first + batch);
    const answers = await client.calls(
      'imc_room_state',
      some.map(([, uri]) => ({ room: uri })),
    );
    for (const [index, [key, uri]] of some.entries()) await compareRoom(given, key, uri, answers[index]);
  }
  return all.length;
};

const urisOf = async (client: MiClient): Promise<readonly RoomUri[]> => {
  const { ROOMS } = Object(await client.call('imc_list_rooms', undefined));
  if (!Array.isArray(ROOMS)) throw new CliError(`${client.url} lists no rooms`);
  return ROOMS.map((row: unknown) => Object(row).URI).filter(RoomUri.is);
};

const compareRoom = async (given: ServerComparison, key: RoomKey, uri: RoomUri, answer: unknown): Promise<void> => {
  const { store, client, tell } = given;
  if (answer instanceof Error && !isMissing(answer)) throw answer;
  const stateAt = historyOf(store).stateAt;
  if (answer instanceof Error) {
    // Destroyed since the replay, or not there although it should be: both look again.
    const now = await stateAt(key, {});
    if (now.room === undefined) return;
    const [again] = await client.calls('imc_room_state', [{ room: uri }]);
    if (again instanceof Error)
      await tell(`server: ${uri} is in the log at revision ${now.revision}, and not in the server`);
    else await compareRoom(given, key, uri, again);
    return;
  }
  const server: ServerRoom = Object(answer);
  const then = await sameRevision(given, key, server);
  const known = given.rooms.get(key)?.revision ?? 0n;
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

const sameRevision = async (
  { store, rooms }: ServerComparison,
  key: RoomKey,
  server: ServerRoom,
): Promise<RoomThen> => {
  const replayed = rooms.get(key);
  if (replayed?.revision === BigInt(server.revision)) return replayed;
  return historyOf(store).stateAt(key, { revision: BigInt(server.revision) });
};

const isMissing = (error: Error): boolean => error instanceof MiError && error.rpcCode === 404;
