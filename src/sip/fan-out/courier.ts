import type { Clock } from '../../ports/clock.ts';
import type { Courier } from '../../ports/courier.ts';
import type { MemberKey } from '../../room/address.ts';
import type { Reachable } from '../registrar/binding.ts';
import type { ClientTransactions } from '../transaction/client.ts';
import type { Resolver } from '../transport/resolve.ts';
import type { SentBy } from '../transport/sent-by.ts';
import type { Transport } from '../transport/transport.ts';
import { extraHeaderLines } from './bytes.ts';
import type { Copy, FanOut } from './copy.ts';
import { type FanOutCounters, newFanOutCounters } from './counters.ts';
import { Delivering } from './delivering.ts';
import { createDestinations } from './destinations.ts';
import { MessageQueues } from './message-queues.ts';
import { OpenedWindows } from './opened-windows.ts';
import { createRecipients } from './recipients.ts';
import { createRoutes, type OutboundProxy } from './routes.ts';
import { createUdpPace } from './udp-pace.ts';

/**
 * The courier: makes a MESSAGE for each device of each recipient and sees it to its end. Copies leave in slices, a few
 * hundred microseconds of work each, so that requests are served between them, and rooms take turns.
 */

export interface CourierOptions {
  readonly clock: Clock;
  readonly transactions: ClientTransactions;
  /** Hands bytes to the transport that the target names. */
  readonly send: Transport['send'];
  readonly resolver: Resolver;
  readonly sentBy: SentBy;
  /** Where a registered user can be reached; the same array for as long as it holds the same. */
  readonly reachable: (key: MemberKey) => readonly Reachable[];
  /** Is this domain one of ours? A user of ours without a binding is nowhere, whatever the name's address is. */
  readonly served: (domain: string) => boolean;
  /** Is this IP address trusted, so that P-Asserted-Identity may go there (RFC 3325)? */
  readonly trusted: (address: string) => boolean;
  readonly outboundProxy?: OutboundProxy | undefined;
  readonly extraHeaders?: string | undefined;
  /** `imcd/VERSION`. */
  readonly userAgent: string;
  /** How many answers the receive buffer of the UDP sockets holds. Default: 4,096. */
  readonly burst?: () => number;
  /** Runs something in the event loop's next turn, after what has come from the network was read. Default: setImmediate. */
  readonly defer?: (run: () => void) => void;
}

export interface FanOutCourier extends Courier {
  readonly counters: FanOutCounters;
  /** Copies not yet transmitted for the first time. */
  readonly queueDepth: () => number;
  /** Drops what waits (`closed`); transactions under way are the transactions' own to close. */
  readonly close: () => void;
}

/** A repetition that Timer E has asked for. */
interface Repeat {
  readonly copy: Copy;
  readonly slot: number;
}

/** Copies in one turn of the event loop: libuv reads at most 32 datagrams in one, so answers do not pile up. */
const slice = 48;
/** What a receive buffer of 8 MB holds; net.core.rmem_max has to be 4 MB for that. */
const defaultBurst = 4_096;
/** Most recipients waiting over all messages; a message beyond is given up whole, as `overflow`. */
const backlogLimit = 500_000;

export const createCourier = (options: CourierOptions): FanOutCourier => {
  const { clock, transactions, send, userAgent, defer = setImmediate } = options;
  const counters = newFanOutCounters();
  const destinations = createDestinations();
  const recipients = createRecipients();
  const messages = new MessageQueues();
  const windows = new OpenedWindows();
  const repeats: Repeat[] = [];
  let scheduled = false;
  let closed = false;

  const schedule = (): void => {
    if (scheduled || closed) return;
    scheduled = true;
    defer(pump);
  };
  const routes = createRoutes({ ...options, destinations, changed: schedule });
  const pace = createUdpPace(clock, options.burst ?? (() => defaultBurst), schedule);
  const pump = (): void => {
    scheduled = false;
    const room = pace.room();
    if (room === 0) return; // `pace` calls again
    let left = Math.min(slice, room);
    for (const { copy, slot } of repeats.splice(0, Math.ceil(left / 3))) {
      copy.repeat(slot);
      left -= 1;
    }
    const haveMessages = !messages.empty && routes.ready();
    if (left > 0) left -= windows.begin(haveMessages ? Math.ceil(left / 2) : left);
    if (haveMessages && left > 0) messages.begin(left, routes);
    if (repeats.length > 0 || windows.size > 0 || (!messages.empty && routes.ready())) schedule();
  };

  const extraHeaders = extraHeaderLines(options.extraHeaders);
  const repeatLater = (copy: Copy, slot: number): void => {
    repeats.push({ copy, slot });
    schedule();
  };
  const windowOpened: FanOut['windowOpened'] = (destination) => {
    windows.add(destination);
    schedule();
  };
  const { overTcp } = routes;
  const shared = { clock, transactions, send, counters, userAgent, extraHeaders };
  const fanOut: FanOut = { ...shared, pace, repeatLater, windowOpened, overTcp };

  return {
    counters,
    send: (message) => {
      counters.messages += 1;
      const delivering = new Delivering(fanOut, message, recipients.of(message.recipients));
      if (closed) defer(() => delivering.giveUp('closed'));
      else if (messages.recipients + delivering.recipients.length > backlogLimit)
        defer(() => delivering.giveUp('overflow'));
      else {
        messages.add(delivering);
        schedule();
      }
    },
    queueDepth: () => {
      let depth = messages.recipients;
      for (const destination of destinations.all()) depth += destination.waiting;
      return depth;
    },
    close: () => {
      closed = true;
      messages.giveUp('closed');
      pace.close();
      for (const destination of destinations.all()) destination.drop('closed');
    },
  };
};
