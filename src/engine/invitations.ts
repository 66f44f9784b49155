import { BoundedMap } from '../bounds/bounded-map.ts';
import type { Clock } from '../ports/clock.ts';
import type { Courier, Delivery } from '../ports/courier.ts';
import type { Log } from '../ports/log.ts';
import type { Rooms } from '../read-models/rooms.ts';
import { systemOperator } from '../room/actor.ts';
import { type MemberUri, memberKey, roomKey } from '../room/address.ts';
import type { Announcement } from '../room/announce.ts';
import type { RoomCommand } from '../room/commands.ts';
import { type Announcer, type AnnouncerPorts, textMessage } from './announcer.ts';
import type { Origin } from './conference.ts';
import { count, type EngineCounters } from './counters.ts';
import type { Job, Settlement } from './decide-batch.ts';

export interface InvitationPorts {
  readonly courier: Courier;
  readonly clock: Clock;
  readonly log: Log;
  readonly rooms: Rooms;
  readonly counters: EngineCounters;
  readonly submit: (job: Job) => void;
  /** What a withdrawal shall tell. */
  readonly announce: Announcer['announce'];
}

/** How many invitations may be under way; beyond, the oldest one's failure is no longer waited for. */
const mostInvitations = 10_000;
/** A withdrawal is tried again while the log is away: after so long, this often. */
const withdrawAgainMs = 1_000;
const withdrawalTries = 600;

/** An invitation on its way, and the event that made it. */
interface Sent {
  readonly invitation: Announcement;
  readonly invited: MemberUri;
  readonly origin: Origin;
  readonly eventId: string | undefined;
  /** `since` of the invited one: another node may meanwhile take the answer to this invitation, and make the next one. */
  readonly invitedAt: string | undefined;
}

/** Sends an invitation. One that ends in a failure at every device of the invited is withdrawn. */
export const createInvite = (ports: InvitationPorts): AnnouncerPorts['invite'] => {
  const { courier, clock, counters, rooms } = ports;
  // An invitation that was sent again supersedes the one before: only the last one's failure withdraws it.
  const latest = new BoundedMap<string, number>(mostInvitations);
  let serial = 0;
  return (invitation, origin, eventId) => {
    const { from, recipients, text } = invitation;
    const [invited] = recipients;
    if (invited === undefined) return;
    const invitedAt = rooms.get(roomKey(from))?.members.get(memberKey(invited))?.since;
    const place = `${from}\n${invited}`.toLowerCase();
    serial += 1;
    const mine = serial;
    if (latest.set(place, mine)) count(counters.failures, 'InvitationForgotten');
    courier.send({
      ...textMessage(from, recipients, text, origin),
      onDelivery: (_, delivery) => {
        if (latest.get(place) !== mine) return;
        latest.delete(place);
        if (delivery.kind !== 'failed') return;
        // Not from within the courier: it may have failed before `send` returned, and so before the answer had left.
        clock.after(0, () => undelivered(ports, { invitation, invited, origin, eventId, invitedAt }, delivery));
      },
    });
  };
};

const undelivered = (ports: InvitationPorts, sent: Sent, delivery: Delivery): void => {
  const { invitation, invited: member, origin, invitedAt } = sent;
  const room = invitation.from;
  ports.log.info({ room, member, delivery, callId: origin.correlationId }, 'an invitation could not be delivered');
  const command: RoomCommand = { type: 'WithdrawInvitation', room, actor: systemOperator, member };
  withdraw(ports, sent, invitedAt === undefined ? command : { ...command, invitedAt }, 0);
};

const staysPending = 'an invitation that could not be delivered stays pending: the log was away too long';

const withdraw = (ports: InvitationPorts, sent: Sent, command: RoomCommand, tries: number): void => {
  const { clock, log, submit, announce } = ports;
  const origin: Origin = { source: 'imcd', correlationId: sent.origin.correlationId };
  const settle = ({ answer, announcements, eventId }: Settlement): void => {
    if (answer.kind === 'done') announce(announcements, origin, eventId);
    if (answer.kind !== 'failed') return; // Refused: the room is gone, and the invitation with it.
    const { failure } = answer;
    if (failure.kind === 'StoreClosed') return; // The server ends; a retry would keep it for ten minutes.
    if (tries < withdrawalTries) clock.after(withdrawAgainMs, () => withdraw(ports, sent, command, tries + 1));
    else log.error({ room: command.room, failure }, staysPending);
  };
  submit({ command, origin, settle, ...(sent.eventId === undefined ? {} : { causationId: sent.eventId }) });
};
