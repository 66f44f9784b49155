import { type MemberUri, memberKey, type RoomUri } from '../../room/address.ts';
import type { EventData, EventType, RoomEvent } from '../../room/events.ts';
import { flagOf, memberFlags, roomFlags } from './rows.ts';

/**
 * What a batch of events changes in the tables, net: who joins and leaves within one batch costs no row.
 *
 * The plan knows nothing of the rows that are there. It needs not to: a room's events name its rows exactly (room and member in
 * the case first seen), so the mirror holds no state but its checkpoint, starts at once, and takes no memory. What the plan
 * expects of the rows is checked when it is written: a change that finds its row missing is an alarm.
 */
export interface RoomPlan {
  /** The room as it stood before the batch, which ended within it: its row and all its members' go. */
  drop?: RoomUri;
  /** The room that was made within the batch: all its rows are in `members`, none is in the table. */
  create?: { readonly room: RoomUri; readonly flag: number };
  /** Members touched within the batch; of a room made within it, all. */
  members: Map<string, TouchedMember>;
  /** Handed over within the batch: the rows are written anew, owner first, and no other row says owner. */
  handedOver?: { readonly room: RoomUri; readonly owner: string };
  /** The room's URI, of the last event. */
  room: RoomUri;
}

export interface TouchedMember {
  /** Whether a row was there before the batch. `maybe`: added, and perhaps invited before. */
  readonly before: 'absent' | 'present' | 'maybe';
  /** How the row there spells the member. */
  readonly was: MemberUri;
  /** The row after the batch; `moved`: one that stands behind those that were there. */
  now: { readonly member: MemberUri; readonly flag: number; readonly moved: boolean } | undefined;
}

export const emptyPlan = (room: RoomUri): RoomPlan => ({ room, members: new Map() });

/** A place is taken anew, behind the others: by joining, by an invitation, by accepting one. */
const enter = (plan: RoomPlan, member: MemberUri, flag: number, before: TouchedMember['before']): void => {
  const key = memberKey(member);
  const touched = plan.members.get(key) ?? { before, was: member, now: undefined };
  // The case first seen stays while the place is held.
  touched.now = { member: touched.now?.member ?? member, flag, moved: true };
  plan.members.delete(key);
  plan.members.set(key, touched);
};

const leave = (plan: RoomPlan, member: MemberUri): void => {
  const key = memberKey(member);
  const touched = plan.members.get(key) ?? { before: 'present', was: member, now: undefined };
  touched.now = undefined;
  if (touched.before === 'absent') plan.members.delete(key);
  else plan.members.set(key, touched);
};

/** Another role in the same place. */
const setFlag = (plan: RoomPlan, member: MemberUri, flag: number): void => {
  const key = memberKey(member);
  const touched = plan.members.get(key) ?? { before: 'present', was: member, now: undefined };
  touched.now = { member: touched.now?.member ?? member, moved: touched.now?.moved ?? false, flag };
  plan.members.set(key, touched);
};

const handOver = (plan: RoomPlan, member: MemberUri): void => {
  // The owner until now becomes admin: known where this batch made it one, else whichever row says owner when the rows are
  // written anew.
  for (const touched of plan.members.values()) {
    if (touched.now?.flag === memberFlags.owner) touched.now = { ...touched.now, flag: memberFlags.admin };
  }
  setFlag(plan, member, memberFlags.owner);
  if (plan.create === undefined) plan.handedOver = { room: plan.room, owner: memberKey(member) };
};

type TakeIn<Data> = (plan: RoomPlan, data: Data) => void;

const leaves: TakeIn<EventData['MemberExited']> = (plan, { member }) => leave(plan, member);

/** A type of event that has no row here does not compile. */
const takeIn: { readonly [T in EventType]: TakeIn<EventData[T]> } = {
  RoomCreated: (plan, { room, owner, private: isPrivate }) => {
    plan.create = { room, flag: isPrivate ? roomFlags.private : 0 };
    plan.members = new Map();
    enter(plan, owner, memberFlags.owner, 'absent');
  },
  RoomDestroyed: (plan, { room }) => {
    if (plan.create === undefined) plan.drop = room;
    delete plan.create;
    delete plan.handedOver;
    plan.members = new Map();
  },
  MemberJoined: (plan, { member }) => enter(plan, member, 0, 'absent'),
  MemberInvited: (plan, { member }) => enter(plan, member, memberFlags.invited, 'absent'),
  MemberAdded: (plan, { member }) => enter(plan, member, 0, plan.create === undefined ? 'maybe' : 'absent'),
  InvitationAccepted: (plan, { member }) => enter(plan, member, 0, 'present'),
  InvitationDenied: leaves,
  InvitationWithdrawn: leaves,
  MemberRemoved: leaves,
  MemberExited: leaves,
  RoleChanged: (plan, { member, role }) => {
    if (role === 'owner') handOver(plan, member);
    else setFlag(plan, member, flagOf(role));
  },
  // The module's tables have no column for it.
  TopicChanged: () => {},
};

/** Takes one more event of the room into its plan, in the order of its stream. */
export const planEvent = <T extends EventType>(plan: RoomPlan, { type, data }: RoomEvent<T>): void => {
  plan.room = data.room;
  takeIn[type](plan, data);
};
