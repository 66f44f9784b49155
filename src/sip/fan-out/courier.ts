import type { Clock } from '../../ports/clock.ts';
import type { Courier, Outgoing } from '../../ports/courier.ts';
import type { MemberKey } from '../../room/address.ts';
import type { Reachable } from '../registrar/binding.ts';
import type { ClientTransactions } from '../transaction/client.ts';
import type { Resolver } from '../transport/resolve.ts';
import type { SentBy } from '../transport/sent-by.ts';
import type { Transport } from '../transport/transport.ts';
import { headerLines } from './bytes.ts';
import { type Copy, type FanOut, type FanOutCounters, newFanOutCounters } from './copy.ts';
import { createDestinations, type Destination, dropWaiting, nextWaiting, waiting } from './destination.ts';
import { Delivering } from './message.ts';
import { createPace } from './pace.ts';
import { createRecipients } from './recipients.ts';
import { createRoutes } from './routes.ts';

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
  /** Is this IP address believed (and told, in P-Asserted-Identity, who speaks)? */
  readonly trusted: (address: string) => boolean;
  /** `sip:HOST[:PORT][;transport=...]`: the next hop of everything. */
  readonly outboundProxy?: string;
  readonly extraHeaders?: string;
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

/** Copies in one turn of the event loop: libuv reads at most 32 datagrams in one, so answers do not pile up. */
const slice = 48;
/** Recipients of one room, or copies to one destination, before the next has its turn. */
const turn = 16;
/** What a receive buffer of 8 MB holds; net.core.rmem_max has to be 4 MB for that. */
const defaultBurst = 4_096;
/** Most recipients waiting over all messages; a message beyond is given up whole, as `overflow`. */
const backlogLimit = 500_000;

export const createCourier = (options: CourierOptions): FanOutCourier => {
  const { clock, transactions, send, defer = setImmediate } = options;
  const counters = newFanOutCounters();
  const destinations = createDestinations();
  const recipients = createRecipients();
  /** Messages that have recipients left, by their sender in From: one after the other, so that nobody gets them in another order. */
  const queues = new Map<string, Delivering[]>();
  /** The same queues, the next one to have its turn first. */
  const turns: Delivering[][] = [];
  const repeats: { copy: Copy; slot: number }[] = [];
  const ready = new Set<Destination>();
  let backlog = 0;
  let scheduled = false;
  let closed = false;

  const schedule = (): void => {
    if (scheduled || closed) return;
    scheduled = true;
    defer(pump);
  };

  const routes = createRoutes({ ...options, destinations, changed: schedule });
  const pace = createPace(clock, options.burst ?? (() => defaultBurst), schedule);
  const fanOut: FanOut = {
    clock,
    transactions,
    send,
    counters,
    userAgent: options.userAgent,
    extraHeaders: headerLines(options.extraHeaders),
    repeatLater: (copy, slot) => {
      repeats.push({ copy, slot });
      schedule();
    },
    windowOpened: (destination) => {
      ready.add(destination);
      schedule();
    },
    overTcp: routes.overTcp,
    pace,
  };

  /** Copies that waited for their destination's window, destinations taking turns; returns how many began. */
  const beginWaiting = (most: number): number => {
    let began = 0;
    for (const destination of ready) {
      ready.delete(destination);
      const until = Math.min(most, began + turn);
      let copy = nextWaiting(destination);
      for (; copy !== undefined; copy = began < until ? nextWaiting(destination) : undefined) {
        copy.begin();
        began += 1;
      }
      if (began === until && waiting(destination) > 0) ready.add(destination);
      if (began >= most) break;
    }
    return began;
  };

  /** Recipients' first copies, rooms taking turns; returns how many recipients had theirs. */
  const beginMessages = (most: number): number => {
    let began = 0;
    while (began < most) {
      const queue = turns.shift();
      if (queue === undefined) break;
      const until = Math.min(most, began + turn);
      let message = queue[0];
      while (message !== undefined && began < until) {
        began += message.beginSome(until - began, routes);
        if (!message.done) break;
        message.settled();
        queue.shift();
        if (queue.length === 0) queues.delete(message.message.from);
        message = queue[0];
      }
      if (queue.length > 0) turns.push(queue);
    }
    backlog -= began;
    return began;
  };

  const pump = (): void => {
    scheduled = false;
    const room = pace.room();
    if (room === 0) return; // `pace` calls again
    let left = Math.min(slice, room);
    for (const { copy, slot } of repeats.splice(0, Math.ceil(left / 3))) {
      copy.repeat(slot);
      left -= 1;
    }
    const haveMessages = turns.length > 0 && routes.ready();
    if (left > 0) left -= beginWaiting(haveMessages ? Math.ceil(left / 2) : left);
    if (haveMessages && left > 0) beginMessages(left);
    if (repeats.length > 0 || ready.size > 0 || (turns.length > 0 && routes.ready())) schedule();
  };

  return {
    counters,
    send: (message: Outgoing) => {
      counters.messages += 1;
      const refused = closed ? 'closed' : backlog + message.recipients.length > backlogLimit ? 'overflow' : undefined;
      const delivering = new Delivering(fanOut, message, recipients.ofAll(message.recipients));
      if (refused !== undefined) {
        defer(() => delivering.giveUp(refused));
        return;
      }
      backlog += message.recipients.length;
      const queue = queues.get(message.from);
      if (queue !== undefined) queue.push(delivering);
      else {
        const alone = [delivering];
        queues.set(message.from, alone);
        turns.push(alone);
      }
      schedule();
    },
    queueDepth: () => {
      let depth = backlog;
      for (const destination of destinations.all()) depth += waiting(destination);
      return depth;
    },
    close: () => {
      closed = true;
      for (const queue of turns.splice(0)) for (const message of queue) message.giveUp('closed');
      queues.clear();
      backlog = 0;
      pace.close();
      for (const destination of destinations.all()) dropWaiting(destination, 'closed');
    },
  };
};
