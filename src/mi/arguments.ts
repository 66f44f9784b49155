import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { Operator } from '../room/actor.ts';
import type { MemberUri, RoomUri } from '../room/address.ts';
import { parseText, topicRule } from '../room/parse-text.ts';
import { parseTime } from '../room/time.ts';
import type { Arguments, Param } from './method.ts';
import type { MiPorts } from './ports.ts';
import type { RpcError } from './rpc.ts';

/** Parameters that several methods take, and how each is read: what was given, or the error that its caller gets. */

const bad = (what: string): RpcError => ({ code: 400, message: `bad param: ${what}` });

export const roomParam: Param = { name: 'room', meaning: "the room's SIP URI: sip:chat-001@example.org" };

const emptyRoom: RpcError = { code: 400, message: 'empty param' };
const badRoom: RpcError = { code: 400, message: 'bad param' };

/** The errors are worded as OpenSIPS' imc words them. */
export const givenRoom = ({ parseRoom }: MiPorts, { room }: Arguments): E.Either<RpcError, RoomUri> => {
  if (room === '') return E.left(emptyRoom);
  if (typeof room !== 'string' || !/^sips?:/i.test(room)) return E.left(badRoom);
  return pipe(
    parseRoom(room),
    E.mapLeft(() => badRoom),
  );
};

export const userParam: Param = { name: 'user', meaning: "a user's SIP URI, user@domain, or user of our own domain" };
export const memberParam: Param = {
  name: 'member',
  meaning: "the member's SIP URI, user@domain, or user of our own domain",
};

/** @param name the parameter that names the user */
export const givenUser = (
  { parseMember }: MiPorts,
  given: Arguments,
  name: 'user' | 'member',
): E.Either<RpcError, MemberUri> => {
  const user = given[name];
  return pipe(
    typeof user === 'string' ? parseMember(user) : E.left('it must be text'),
    E.mapLeft((why) => bad(`${name}: ${why}`)),
  );
};

export const topicParam: Param = {
  name: 'topic',
  meaning: `what the room is about: one line of at most ${topicRule.most} bytes of UTF-8; empty takes it away`,
};

export const givenTopic = ({ explain }: MiPorts, { topic }: Arguments): E.Either<RpcError, string> =>
  typeof topic === 'string'
    ? pipe(
        parseText(topicRule, topic),
        E.mapLeft((no) => bad(`topic: ${explain(no)}`)),
      )
    : E.left(bad('topic: it must be text'));

export const operatorParam: Param = {
  name: 'operator',
  optional: true,
  meaning: 'who asks, for the history: letters, digits, _ . @ -; default mi',
};

export const givenOperator = ({ operator = 'mi' }: Arguments): E.Either<RpcError, Operator> =>
  pipe(
    `operator:${String(operator)}`,
    E.fromPredicate(Operator.is, () => bad('operator takes 1 to 64 letters, digits, _ . @ -')),
  );

const natural = {
  anyOf: [
    { type: 'integer', minimum: 0 },
    { type: 'string', pattern: '^[0-9]{1,15}$' },
  ],
};

/** An optional whole number, in JSON or as text. */
export const naturalParam = (name: string, meaning: string): Param => ({
  name,
  optional: true,
  meaning,
  schema: natural,
});

/** @param what says in the error what it is */
export const givenNatural = (
  given: Arguments,
  name: string,
  what = 'a whole number',
): E.Either<RpcError, number | undefined> => {
  const value = given[name];
  if (value === undefined) return E.right(undefined);
  const number = typeof value === 'string' && /^[0-9]{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0
    ? E.right(number)
    : E.left(bad(`${name} is ${what}`));
};

/** An optional time in RFC 3339, as events have it. */
export const givenTime = (given: Arguments, name: string): E.Either<RpcError, string | undefined> => {
  const value = given[name];
  if (value === undefined) return E.right(undefined);
  return pipe(
    parseTime(String(value)),
    E.mapLeft(() => bad(`${name} is a time such as 2026-11-22T14:00:00Z`)),
  );
};

/** Two parameters of which each says the same in another way. */
export const notBoth = (given: Arguments, one: string, other: string): E.Either<RpcError, void> =>
  given[one] === undefined || given[other] === undefined
    ? E.right(undefined)
    : E.left(bad(`only one of ${one} and ${other}`));
