import * as t from 'io-ts';
import { MemberUri, RoomUri } from './address.ts';

/** Intents, imperative (behaviour section 3). `syntax.ts` makes them from a message body, the MI and the import from their own. */

interface OperatorBrand {
  readonly Operator: unique symbol;
}
/** What an operator is called. */
export const operatorName = /^operator:[A-Za-z0-9_.@-]{1,64}$/;

/** Somebody with access to the management interface, or imcd itself (`operator:imcd`): may do what an owner may. */
export const Operator = t.brand(
  t.string,
  (s): s is t.Branded<string, OperatorBrand> => operatorName.test(s),
  'Operator',
);
export type Operator = t.TypeOf<typeof Operator>;

/** Who asks: a user, or an operator. */
export const Actor = t.union([MemberUri, Operator], 'Actor');
export type Actor = t.TypeOf<typeof Actor>;

export const isOperator = (actor: Actor): actor is Operator => actor.startsWith('operator:');

const byUser = <T extends string, P extends t.Props>(type: T, props: P) =>
  t.strict({ type: t.literal(type), room: RoomUri, actor: MemberUri, ...props }, type);
const byAnyone = <T extends string, P extends t.Props>(type: T, props: P) =>
  t.strict({ type: t.literal(type), room: RoomUri, actor: Actor, ...props }, type);
/** Of a command that brings a user in: `sips` where the user was written so. */
const scheme = t.partial({ scheme: t.literal('sips') });

export const RoomCommand = t.union(
  [
    t.intersection([byUser('CreateRoom', { private: t.boolean }), scheme]),
    t.intersection([byUser('JoinRoom', {}), scheme]),
    t.intersection([byAnyone('InviteMember', { member: MemberUri }), scheme]),
    t.intersection([byUser('AcceptInvitation', {}), scheme]),
    byUser('DenyInvitation', {}),
    byAnyone('RemoveMember', { member: MemberUri }),
    byUser('ExitRoom', {}),
    byAnyone('DestroyRoom', {}),
    byUser('ListMembers', {}),
    t.intersection([byAnyone('AddMember', { member: MemberUri }), scheme]),
    byAnyone('ChangeRole', {
      member: MemberUri,
      role: t.union([t.literal('owner'), t.literal('admin'), t.literal('member')]),
    }),
    /**
     * The world's: an invitation ended in a failure at every device. Changes nothing where it is no longer pending; with
     * `invitedAt` (its `since`), where it is another invitation that is pending now.
     */
    t.intersection([byAnyone('WithdrawInvitation', { member: MemberUri }), t.partial({ invitedAt: t.string })]),
  ],
  'RoomCommand',
);
export type RoomCommand = t.TypeOf<typeof RoomCommand>;

/** Commands that ask no room: `#help`, `#rooms`. */
export const Query = t.union(
  [
    /** `about`: a command's name in the command table; absent for all of them. */
    t.intersection([t.strict({ type: t.literal('Help'), actor: MemberUri }, 'Help'), t.partial({ about: t.string })]),
    t.strict({ type: t.literal('ListRooms'), actor: MemberUri }, 'ListRooms'),
  ],
  'Query',
);
export type Query = t.TypeOf<typeof Query>;

export const Command = t.union([RoomCommand, Query], 'Command');
export type Command = t.TypeOf<typeof Command>;
