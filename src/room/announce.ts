import { type Actor, isOperator } from './actor.ts';
import { type MemberUri, memberKey, type RoomUri } from './address.ts';
import type { RoomCommand } from './commands.ts';
import type { Change } from './decide.ts';
import type { EventData, LaterType, RoomEvent } from './events.ts';
import { type Room, type RoomState, recipientsOf } from './room.ts';
import * as texts from './texts.ts';

/** What shall be told, to whom. */
export interface Announcement {
  /** The room's own URI, in the case first seen. */
  readonly from: RoomUri;
  readonly recipients: readonly MemberUri[];
  readonly text: string;
  /** `invitation`: its failure at every device withdraws it. `list`: may be sent in parts, whole lines each. */
  readonly kind: 'broadcast' | 'notice' | 'invitation' | 'list';
}

/** What the texts take from the configuration. */
export interface AnnounceOptions {
  /** `imc_cmd_start_char`: stands in invitations. */
  readonly startChar: string;
}

/**
 * Who is told what of a command, and of the event that it led to. Computed from the room before that event, since the
 * read model applies it in place; to be sent after the command's answer, from the live path only.
 */
export const announce = (
  before: RoomState,
  command: RoomCommand,
  [event]: Change,
  options: AnnounceOptions,
): readonly Announcement[] => {
  if (event !== undefined) return ofEvent(before, event, options);
  return before === undefined ? [] : unchanged(before, command, options);
};

const notice = (from: RoomUri, to: Actor, text: string): readonly Announcement[] =>
  isOperator(to) ? [] : [{ from, recipients: [to], text, kind: 'notice' }];

const broadcast = (from: RoomUri, recipients: readonly MemberUri[], text: string): Announcement => ({
  from,
  recipients,
  text,
  kind: 'broadcast',
});

const invitation = (room: Room, invited: MemberUri, by: Actor, { startChar }: AnnounceOptions): Announcement => ({
  from: room.uri,
  recipients: [invited],
  text: texts.invitation(by, startChar),
  kind: 'invitation',
});

/** Accepted, and nothing has changed: what the sender is told, or an invitation once more. */
const unchanged = (room: Room, command: RoomCommand, options: AnnounceOptions): readonly Announcement[] => {
  switch (command.type) {
    case 'CreateRoom': // Of a public room it is a join; of a private one the table has no text for its members.
      return room.private ? [] : notice(room.uri, command.actor, texts.alreadyThere);
    case 'JoinRoom':
    case 'AcceptInvitation':
      return notice(room.uri, command.actor, texts.alreadyThere);
    case 'ShowTopic':
      return notice(room.uri, command.actor, texts.topicIs(room.topic));
    case 'ListMembers':
      return [{ from: room.uri, recipients: [command.actor], text: texts.memberList(room), kind: 'list' }];
    case 'InviteMember': {
      // The invitation that is on record: it names the one who will be told how it ends.
      const known = room.members.get(memberKey(command.member));
      return known?.role === 'invited' ? [invitation(room, known.uri, known.inviter, options)] : [];
    }
    case 'DenyInvitation':
    case 'RemoveMember':
    case 'ExitRoom':
    case 'DestroyRoom':
    case 'AddMember':
    case 'ChangeRole':
    case 'SetTopic':
    case 'WithdrawInvitation':
      return [];
  }
};

const others = (everybody: readonly MemberUri[], member: MemberUri): readonly MemberUri[] => {
  const key = memberKey(member);
  return everybody.filter((uri) => memberKey(uri) !== key);
};

/** `before`: the room before the event. */
type Tell<Data> = (before: Room, data: Data, options: AnnounceOptions) => readonly Announcement[];

/** All are told, the new member too; and then this one alone what the topic is, where there is one. */
const tellEntered: Tell<EventData['MemberJoined']> = (before, { member }) => [
  broadcast(before.uri, [...recipientsOf(before), member], texts.joined(member)),
  ...(before.topic === '' ? [] : notice(before.uri, member, texts.topicIs(before.topic))),
];

const leftTo = (before: Room, member: MemberUri): Announcement =>
  broadcast(before.uri, others(recipientsOf(before), member), texts.left(member));

/** A type of event that has no row here does not compile. */
const tells: { readonly [T in LaterType]: Tell<EventData[T]> } = {
  MemberJoined: tellEntered,
  InvitationAccepted: tellEntered,
  MemberAdded: tellEntered,
  MemberInvited: (before, { member, by }, options) => [invitation(before, member, by, options)],
  InvitationDenied: (before, { member, inviter }) => notice(before.uri, inviter, texts.denied(member)),
  InvitationWithdrawn: (before, { member, inviter, cause }) =>
    cause === 'undeliverable'
      ? notice(before.uri, inviter, texts.notRegistered(member))
      : notice(before.uri, member, texts.removed),
  MemberRemoved: (before, { member }) => [...notice(before.uri, member, texts.removed), leftTo(before, member)],
  MemberExited: (before, { member }) => [leftTo(before, member)],
  RoleChanged: (before, { member, role }) => [
    broadcast(before.uri, recipientsOf(before), texts.roleChanged(member, role)),
  ],
  TopicChanged: (before, { topic, by }) => [broadcast(before.uri, recipientsOf(before), texts.topicChanged(by, topic))],
  RoomDestroyed: (before) => [broadcast(before.uri, recipientsOf(before), texts.destroyed)],
};

const ofEvent = (before: RoomState, event: RoomEvent, options: AnnounceOptions): readonly Announcement[] => {
  if (event.type === 'RoomCreated') return notice(event.data.room, event.data.owner, texts.created);
  // No other event is decided on a room that is not there.
  return before === undefined ? [] : ofLater(before, event, options);
};

const ofLater = <T extends LaterType>(before: Room, { type, data }: RoomEvent<T>, options: AnnounceOptions) =>
  tells[type](before, data, options);
