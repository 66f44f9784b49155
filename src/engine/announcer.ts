import type { Courier, Outgoing } from '../ports/courier.ts';
import type { MemberUri } from '../room/address.ts';
import type { Announcement } from '../room/announce.ts';
import type { Origin } from './conference.ts';
import type { EngineCounters } from './counters.ts';

/** Brings texts to people. Only the live path calls it: replay announces nothing. */
export interface Announcer {
  /** What a command's decision shall tell. `eventId`: of the command's event; undefined where nothing changed. */
  readonly announce: (announcements: readonly Announcement[], origin: Origin, eventId: string | undefined) => void;
  /** One text to one user, from an address. */
  readonly notify: (from: string, to: MemberUri, text: string, origin: Origin) => void;
  /** As `notify`, a text that may go in parts, whole lines each. */
  readonly list: (from: string, to: MemberUri, lines: string, origin: Origin) => void;
}

export interface AnnouncerPorts {
  readonly courier: Courier;
  readonly counters: EngineCounters;
  /** Sends an invitation, and does what is to be done where it reaches nobody. */
  readonly invite: (invitation: Announcement, origin: Origin, eventId: string | undefined) => void;
}

export const createAnnouncer = ({ courier, counters, invite }: AnnouncerPorts): Announcer => {
  const send = (message: Outgoing): void => {
    counters.announcements += 1;
    courier.send(message);
  };
  return {
    announce: (announcements, origin, eventId) => {
      for (const announcement of announcements) {
        const { from, recipients, text, kind } = announcement;
        if (recipients.length === 0) continue;
        if (kind === 'list') send(inLines(textMessage(from, recipients, text, origin)));
        else if (kind !== 'invitation') send(textMessage(from, recipients, text, origin));
        else {
          counters.announcements += 1;
          invite(announcement, origin, eventId);
        }
      }
    },
    notify: (from, to, text, origin) => send(textMessage(from, [to], text, origin)),
    list: (from, to, lines, origin) => send(inLines(textMessage(from, [to], lines, origin))),
  };
};

const inLines = (message: Outgoing): Outgoing => ({ ...message, split: 'lines' });

/** A text as the courier sends it, in reply to the request that led to it, where there was one. */
export const textMessage = (
  from: string,
  recipients: readonly MemberUri[],
  text: string,
  { request }: Origin,
): Outgoing => ({
  from,
  recipients,
  contentType: 'text/plain',
  body: Buffer.from(text, 'utf8'),
  ...(request === undefined ? {} : { inReplyTo: request.callId }),
});
