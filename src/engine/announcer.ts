import { BoundedMap } from '../bounds/bounded-map.ts';
import type { Clock } from '../ports/clock.ts';
import type { Courier, Delivery } from '../ports/courier.ts';
import type { MemberUri } from '../room/address.ts';
import type { Announcement } from '../room/announce.ts';
import { count, type EngineCounters } from './counters.ts';

/** Brings texts to people. Only the live path calls it: replay announces nothing. */
export interface Announcer {
  /**
   * @param inReplyTo Call-ID of the request that led to this
   * @param onUndelivered called where an invitation ended in a failure at every device, and is the last one sent
   */
  readonly announce: (
    announcements: readonly Announcement[],
    inReplyTo: string | undefined,
    onUndelivered: (invitation: Announcement, invited: MemberUri, delivery: Delivery) => void,
  ) => void;
  /** One text to one user, from an address. */
  readonly notify: (from: string, to: MemberUri, text: string, inReplyTo: string | undefined) => void;
}

/** How many invitations may be under way; beyond, the oldest one's failure is no longer waited for. */
const mostInvitations = 10_000;

export const createAnnouncer = (courier: Courier, clock: Clock, counters: EngineCounters): Announcer => {
  // An invitation that was sent again supersedes the one before: only the last one's failure withdraws it.
  const latest = new BoundedMap<string, number>(mostInvitations);
  let serial = 0;

  const invite: Announcer['announce'] = ([invitation], inReplyTo, onUndelivered) => {
    const invited = invitation?.recipients[0];
    if (invitation === undefined || invited === undefined) return;
    const place = `${invitation.from}\n${invited}`.toLowerCase();
    serial += 1;
    const mine = serial;
    if (latest.set(place, mine)) count(counters.failures, 'InvitationForgotten');
    courier.send({
      ...message(invitation.from, invitation.recipients, invitation.text, inReplyTo),
      onDelivery: (_, delivery) => {
        if (latest.get(place) !== mine) return;
        latest.delete(place);
        // Not from within the courier: it may have failed before `send` returned, and so before the answer had left.
        if (delivery.kind === 'failed') clock.after(0, () => onUndelivered(invitation, invited, delivery));
      },
    });
  };

  return {
    announce: (announcements, inReplyTo, onUndelivered) => {
      for (const announcement of announcements) {
        if (announcement.recipients.length === 0) continue;
        counters.announcements += 1;
        if (announcement.kind === 'invitation') {
          invite([announcement], inReplyTo, onUndelivered);
          continue;
        }
        const outgoing = message(announcement.from, announcement.recipients, announcement.text, inReplyTo);
        courier.send(announcement.kind === 'list' ? { ...outgoing, split: 'lines' } : outgoing);
      }
    },
    notify: (from, to, text, inReplyTo) => {
      counters.announcements += 1;
      courier.send(message(from, [to], text, inReplyTo));
    },
  };
};

const message = (from: string, recipients: readonly MemberUri[], text: string, inReplyTo: string | undefined) => ({
  from,
  recipients,
  contentType: 'text/plain',
  body: Buffer.from(text, 'utf8'),
  ...(inReplyTo === undefined ? {} : { inReplyTo }),
});
