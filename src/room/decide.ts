import * as E from 'fp-ts/lib/Either.js';
import { memberKey } from './address.ts';
import { type Actor, isOperator, type RoomCommand } from './commands.ts';
import type { RoomEvent } from './events.ts';
import type { Refusal } from './refusals.ts';
import type { Member, Room, RoomState } from './room.ts';

/** What the configuration says about rooms. */
export interface Policy {
  /** `create_on_join`: a `#join` of a missing room makes it. */
  readonly createOnJoin: boolean;
  /** `check_on_create`: a `#create` of an existing room is refused 409. */
  readonly checkOnCreate: boolean;
}

type Decision = E.Either<Refusal, readonly RoomEvent[]>;
type Asked<T extends RoomCommand['type']> = Extract<RoomCommand, { type: T }>;

const refuse = (refusal: Refusal): Decision => E.left(refusal);
const happens = (event: RoomEvent): Decision => E.right([event]);
/** Accepted, and nothing changes. */
const nothing: Decision = E.right([]);

/**
 * What a command does to a room (behaviour section 3): the one event that it leads to, none where nothing changes, or why
 * not. Guards stand in the order of the answers: 404, 403, 409.
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
    }
  };

const find = (room: Room, actor: Actor): Member | undefined =>
  isOperator(actor) ? undefined : room.members.get(memberKey(actor));

/** Who asks has no place here at all. */
const isStranger = (room: Room, actor: Actor): boolean => !isOperator(actor) && find(room, actor) === undefined;

const mayManage = (room: Room, actor: Actor): boolean => {
  const role = find(room, actor)?.role;
  return isOperator(actor) || role === 'owner' || role === 'admin';
};

const isOwner = (room: Room, actor: Actor): boolean => isOperator(actor) || find(room, actor)?.role === 'owner';

const withScheme = ({ scheme }: { readonly scheme?: 'sips' | undefined }): { readonly scheme?: 'sips' } =>
  scheme === undefined ? {} : { scheme };

const create = (policy: Policy, command: Asked<'CreateRoom'>, room: RoomState): Decision => {
  if (room !== undefined) {
    if (policy.checkOnCreate) return refuse({ reason: 'RoomExists' });
    const member = find(room, command.actor);
    if (room.private) return member === undefined ? refuse({ reason: 'RoomIsPrivate' }) : nothing;
    return enter(command, room);
  }
  const { actor, private: isPrivate } = command;
  return happens({
    type: 'RoomCreated',
    data: { room: command.room, owner: actor, private: isPrivate, cause: 'create', ...withScheme(command) },
  });
};

const join = (policy: Policy, command: Asked<'JoinRoom'>, room: RoomState): Decision => {
  if (room !== undefined) return enter(command, room);
  if (!policy.createOnJoin) return refuse({ reason: 'NoSuchRoom' });
  return happens({
    type: 'RoomCreated',
    data: { room: command.room, owner: command.actor, private: false, cause: 'join', ...withScheme(command) },
  });
};

const enter = (command: Asked<'JoinRoom' | 'CreateRoom'>, room: Room): Decision => {
  const member = find(room, command.actor);
  if (member?.role === 'invited') {
    return happens({ type: 'InvitationAccepted', data: { room: room.uri, member: member.uri } });
  }
  if (member !== undefined) return nothing;
  if (room.private) return refuse({ reason: 'NotInvited' });
  return happens({ type: 'MemberJoined', data: { room: room.uri, member: command.actor, ...withScheme(command) } });
};

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
  const member = find(room, command.actor);
  if (member === undefined) return refuse({ reason: 'NotInvited' });
  if (member.role !== 'invited') return nothing;
  return happens({ type: 'InvitationAccepted', data: { room: room.uri, member: member.uri } });
};

const denied = (room: Room, { uri, inviter }: Member): Decision =>
  happens({ type: 'InvitationDenied', data: { room: room.uri, member: uri, inviter: inviter ?? uri } });

const deny = (command: Asked<'DenyInvitation'>, room: Room): Decision => {
  const member = find(room, command.actor);
  return member?.role === 'invited' ? denied(room, member) : refuse({ reason: 'NotInvited' });
};

const remove = (command: Asked<'RemoveMember'>, room: Room): Decision => {
  const key = memberKey(command.member);
  const known = room.members.get(key);
  if (known === undefined && mayManage(room, command.actor))
    return refuse({ reason: 'NoSuchMember', member: command.member });
  if (known === undefined || !mayManage(room, command.actor)) return refuse({ reason: 'NotOwnerOrAdmin' });
  if (key === room.owner) return refuse({ reason: 'OwnerCannotBeRemoved' });
  const { uri, role, inviter } = known;
  if (role !== 'invited') {
    return happens({ type: 'MemberRemoved', data: { room: room.uri, member: uri, by: command.actor } });
  }
  return happens({
    type: 'InvitationWithdrawn',
    data: { room: room.uri, member: uri, inviter: inviter ?? command.actor, by: command.actor, cause: 'removed' },
  });
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
  isOwner(room, command.actor)
    ? happens({ type: 'RoomDestroyed', data: { room: room.uri, by: command.actor, cause: 'destroy' } })
    : refuse({ reason: 'NotOwner' });

const list = (command: Asked<'ListMembers'>, room: Room): Decision => {
  const member = find(room, command.actor);
  return member === undefined || member.role === 'invited' ? refuse({ reason: 'NotMember' }) : nothing;
};

const add = (command: Asked<'AddMember'>, room: Room): Decision => {
  if (!mayManage(room, command.actor)) return refuse({ reason: 'NotOwnerOrAdmin' });
  const known = room.members.get(memberKey(command.member));
  if (known !== undefined && known.role !== 'invited') return refuse({ reason: 'AlreadyMember', member: known.uri });
  return happens({
    type: 'MemberAdded',
    data: { room: room.uri, member: known?.uri ?? command.member, by: command.actor, ...withScheme(command) },
  });
};

const changeRole = (command: Asked<'ChangeRole'>, room: Room): Decision => {
  const { actor, role } = command;
  if (isStranger(room, actor)) return refuse({ reason: 'NotOwnerOrAdmin' });
  const known = room.members.get(memberKey(command.member));
  if (known === undefined || known.role === 'invited')
    return refuse({ reason: 'NoSuchMember', member: command.member });
  if (role === 'owner' && !isOwner(room, actor)) return refuse({ reason: 'NotOwner' });
  if (!mayManage(room, actor)) return refuse({ reason: 'NotOwnerOrAdmin' });
  if (known.role === role) return nothing;
  if (known.role === 'owner') return refuse({ reason: 'OwnerCannotBeDemoted' });
  return happens({ type: 'RoleChanged', data: { room: room.uri, member: known.uri, role, by: actor } });
};

const withdraw = (command: Asked<'WithdrawInvitation'>, room: RoomState): Decision => {
  const member = room?.members.get(memberKey(command.member));
  if (room === undefined || member?.role !== 'invited') return nothing;
  return happens({
    type: 'InvitationWithdrawn',
    data: {
      room: room.uri,
      member: member.uri,
      inviter: member.inviter ?? command.actor,
      by: command.actor,
      cause: 'undeliverable',
    },
  });
};
