import * as E from 'fp-ts/lib/Either.js';
import { type Actor, isOperator, withScheme } from './actor.ts';
import { type MemberUri, memberKey } from './address.ts';
import type { RoomCommand } from './commands.ts';
import type { RoomEvent } from './events.ts';
import type { Refusal } from './refusals.ts';
import { type Invited, type Member, memberOf, type Room, type RoomState } from './room.ts';

/** What the configuration says about rooms. */
export interface Policy {
  /** `create_on_join`: a `#join` of a missing room makes it. */
  readonly createOnJoin: boolean;
  /** `check_on_create`: a `#create` of an existing room is refused 409. */
  readonly checkOnCreate: boolean;
}

/** What a command leads to: one event, or none where nothing changes. Whoever writes it and tells of it may rely on that. */
export type Change = readonly [] | readonly [RoomEvent];

type Decision = E.Either<Refusal, Change>;
type Asked<T extends RoomCommand['type']> = Extract<RoomCommand, { type: T }>;

const refuse = (refusal: Refusal): Decision => E.left(refusal);
const happens = (event: RoomEvent): Decision => E.right([event]);
/** Accepted, and nothing changes. */
const nothing: Decision = E.right([]);

/**
 * What a command does to a room (behaviour section 3): the one event that it leads to, none where nothing changes, or why
 * not. Guards stand in the order of the answers: 404, 403, 409; but who may not see the list of members is not told by a 404
 * or a 409 who is on it. An operator may do what an owner may.
 */
export const decide =
  (policy: Policy) =>
  (command: RoomCommand) =>
  (room: RoomState): Decision => {
    if (command.type === 'CreateRoom') return create(policy, command, room);
    if (command.type === 'JoinRoom') return join(policy, command, room);
    if (command.type === 'WithdrawInvitation') return withdraw(command, room);
    if (room === undefined) return refuse({ reason: 'NoSuchRoom' });
    switch (command.type) {
      case 'InviteMember':
        return invite(command, room);
      case 'AcceptInvitation':
        return accept(command, room);
      case 'DenyInvitation':
        return deny(command, room);
      case 'RemoveMember':
        return remove(command, room);
      case 'ExitRoom':
        return exit(command, room);
      case 'DestroyRoom':
        return destroy(command, room);
      case 'ListMembers':
        return list(command, room);
      case 'AddMember':
        return add(command, room);
      case 'ChangeRole':
        return changeRole(command, room);
      case 'ShowTopic':
        return showTopic(command, room);
      case 'SetTopic':
        return setTopic(command, room);
    }
  };

/** Who asks, as the room knows them: a member, an invited user, or neither. */
const find = (room: Room, actor: MemberUri): Member | undefined => room.members.get(memberKey(actor));

/** `list` shows the members to this one, and `topic` the topic. */
const maySee = (room: Room, actor: Actor): boolean =>
  isOperator(actor) || memberOf(room, memberKey(actor)) !== undefined;

const mayOwn = (room: Room, actor: Actor): boolean => isOperator(actor) || memberKey(actor) === room.owner;

const mayManage = (room: Room, actor: Actor): boolean =>
  isOperator(actor) || memberKey(actor) === room.owner || find(room, actor)?.role === 'admin';

const create = (policy: Policy, command: Asked<'CreateRoom'>, room: RoomState): Decision => {
  if (room === undefined) {
    const { room: uri, actor: owner, private: isPrivate } = command;
    const data = { room: uri, owner, private: isPrivate, cause: 'create' as const, ...withScheme(command) };
    return happens({ type: 'RoomCreated', data });
  }
  if (policy.checkOnCreate) return refuse({ reason: 'RoomExists' });
  if (!room.private) return enter(command, room);
  return memberOf(room, memberKey(command.actor)) === undefined ? refuse({ reason: 'RoomIsPrivate' }) : nothing;
};

const join = (policy: Policy, command: Asked<'JoinRoom'>, room: RoomState): Decision => {
  if (room !== undefined) return enter(command, room);
  if (!policy.createOnJoin) return refuse({ reason: 'NoSuchRoom' });
  const { room: uri, actor: owner } = command;
  const data = { room: uri, owner, private: false, cause: 'join' as const, ...withScheme(command) };
  return happens({ type: 'RoomCreated', data });
};

const enter = (command: Asked<'JoinRoom' | 'CreateRoom'>, room: Room): Decision => {
  const known = find(room, command.actor);
  if (known?.role === 'invited') return accepted(command, room, known);
  if (known !== undefined) return nothing;
  if (room.private) return refuse({ reason: 'NotInvited' });
  return happens({ type: 'MemberJoined', data: { room: room.uri, member: command.actor, ...withScheme(command) } });
};

const accepted = (command: Asked<'AcceptInvitation' | 'JoinRoom' | 'CreateRoom'>, room: Room, invited: Invited) =>
  happens({ type: 'InvitationAccepted', data: { room: room.uri, member: invited.uri, ...withScheme(command) } });

const invite = (command: Asked<'InviteMember'>, room: Room): Decision => {
  if (!mayManage(room, command.actor)) return refuse({ reason: 'NotOwnerOrAdmin' });
  const known = room.members.get(memberKey(command.member));
  if (known?.role === 'invited') return nothing;
  if (known !== undefined) return refuse({ reason: 'AlreadyMember', member: known.uri });
  return happens({
    type: 'MemberInvited',
    data: { room: room.uri, member: command.member, by: command.actor, ...withScheme(command) },
  });
};

const accept = (command: Asked<'AcceptInvitation'>, room: Room): Decision => {
  const known = find(room, command.actor);
  if (known === undefined) return refuse({ reason: 'NotInvited' });
  return known.role === 'invited' ? accepted(command, room, known) : nothing;
};

/** A member has nothing to deny, and must not think that this was an exit. */
const deny = (command: Asked<'DenyInvitation'>, room: Room): Decision => {
  const known = find(room, command.actor);
  return known?.role === 'invited' ? denied(room, known) : refuse({ reason: 'NotInvited' });
};

const denied = (room: Room, { uri: member, inviter }: Invited): Decision =>
  happens({ type: 'InvitationDenied', data: { room: room.uri, member, inviter } });

const remove = (command: Asked<'RemoveMember'>, room: Room): Decision => {
  const { actor, member } = command;
  if (!maySee(room, actor)) return refuse({ reason: 'NotOwnerOrAdmin' });
  const known = room.members.get(memberKey(member));
  if (known === undefined) return refuse({ reason: 'NoSuchMember', member });
  if (!mayManage(room, actor)) return refuse({ reason: 'NotOwnerOrAdmin' });
  if (known.role === 'owner') return refuse({ reason: 'OwnerCannotBeRemoved' });
  if (known.role === 'invited') return withdrawn(room, known, actor, 'removed');
  return happens({ type: 'MemberRemoved', data: { room: room.uri, member: known.uri, by: actor } });
};

const withdrawn = (room: Room, invited: Invited, by: Actor, cause: 'removed' | 'undeliverable'): Decision => {
  const { uri: member, inviter } = invited;
  return happens({ type: 'InvitationWithdrawn', data: { room: room.uri, member, inviter, by, cause } });
};

const exit = (command: Asked<'ExitRoom'>, room: Room): Decision => {
  const member = find(room, command.actor);
  if (member === undefined) return refuse({ reason: 'NotMember' });
  if (member.role === 'invited') return denied(room, member);
  if (member.role === 'owner') {
    return happens({ type: 'RoomDestroyed', data: { room: room.uri, by: command.actor, cause: 'exit' } });
  }
  return happens({ type: 'MemberExited', data: { room: room.uri, member: member.uri } });
};

const destroy = (command: Asked<'DestroyRoom'>, room: Room): Decision =>
  mayOwn(room, command.actor)
    ? happens({ type: 'RoomDestroyed', data: { room: room.uri, by: command.actor, cause: 'destroy' } })
    : refuse({ reason: 'NotOwner' });

const list = (command: Asked<'ListMembers'>, room: Room): Decision =>
  maySee(room, command.actor) ? nothing : refuse({ reason: 'NotMember' });

const add = (command: Asked<'AddMember'>, room: Room): Decision => {
  if (!mayManage(room, command.actor)) return refuse({ reason: 'NotOwnerOrAdmin' });
  const known = room.members.get(memberKey(command.member));
  if (known !== undefined && known.role !== 'invited') return refuse({ reason: 'AlreadyMember', member: known.uri });
  const member = known?.uri ?? command.member;
  return happens({ type: 'MemberAdded', data: { room: room.uri, member, by: command.actor, ...withScheme(command) } });
};

const changeRole = (command: Asked<'ChangeRole'>, room: Room): Decision => {
  const { actor, member, role } = command;
  if (!maySee(room, actor)) return refuse({ reason: 'NotOwnerOrAdmin' });
  const known = memberOf(room, memberKey(member));
  if (known === undefined) return refuse({ reason: 'NoSuchMember', member });
  if (!mayManage(room, actor)) return refuse({ reason: 'NotOwnerOrAdmin' });
  if (role === 'owner' && !mayOwn(room, actor)) return refuse({ reason: 'NotOwner' });
  if (known.role === role) return nothing;
  if (known.role === 'owner') return refuse({ reason: 'OwnerCannotBeDemoted' });
  return happens({ type: 'RoleChanged', data: { room: room.uri, member: known.uri, role, by: actor } });
};

const showTopic = (command: Asked<'ShowTopic'>, room: Room): Decision =>
  maySee(room, command.actor) ? nothing : refuse({ reason: 'NotMember' });

const setTopic = ({ actor, topic }: Asked<'SetTopic'>, room: Room): Decision => {
  if (!mayManage(room, actor)) return refuse({ reason: 'NotOwnerOrAdmin' });
  if (topic === room.topic) return nothing;
  return happens({ type: 'TopicChanged', data: { room: room.uri, topic, by: actor } });
};

const withdraw = (command: Asked<'WithdrawInvitation'>, room: RoomState): Decision => {
  const known = room?.members.get(memberKey(command.member));
  if (room === undefined || known?.role !== 'invited') return nothing;
  if (command.invitedAt !== undefined && command.invitedAt !== known.since) return nothing;
  return withdrawn(room, known, command.actor, 'undeliverable');
};
