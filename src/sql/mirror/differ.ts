import { type RoomUri, uriOf } from '../../room/address.ts';
import type { Room } from '../../room/room.ts';
import { type MemberRow, memberRows, type RoomRow, roomRow } from './rows.ts';

/** What tells the rooms of a log from the rows of a mirror, as sentences for people. Pure. */

/** Every difference between rooms and rows, as a sentence. Members are given in the order of their ids. */
export const differ = (
  expected: readonly Room[],
  rooms: readonly RoomRow[],
  members: readonly MemberRow[],
): string[] => {
  const found: string[] = [];
  const rows = new Map(rooms.map((row) => [uriOf(row.name, row.domain), row]));
  const membersOf = Map.groupBy(members, ({ room }) => room);
  for (const room of expected) {
    const row = rows.get(room.uri);
    const flag = roomRow(room.uri, room.private).flag;
    if (row === undefined) found.push(`room ${room.uri} is in the log, and has no row`);
    else if (row.flag !== flag) found.push(`room ${room.uri} has the flag ${row.flag} and should have ${flag}`);
    found.push(...differInRoom(room, membersOf.get(room.uri) ?? []));
    rows.delete(room.uri);
    membersOf.delete(room.uri);
  }
  for (const uri of rows.keys()) found.push(`room ${uri} has a row, and is not in the log`);
  for (const [room, extra] of membersOf) {
    for (const row of extra) found.push(`room ${room}: member ${spelled(row)} has a row, and the log has no such room`);
  }
  return found;
};

const differInRoom = (room: Room, rows: readonly MemberRow[]): string[] => {
  const found: string[] = [];
  const at = (row: MemberRow) => `room ${room.uri as RoomUri}: member ${spelled(row)}`;
  const left = new Map(rows.map((row) => [spelled(row), row]));
  const expected = memberRows(room);
  for (const should of expected) {
    const is = left.get(spelled(should));
    left.delete(spelled(should));
    if (is === undefined) found.push(`${at(should)} is in the log, and has no row`);
    else if (is.flag !== should.flag)
      found.push(`${at(should)} has the flag ${is.flag} and should have ${should.flag}`);
  }
  for (const row of left.values()) found.push(`${at(row)} has a row, and is not in the log`);
  const [first] = rows;
  const [owner] = expected;
  if (first !== undefined && owner !== undefined && spelled(first) !== spelled(owner)) {
    found.push(`room ${room.uri}: the first row is ${spelled(first)}, and should be the owner, ${spelled(owner)}`);
  }
  return found;
};

const spelled = (row: MemberRow): string => uriOf(row.username, row.domain);
