import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { roomKey } from '../../room/address.ts';
import type { Room } from '../../room/room.ts';
import { givenRoom, roomParam } from '../arguments.ts';
import { longList } from '../encode.ts';
import { imcSpellings, type Method } from '../method.ts';
import type { RpcError } from '../rpc.ts';

export const noSuchRoom: RpcError = { code: 404, message: 'no such room' };

const ownerOf = (room: Room): string => room.members.get(room.owner)?.uri ?? '';

function* rows(rooms: Iterable<Room>): Generator<unknown> {
  for (const room of rooms) yield { URI: room.uri, MEMBERS: room.members.size, OWNER: ownerOf(room) };
}

const uri = { type: 'string', pattern: '^sip:' };

export const listRooms: Method = {
  spellings: imcSpellings('list_rooms'),
  summary: 'all rooms, with the number of their members (invited ones included) and their owner',
  params: [],
  result: {
    type: 'object',
    required: ['ROOMS'],
    properties: {
      ROOMS: {
        type: 'array',
        items: {
          type: 'object',
          required: ['URI', 'MEMBERS', 'OWNER'],
          properties: { URI: uri, MEMBERS: { type: 'integer' }, OWNER: uri },
        },
      },
    },
  },
  run: ({ rooms }) => TE.right({ ROOMS: longList(rows(rooms.all())) }),
};

export const listMembers: Method = {
  spellings: imcSpellings('list_members'),
  summary: 'the members of one room, invited ones included',
  params: [roomParam],
  result: {
    type: 'object',
    required: ['ROOM', 'MEMBERS', 'NO_MEMBERS'],
    properties: { ROOM: { type: 'string' }, MEMBERS: { type: 'array', items: uri }, NO_MEMBERS: { type: 'integer' } },
  },
  run: (ports, given) =>
    pipe(
      givenRoom(ports, given),
      E.map((room) => ports.rooms.get(roomKey(room))),
      E.chain(E.fromNullable(noSuchRoom)),
      E.map(({ members }) => Array.from(members.values(), ({ uri }) => uri)),
      E.map((uris) => ({ ROOM: given.room, MEMBERS: longList(uris), NO_MEMBERS: uris.length })),
      TE.fromEither,
    ),
};
