import { type Deadline, deadlineIn } from '../bounds/deadline.ts';
import type { Conference } from '../engine/conference.ts';
import type { HostAndMaybePort } from '../net/address.ts';
import type { Clock } from '../ports/clock.ts';
import type { Ids } from '../ports/ids.ts';
import type { Log } from '../ports/log.ts';
import { type RoutingRule, serves } from '../room/routing-rule.ts';
import { createCourier, type FanOutCourier } from './fan-out/courier.ts';
import type { OutboundProxy } from './fan-out/routes.ts';
import { answersIn } from './fan-out/udp-pace.ts';
import type { Location } from './registrar/location.ts';
import { createRegistrar } from './registrar/registrar.ts';
import { RequestDispatch, type SipCounters } from './server/dispatch.ts';
import { createRefusedLog, type RefusedLog } from './server/refused-log.ts';
import { createUas, type UasOptions } from './server/uas.ts';
import { ClientTransactions } from './transaction/client.ts';
import type { SendBytes } from './transaction/send-answer.ts';
import { ServerTransactions } from './transaction/server.ts';
import { createTransportLayer, type ListenAt, type TransportLayer } from './transport/layer.ts';
import { createResolver } from './transport/resolve.ts';
import type { Listener, TransportCounters } from './transport/transport.ts';

/**
 * Everything SIP, put together: transports, transactions, fan-out, registrar, user agent server. This is the only file that
 * knows all of them.
 */

export interface SipStackOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly listen: readonly ListenAt[];
  /** What Via and Contact show instead of the address listened on; without a port the one listened on. */
  readonly advertise?: HostAndMaybePort | undefined;
  readonly rule: RoutingRule;
  /** Registered users; closed with the stack. */
  readonly location: Location;
  /** Is this IP address trusted? A sender there is believed to be who From says, and is told, in P-Asserted-Identity, who wrote. */
  readonly trusted: (address: string) => boolean;
  /** Senders elsewhere are believed too; trusted they are not. */
  readonly open: boolean;
  /** `imc_cmd_start_char`. */
  readonly startChar: string;
  /** Bytes of a body. */
  readonly maxMessageSize: number;
  /** The next hop of all that is sent. */
  readonly outboundProxy?: OutboundProxy | undefined;
  /** Header lines for all that is sent. */
  readonly extraHeaders?: string | undefined;
  /** `imcd/VERSION`: Server and User-Agent. */
  readonly product: string;
}

export interface SipStack {
  /** The way out: what the engine sends by. Usable once `listen` has resolved. */
  readonly courier: FanOutCourier;
  readonly counters: SipCounters & {
    readonly server: ServerTransactions['counters'];
    readonly client: ClientTransactions['counters'];
    readonly fanOut: FanOutCourier['counters'];
    readonly location: Location['counters'];
    readonly log: { readonly linesSuppressed: number };
    readonly transports: Readonly<Record<string, TransportCounters>>;
  };
  /** Present depths, for a gauge each. */
  readonly depths: () => {
    readonly serverPending: number;
    readonly serverKept: number;
    readonly clientPending: number;
  };
  /**
   * Binds every address and gives requests to the conference from then on. Where one cannot be bound, it closes, and rejects
   * with a sentence.
   */
  readonly listen: (conference: Conference) => Promise<readonly Listener[]>;
  /** Refuses what is new from now on; what is begun is answered still. */
  readonly refuse: () => void;
  /** Refuses what is new, lets what is begun be answered for at most `ms`, and closes. Closing again is the same closing. */
  readonly close: (ms: number) => Promise<void>;
}

/** How often a stopping stack looks whether it is idle. */
const idleCheckMs = 20;
/** Copies under way get one repetition (Timer E) before it closes; a member that is gone must not hold it up for 32 s. */
const unansweredMs = 700;

export const createSipStack = (options: SipStackOptions): SipStack => {
  const { clock, ids, log, location, rule, trusted, product, maxMessageSize } = options;
  // Closing is what is registered here, the last first; a part that fails keeps no other from its end.
  const begun = new AsyncDisposableStack();
  const owned = <T extends { readonly close: () => void }>(part: T): T => begun.adopt(part, (it) => it.close());
  let deadline = deadlineIn(clock, 0);
  let closing: Promise<void> | undefined;

  const transport = createTransportLayer({
    clock,
    log,
    advertise: options.advertise,
    largestBody: maxMessageSize,
    keep: location.holds,
    receive: (message) => dispatch.take(message),
  });
  begun.defer(() => transport.close(deadline.left()));
  owned(location);
  const sendBytes: SendBytes = (target, bytes, onFailure) => void transport.send(target, bytes, undefined, onFailure);
  const server = owned(new ServerTransactions({ clock, ids, product, send: sendBytes }));
  const client = owned(new ClientTransactions({ clock, ids }));
  const resolver = createResolver({ clock, usable: transport.usable });
  const courier = owned(
    createCourier({
      clock,
      transactions: client,
      send: transport.send,
      resolver,
      sentBy: transport.sentBy,
      reachable: location.reachable,
      served: (domain) => serves(rule, domain),
      trusted,
      outboundProxy: options.outboundProxy,
      extraHeaders: options.extraHeaders,
      userAgent: product,
      burst: () => answersIn(transport.receiveBuffer()),
    }),
  );
  const { domains } = rule;
  const { register } = createRegistrar({ clock, location, resolver, domains, isOwnHost: transport.isOwnHost });
  const refusedLog = createRefusedLog(clock, log);
  const believed = (address: string): boolean => options.open || trusted(address);
  const dispatch = new RequestDispatch({ refusedLog, client, server, believed, maxMessageSize });
  const parts: Parts = { transport, location, server, client, courier, refusedLog, dispatch };
  begun.defer(() => untilIdle(clock, deadline, parts));
  begun.defer(location.flush);
  begun.defer(() => dispatch.refuse());

  const close = (ms: number): Promise<void> => {
    if (closing === undefined) deadline = deadlineIn(clock, ms);
    closing ??= begun.disposeAsync();
    return closing;
  };
  return {
    courier,
    counters: countersOf(parts),
    depths: () => ({ serverPending: server.pending(), serverKept: server.kept(), clientPending: client.pending() }),
    listen: async (conference) => {
      const { branchPrefix } = client;
      const cancels: UasOptions['cancels'] = (request) => server.cancels(request);
      dispatch.serve(createUas({ ...options, conference, register, cancels, believed, branchPrefix }));
      try {
        return await transport.listen(options.listen);
      } catch (error) {
        await close(0).catch(() => {}); // who closes again is told of it
        throw error;
      }
    },
    refuse: () => dispatch.refuse(),
    close,
  };
};

interface Parts {
  readonly transport: TransportLayer;
  readonly location: Location;
  readonly server: ServerTransactions;
  readonly client: ClientTransactions;
  readonly courier: FanOutCourier;
  readonly refusedLog: RefusedLog;
  readonly dispatch: RequestDispatch;
}

const countersOf = ({
  transport,
  location,
  server,
  client,
  courier,
  refusedLog,
  dispatch,
}: Parts): SipStack['counters'] =>
  Object.assign(dispatch.counters, {
    server: server.counters,
    client: client.counters,
    fanOut: courier.counters,
    location: location.counters,
    log: refusedLog.counters,
    transports: transport.counters,
  });

/** Resolves when what is begun has been answered and sent, and at the deadline in any case. */
const untilIdle = (clock: Clock, deadline: Deadline, { server, client, courier }: Parts): Promise<void> =>
  new Promise((done) => {
    let patience = deadline;
    const look = (): void => {
      const answered = server.pending() === 0 && courier.queueDepth() === 0;
      if (answered && patience.left() > unansweredMs) patience = deadlineIn(clock, unansweredMs);
      if ((answered && client.pending() === 0) || patience.left() === 0) done();
      else clock.after(idleCheckMs, look);
    };
    look();
  });
