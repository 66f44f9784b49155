import { historyOf, type RoomThen, type Then } from '../../engine/history.ts';
import { stateJson } from '../../mi/event-json.ts';
import type { EventStore } from '../../ports/event-store.ts';
import type { Room } from '../../room/room.ts';
import { CliError, type Invocation, type Run } from '../invocation.ts';
import { numberArgument, positionArgument, roomArgument, timeArgument } from '../read/filters.ts';
import { openReader } from '../read/open-log.ts';
import { roomsAt } from '../read/state-at.ts';
import { progress } from '../terminal/progress.ts';
import { printable, table } from '../terminal/show.ts';
import { localTime } from '../terminal/times.ts';

/** `imcd state [ROOM]`: rooms and members as they are, or were, by replay. */
export const run: Run = async (invocation) => {
  const { args, options } = invocation;
  const config = await invocation.config();
  const room = args[0] === undefined ? undefined : roomArgument(config, args[0]);
  const given = ['at', 'revision', 'position'].filter((name) => options[name] !== undefined);
  if (given.length > 1) throw new CliError(`only one of --${given.join(' and --')} can be meant`, 2);
  const revision = numberArgument('revision', options.revision);
  if (revision !== undefined && room === undefined) {
    throw new CliError('--revision counts the events of one room: name the room too', 2);
  }
  const time = await timeArgument(invocation, 'at');
  const store = await openReader(config);
  try {
    const then: Then = { revision, time, position: positionArgument(store, 'position', options.position) };
    if (room === undefined) return await showAll(store, then, invocation);
    return await showOne(await historyOf(store).stateAt(room.key, then), room.uri, invocation);
  } finally {
    await store.close();
  }
};

const showOne = async (
  { revision, room }: RoomThen,
  uri: string,
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
  const kind = room.private ? 'private' : 'public';
  await out(`${room.uri}, ${kind}, revision ${revision}, ${room.members.size} members and invited`);
  if (room.topic !== '') await out(printable(`topic: ${room.topic}`));
  const rows = Array.from(room.members.values(), ({ uri: member, role, since }) => [role, member, localTime(since)]);
  for (const line of table(['ROLE', 'MEMBER', 'SINCE'], rows)) await out(line);
  return 0;
};

const showAll = async (store: EventStore, then: Then, { options, out, err }: Invocation): Promise<number> => {
  const bar = progress('replaying the log', 'events');
  const rooms = await roomsAt(store, then, bar.update).finally(bar.end);
  const rows: string[][] = [];
  for (const { revision, room } of rooms.values()) {
    if (room === undefined) continue;
    if (options.json) await out(JSON.stringify(stateJson(revision, room)));
    else
      rows.push([
        room.uri,
        String(revision),
        String(room.members.size),
        ownerOf(room),
        room.private ? 'private' : 'public',
      ]);
  }
  if (!options.json) {
    if (rows.length === 0) err('imcd: there were no rooms');
    else for (const line of table(['ROOM', 'REV', 'MEMBERS', 'OWNER', 'KIND'], rows)) await out(line);
  }
  return 0;
};

const ownerOf = (room: Room): string => room.members.get(room.owner)?.uri ?? '-';
