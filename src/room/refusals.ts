import * as t from 'io-ts';
import { MemberUri } from './address.ts';

/** Expected noes: data, never a sentence. `texts.ts` words them, `sip/server/answers.ts` gives them a status. */

const refusal = <R extends string, P extends t.Props>(reason: R, props: P) =>
  t.strict({ reason: t.literal(reason), ...props }, reason);

/** What a room says no to (behaviour section 3). */
export const Refusal = t.union(
  [
    refusal('NoSuchRoom', {}), // 404
    refusal('NoSuchMember', { member: MemberUri }), // 404
    refusal('NotMember', {}), // 403: neither member nor invited
    refusal('NotInvited', {}), // 403: private room, or accept/deny without an invitation
    refusal('NotOwner', {}), // 403: only the owner may
    refusal('NotOwnerOrAdmin', {}), // 403: only owner and admins may
    refusal('OwnerCannotBeRemoved', {}), // 403
    refusal('OwnerCannotBeDemoted', {}), // 403: hand over first
    refusal('RoomIsPrivate', {}), // 403: create of an existing private room
    refusal('AlreadyMember', { member: MemberUri }), // 409
    refusal('RoomExists', {}), // 409: check_on_create
  ],
  'Refusal',
);
export type Refusal = t.TypeOf<typeof Refusal>;

/** What the grammar says no to: all answered 400, never a sentence (behaviour sections 1 and 2). */
export const Malformed = t.union(
  [
    refusal('UnknownCommand', { name: t.string }),
    refusal('MissingCommandName', {}),
    refusal('MissingArgument', { command: t.string, argument: t.string }),
    refusal('TooManyArguments', { command: t.string, most: t.number }),
    refusal('BadArgument', { command: t.string, argument: t.string, found: t.string, allowed: t.string }),
    refusal('BadAddress', { found: t.string }),
    /** `bytes` of UTF-8; characters where there is no `unit`. */
    t.intersection([
      refusal('TooLong', { what: t.string, found: t.number, most: t.number }),
      t.partial({ unit: t.literal('bytes') }),
    ]),
    refusal('BadText', { what: t.string, holds: t.union([t.literal('NotUtf8'), t.literal('ControlCharacter')]) }),
    refusal('NotARoom', { found: t.string }), // does not match the routing rule
    refusal('ForeignDomain', { found: t.string }), // a room on a domain that is not ours
    refusal('RoomNeeded', { command: t.string }), // sent to the manager without a room argument
    refusal('ManagerTakesNoChat', {}),
  ],
  'Malformed',
);
export type Malformed = t.TypeOf<typeof Malformed>;
