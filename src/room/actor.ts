import * as t from 'io-ts';
import { MemberUri } from './address.ts';

/** Who does things, and as what: shared by commands, events and the room itself. */

interface OperatorBrand {
  readonly Operator: unique symbol;
}
/** What an operator is called. */
export const operatorName = /^operator:[A-Za-z0-9_.@-]{1,64}$/;

/** Somebody with access to the management interface, or imcd itself: may do what an owner may. */
export const Operator = t.brand(
  t.string,
  (s): s is t.Branded<string, OperatorBrand> => operatorName.test(s),
  'Operator',
);
export type Operator = t.TypeOf<typeof Operator>;

/** Who asks: a user, or an operator. */
export const Actor = t.union([MemberUri, Operator], 'Actor');
export type Actor = t.TypeOf<typeof Actor>;

/** imcd itself. */
export const systemOperator = 'operator:imcd' as Operator;

export const isOperator = (actor: Actor): actor is Operator => actor.startsWith('operator:');

/** What a member may be. One who is invited has no role yet. */
export const Role = t.union([t.literal('owner'), t.literal('admin'), t.literal('member')], 'Role');
export type Role = t.TypeOf<typeof Role>;

/** `sips` of a user who was written with that scheme; absent for `sip`. Remembered for the day TLS is there. */
export const scheme = t.partial({ scheme: t.literal('sips') });

/** The scheme of a user as an event or a command keeps it, for a spread. */
export const withScheme = (of: { readonly scheme?: 'sip' | 'sips' | undefined }): { readonly scheme?: 'sips' } =>
  of.scheme === 'sips' ? { scheme: 'sips' } : {};
