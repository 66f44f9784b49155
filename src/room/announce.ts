import { type MemberUri, memberKey, type RoomUri } from './address.ts';
import { type Actor, isOperator, type RoomCommand } from './commands.ts';
import type { RoomEvent } from './events.ts';
import { type Member, type Room, type RoomState, recipientsOf } from './room.ts';
import * as texts from './texts.ts';

/** What shall be told, to whom. */
export interface Announcement {
  /** The room's URI. */
  readonly from: RoomUri;
  readonly recipients: readonly MemberUri[];
  readonly text: string;
  /** `invitation`: its failure at every device withdraws it. `list`: may be sent in parts, whole lines each. */
  readonly kind: 'broadcast' | 'notice' | 'invitation' | 'list';
}

/** What stands in texts besides the room's own. */
export interface AnnounceOptions {
  readonly startChar: string;
}

/**
 * Who is told what of a command, and of the events that it led to. Computed from the room before those events, since the
 * projection applies them in place; to be sent after the command's answer, from the live path only.
 */
export const announce = (
  before: RoomState,
  command: RoomCommand,
  events: readonly RoomEvent[],
  options: AnnounceOptions,
): readonly Announcement[] => {
  if (events.length === 0) return before === undefined ? [] : unchanged(before, command, options);
  return events.flatMap((event) => ofEvent(before, event, options));
};

const notice = (from: RoomUri, to: Actor, text: string): readonly Announcement[] =>
  isOperator(to) ? [] : [{ from, recipients: [to], text, kind: 'notice' }];

const broadcast = (from: RoomUri, recipients: readonly MemberUri[], text: string): Announcement => ({
  from,
  recipients,
  text,
  kind: 'broadcast',
});

const without = (room: Room, member: MemberUri): readonly MemberUri[] => {
  const key = memberKey(member);
  return recipientsOf(room).filter((uri) => memberKey(uri) !== key);
};

const invitation = (room: Room, invited: MemberUri, by: Actor, { startChar }: AnnounceOptions): Announcement => ({
  from: room.uri,
  recipients: [invited],
  text: texts.invitation(by, startChar),
  kind: 'invitation',
});

const unchanged = (room: Room, command: RoomCommand, options: AnnounceOptions): readonly Announcement[] => {
  switch (command.type) {
    case 'CreateRoom':
    case 'JoinRoom':
    case 'AcceptInvitation':
      return notice(room.uri, command.actor, texts.alreadyThere);
    case 'ListMembers':
      return [{ from: room.uri, recipients: [command.actor], text: texts.memberList(room), kind: 'list' }];
    case 'InviteMember': {
      const invited: Member | undefined = room.members.get(memberKey(command.member));
      return invited === undefined ? [] : [invitation(room, invited.uri, command.actor, options)];
    }
    case 'DenyInvitation':
    case 'RemoveMember':
    case 'ExitRoom':
    case 'DestroyRoom':
    case 'AddMember':
    case 'ChangeRole':
    case 'WithdrawInvitation':
      return [];
  }
};

const ofEvent = (before: RoomState, event: RoomEvent, options: AnnounceOptions): readonly Announcement[] => {
  if (event.type === 'RoomCreated') return notice(event.data.room, event.data.owner, texts.created);
  if (before === undefined) return [];
  const { uri } = before;
  const everybody = recipientsOf(before);
  switch (event.type) {
    case 'MemberJoined':
    case 'InvitationAccepted':
    case 'MemberAdded': {
      const { member } = event.data;
      return [broadcast(uri, [...everybody, member], texts.joined(member))];
    }
    case 'MemberInvited':
      return [invitation(before, event.data.member, event.data.by, options)];
    case 'InvitationDenied':
      return notice(uri, event.data.inviter, texts.denied(event.data.member));
    case 'InvitationWithdrawn': {
      const { member, inviter, cause } = event.data;
      return cause === 'undeliverable'
        ? notice(uri, inviter, texts.notRegistered(member))
        : notice(uri, member, texts.removed);
    }
    case 'MemberRemoved': {
      const { member } = event.data;
      return [...notice(uri, member, texts.removed), broadcast(uri, without(before, member), texts.left(member))];
    }
    case 'MemberExited':
      return [broadcast(uri, without(before, event.data.member), texts.left(event.data.member))];
    case 'RoleChanged':
      return [broadcast(uri, everybody, texts.roleChanged(event.data.member, event.data.role))];
    case 'RoomDestroyed':
      return [broadcast(uri, everybody, texts.destroyed)];
  }
};
