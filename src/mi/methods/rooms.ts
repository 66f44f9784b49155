import * as E from 'fp-ts/lib/Either.js';
import { type RoomUri, roomKey } from '../../room/address.ts';
import type { Room } from '../../room/room.ts';
import { longList } from '../encode.ts';
import { type Arguments, imcSpellings, type Method, type Param } from '../method.ts';
import type { MiPorts } from '../ports.ts';
import type { RpcError } from '../rpc.ts';

export const roomParam: Param = { name: 'room', meaning: "the room's SIP URI: sip:chat-001@example.org" };

const emptyParam: RpcError = { code: 400, message: 'empty param' };
const badParam: RpcError = { code: 400, message: 'bad param' };
export const noSuchRoom: RpcError = { code: 404, message: 'no such room' };

/** The `room` argument; the errors are worded as OpenSIPS' imc words them. */
export const roomArgument = (ports: MiPorts, { room }: Arguments): E.Either<RpcError, RoomUri> => {
  if (room === '') return E.left(emptyParam);
  if (typeof room !== 'string' || !/^sips?:/i.test(room)) return E.left(badParam);
  return E.mapLeft(() => badParam)(ports.parseRoom(room));
};

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
  run: async (ports) => E.right({ ROOMS: longList(rows(ports.rooms.all())) }),
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
  run: async (ports, given) => {
    const asked = roomArgument(ports, given);
    if (E.isLeft(asked)) return asked;
    const room = ports.rooms.get(roomKey(asked.right));
    if (room === undefined) return E.left(noSuchRoom);
    const members = Array.from(room.members.values(), (member) => member.uri);
    return E.right({ ROOM: given.room, MEMBERS: longList(members), NO_MEMBERS: members.length });
  },
};
