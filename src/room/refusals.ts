import * as t from 'io-ts';
import { MemberUri } from './address.ts';

/** Expected noes: data, never a sentence. `texts.ts` words them; their status, the same in SIP and in MI, stands at the end. */

const refusal = <R extends string, P extends t.Props>(reason: R, props: P) =>
  t.strict({ reason: t.literal(reason), ...props }, reason);

/** What a room says no to (behaviour section 3). */
export const Refusal = t.union(
  [
    refusal('NoSuchRoom', {}),
    refusal('NoSuchMember', { member: MemberUri }),
    refusal('NotMember', {}), // neither member nor invited
    refusal('NotInvited', {}), // private room, or accept/deny without an invitation
    refusal('NotOwner', {}), // only the owner may
    refusal('NotOwnerOrAdmin', {}), // only owner and admins may
    refusal('OwnerCannotBeRemoved', {}),
    refusal('OwnerCannotBeDemoted', {}), // hand over first
    refusal('RoomIsPrivate', {}), // create of an existing private room
    refusal('AlreadyMember', { member: MemberUri }),
    refusal('RoomExists', {}), // check_on_create
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

/** The status of each: SIP's of the answer (behaviour sections 3 and 5), and the code of MI's error. */
const statuses: Readonly<Record<Refusal['reason'], 403 | 404 | 409> & Record<Malformed['reason'], 400>> = {
  NoSuchRoom: 404,
  NoSuchMember: 404,
  NotMember: 403,
  NotInvited: 403,
  NotOwner: 403,
  NotOwnerOrAdmin: 403,
  OwnerCannotBeRemoved: 403,
  OwnerCannotBeDemoted: 403,
  RoomIsPrivate: 403,
  AlreadyMember: 409,
  RoomExists: 409,
  UnknownCommand: 400,
  MissingCommandName: 400,
  MissingArgument: 400,
  TooManyArguments: 400,
  BadArgument: 400,
  BadAddress: 400,
  TooLong: 400,
  BadText: 400,
  NotARoom: 400,
  ForeignDomain: 400,
  RoomNeeded: 400,
  ManagerTakesNoChat: 400,
};

/** What a refusal is answered with: 400, 403, 404 or 409. */
export const refusalStatus = ({ reason }: Refusal | Malformed): 400 | 403 | 404 | 409 => statuses[reason];
