import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Answer } from '../../engine/conference.ts';
import type { RoomCommand } from '../../room/commands.ts';
import { refusalStatus } from '../../room/refusals.ts';
import {
  givenOperator,
  givenRoom,
  givenTopic,
  givenUser,
  memberParam,
  operatorParam,
  roomParam,
  topicParam,
} from '../arguments.ts';
import { type Arguments, type Called, imcSpellings, type Method } from '../method.ts';
import type { MiPorts } from '../ports.ts';
import type { RpcError } from '../rpc.ts';
import { noSuchRoom } from './rooms.ts';

const done = { type: 'string', const: 'OK' };

/** The room that is meant, and the operator who asks. */
const roomAndActor = (ports: MiPorts, given: Arguments) =>
  pipe(E.Do, E.apS('room', givenRoom(ports, given)), E.apS('actor', givenOperator(given)));

/** A method that carries out the command that its arguments make. */
const carriesOut =
  (commandOf: (ports: MiPorts, given: Arguments) => E.Either<RpcError, RoomCommand>): Method['run'] =>
  (ports, given, called) =>
    pipe(commandOf(ports, given), TE.fromEither, TE.chain(execute(ports, called)));

/** Through the same mailbox, `decide` and log as a command that came by SIP. */
const execute =
  (ports: MiPorts, { source, correlationId }: Called) =>
  (command: RoomCommand): TE.TaskEither<RpcError, 'OK'> =>
  () =>
    new Promise((resolve) => {
      ports.conference.execute(command, { source, correlationId }, (answer) => resolve(worded(ports, answer)));
    });

const worded = (ports: MiPorts, answer: Answer): E.Either<RpcError, 'OK'> => {
  if (answer.kind === 'done') return E.right('OK');
  if (answer.kind === 'failed') return E.left({ code: 500, message: answer.failure.message });
  const { refusal } = answer;
  if (refusal.reason === 'NoSuchRoom') return E.left(noSuchRoom);
  return E.left({ code: refusalStatus(refusal), message: ports.explain(refusal) });
};

export const destroyRoom: Method = {
  spellings: imcSpellings('destroy_room'),
  summary: 'destroy a room, as its owner could; the members are told',
  params: [roomParam, operatorParam],
  result: done,
  changes: true,
  run: carriesOut((ports, given) =>
    pipe(
      roomAndActor(ports, given),
      E.map((asked) => ({ type: 'DestroyRoom', ...asked }) as const),
    ),
  ),
};

export const removeMember: Method = {
  spellings: imcSpellings('remove_member'),
  summary: 'remove a member from a room, or withdraw an invitation, as its owner could; all are told',
  params: [roomParam, memberParam, operatorParam],
  result: done,
  changes: true,
  run: carriesOut((ports, given) =>
    pipe(
      roomAndActor(ports, given),
      E.apS('member', givenUser(ports, given, 'member')),
      E.map((asked) => ({ type: 'RemoveMember', ...asked }) as const),
    ),
  ),
};

export const setTopic: Method = {
  spellings: imcSpellings('set_topic'),
  summary: "set a room's topic, or take it away, as its owner could; the members are told",
  params: [roomParam, topicParam, operatorParam],
  result: done,
  changes: true,
  run: carriesOut((ports, given) =>
    pipe(
      roomAndActor(ports, given),
      E.apS('topic', givenTopic(ports, given)),
      E.map((asked) => ({ type: 'SetTopic', ...asked }) as const),
    ),
  ),
};
