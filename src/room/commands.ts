import * as t from 'io-ts';
import { Actor, Role, scheme } from './actor.ts';
import { MemberUri, RoomUri } from './address.ts';

/**
 * Intents, imperative (behaviour section 3). `syntax.ts` makes them from a message body, the MI from the arguments of its
 * methods, and the engine one from an invitation that could not be delivered.
 */

const byUser = <T extends string, P extends t.Props>(type: T, props: P) =>
  t.strict({ type: t.literal(type), room: RoomUri, actor: MemberUri, ...props }, type);
const byAnyone = <T extends string, P extends t.Props>(type: T, props: P) =>
  t.strict({ type: t.literal(type), room: RoomUri, actor: Actor, ...props }, type);
/** Of a command that brings a user in, `scheme` is how that user was written. */
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
    byAnyone('ChangeRole', { member: MemberUri, role: Role }),
    byUser('ShowTopic', {}),
    /** `topic` as `parseText` gives it; empty: there shall be none. */
    byAnyone('SetTopic', { topic: t.string }),
    /**
     * The world's: an invitation ended in a failure at every device. Changes nothing where it is no longer pending; with
     * `invitedAt` (its `since`), where it is another invitation that is pending now.
     */
    t.intersection([byAnyone('WithdrawInvitation', { member: MemberUri }), t.partial({ invitedAt: t.string })]),
  ],
  'RoomCommand',
);
export type RoomCommand = t.TypeOf<typeof RoomCommand>;

/** One that asks and changes nothing: while the log is away it is answered from what is known, and told how old that is. */
export const isQuestion = ({ type }: RoomCommand): boolean => type === 'ListMembers' || type === 'ShowTopic';

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
