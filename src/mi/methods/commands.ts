import * as E from 'fp-ts/lib/Either.js';
import type { Answer } from '../../engine/conference.ts';
import { Operator, type RoomCommand } from '../../room/commands.ts';
import { type Arguments, type Called, imcSpellings, type Method, type Param } from '../method.ts';
import type { MiPorts } from '../ports.ts';
import type { RpcError } from '../rpc.ts';
import { roomArgument, roomParam } from './rooms.ts';

const operatorParam: Param = {
  name: 'operator',
  optional: true,
  meaning: 'who asks, for the history: letters, digits, _ . @ -; default mi',
};
const done = { type: 'string', const: 'OK' };

const operatorOf = ({ operator = 'mi' }: Arguments): E.Either<RpcError, Operator> => {
  const actor = `operator:${String(operator)}`;
  return Operator.is(actor)
    ? E.right(actor)
    : E.left({ code: 400, message: 'bad param: operator takes 1 to 64 letters, digits, _ . @ -' });
};

/** Through the same mailbox, `decide` and log as a command that came by SIP. */
const execute = (
  ports: MiPorts,
  command: RoomCommand,
  { source, correlationId }: Called,
): Promise<E.Either<RpcError, unknown>> =>
  new Promise((resolve) => {
    ports.conference.execute(command, { source, correlationId }, (answer) => resolve(worded(ports, answer)));
  });

const worded = (ports: MiPorts, answer: Answer): E.Either<RpcError, unknown> => {
  if (answer.kind === 'done') return E.right('OK');
  if (answer.kind === 'failed') return E.left({ code: 500, message: answer.failure.message });
  const { reason } = answer.refusal;
  const code = reason === 'NoSuchRoom' || reason === 'NoSuchMember' ? 404 : 403;
  return E.left({ code, message: reason === 'NoSuchRoom' ? 'no such room' : ports.explain(answer.refusal) });
};

export const destroyRoom: Method = {
  spellings: imcSpellings('destroy_room'),
  summary: 'destroy a room, as its owner could; the members are told',
  params: [roomParam, operatorParam],
  result: done,
  changes: true,
  run: async (ports, given, caller) => {
    const room = roomArgument(ports, given);
    if (E.isLeft(room)) return room;
    const actor = operatorOf(given);
    if (E.isLeft(actor)) return actor;
    return execute(ports, { type: 'DestroyRoom', room: room.right, actor: actor.right }, caller);
  },
};

export const removeMember: Method = {
  spellings: imcSpellings('remove_member'),
  summary: 'remove a member from a room, or withdraw an invitation, as its owner could; all are told',
  params: [
    roomParam,
    { name: 'member', meaning: "the member's SIP URI, user@domain, or user of our own domain" },
    operatorParam,
  ],
  result: done,
  changes: true,
  run: async (ports, given, caller) => {
    const room = roomArgument(ports, given);
    if (E.isLeft(room)) return room;
    const actor = operatorOf(given);
    if (E.isLeft(actor)) return actor;
    const member = typeof given.member === 'string' ? ports.parseMember(given.member) : E.left('it must be text');
    if (E.isLeft(member)) return E.left({ code: 400, message: `bad param: member: ${member.left}` });
    const command = { type: 'RemoveMember', room: room.right, actor: actor.right, member: member.right } as const;
    return execute(ports, command, caller);
  },
};
