import type { Conference } from '../engine/conference.ts';
import { type HostAndMaybePort, type HostPort, showHost } from '../net/address.ts';
import type { Clock } from '../ports/clock.ts';
import type { Ids } from '../ports/ids.ts';
import type { Log } from '../ports/log.ts';
import { createCourier, type FanOutCourier } from './fan-out/courier.ts';
import { answersIn } from './fan-out/udp-pace.ts';
import type { Location } from './registrar/location.ts';
import { createRegistrar } from './registrar/registrar.ts';
import { createDispatch, type SipCounters } from './server/dispatch.ts';
import { createRefusedLog } from './server/refused-log.ts';
import type { RoutingRule } from './server/routing.ts';
import { createUas, type Uas } from './server/uas.ts';
import { ClientTransactions } from './transaction/client.ts';
import { ServerTransactions } from './transaction/server.ts';
import { createTransports } from './transport/create.ts';
import { createResolver } from './transport/resolve.ts';
import { createSentBy } from './transport/sent-by.ts';
import type { Listener, Transport } from './transport/transport.ts';
import type { TransportName } from './transport/transports.ts';

/** Everything SIP, put together: transports, transactions, user agent server, registrar, fan-out. */

export interface SipStackOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly listen: readonly (HostPort & { readonly transport: TransportName })[];
  /** What Via and Contact show instead of the address listened on; without a port the one listened on. */
  readonly advertise?: HostAndMaybePort;
  readonly rule: RoutingRule;
  /** Registered users; closed with the stack. */
  readonly location: Location;
  /** Is this IP address one of the trusted? */
  readonly trusted: (address: string) => boolean;
  /** Every sender is believed. */
  readonly open: boolean;
  /** `imc_cmd_start_char`. */
  readonly startChar: string;
  /** Bytes of a body. */
  readonly maxMessageSize: number;
  /** `sip:HOST[:PORT][;transport=...]`: the next hop of all that is sent. */
  readonly outboundProxy?: string;
  /** Header lines for all that is sent. */
  readonly extraHeaders?: string;
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
    readonly transports: Readonly<Record<string, Transport['counters']>>;
  };
  /** Present depths, for a gauge each. */
  readonly depths: () => {
    readonly serverPending: number;
    readonly serverKept: number;
    readonly clientPending: number;
  };
  /** Binds every address and gives requests to the conference from then on. Rejects with a sentence where one cannot be bound. */
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
  const listeners: Listener[] = [];
  const transports = createTransports({
    clock,
    log,
    largestBody: maxMessageSize,
    keep: location.holds,
    receive: (message) => receive(message),
  });
  const send: Transport['send'] = (target, head, tail, onFailure) =>
    transports[target.transport].send(target, head, tail, onFailure);

  const client = new ClientTransactions({ clock, ids });
  const resolver = createResolver({
    clock,
    usable: (family) => listeners.some(({ local }) => local.host.includes(':') === (family === 6)),
  });
  const courier = createCourier({
    clock,
    transactions: client,
    send,
    resolver,
    sentBy: createSentBy(listeners, options.advertise),
    reachable: location.reachable,
    served: (domain) => rule.domains.has(domain.toLowerCase()),
    trusted,
    ...(options.outboundProxy === undefined ? {} : { outboundProxy: options.outboundProxy }),
    ...(options.extraHeaders === undefined ? {} : { extraHeaders: options.extraHeaders }),
    userAgent: product,
    burst: () =>
      answersIn(Math.min(...listeners.map((listener) => listener.receiveBuffer ?? Number.POSITIVE_INFINITY))),
  });
  const server = new ServerTransactions({
    clock,
    ids,
    product,
    send: (target, bytes, onFailure) => void send(target, bytes, undefined, onFailure),
  });
  const isOwnHost = (host: string): boolean =>
    listeners.some(({ local }) => showHost(local.host) === host) ||
    (options.advertise !== undefined && showHost(options.advertise.host).toLowerCase() === host);
  const registrar = createRegistrar({ clock, location, resolver, domains: rule.domains, isOwnHost });
  const refusedLog = createRefusedLog(clock, log);
  const counters: SipCounters = { malformed: 0, garbage: 0, keepAlives: 0, stopping: 0, defects: 0 };
  let uas: Uas | undefined;
  let refusing = false;
  let closed: Promise<void> | undefined;

  const believed = (address: string): boolean => options.open || trusted(address);
  const receive = createDispatch({
    refusedLog,
    client,
    server,
    uas: () => uas,
    closing: () => refusing,
    believed,
    maxMessageSize,
    counters,
  });

  const listen = async (conference: Conference): Promise<readonly Listener[]> => {
    uas = createUas({
      conference,
      rule,
      register: registrar.register,
      cancels: (request) => server.cancels(request),
      believed,
      branchPrefix: client.branchPrefix,
      maxMessageSize,
      startChar: options.startChar,
    });
    for (const address of options.listen) {
      listeners.push(await transports[address.transport].listen(address, receive));
    }
    return listeners;
  };

  const untilIdle = (deadline: number): Promise<void> =>
    new Promise((done) => {
      let patience = deadline;
      const look = (): void => {
        const now = clock.monotonic();
        const answered = server.pending() === 0 && courier.queueDepth() === 0;
        if (answered) patience = Math.min(patience, now + unansweredMs);
        if ((answered && client.pending() === 0) || now >= patience) done();
        else clock.after(idleCheckMs, look);
      };
      look();
    });

  const close = async (ms: number): Promise<void> => {
    const deadline = clock.monotonic() + ms;
    refusing = true;
    location.flush();
    await untilIdle(deadline);
    courier.close();
    client.close();
    server.close();
    location.close();
    const left = Math.max(0, deadline - clock.monotonic());
    await Promise.all(Object.values(transports).map((transport) => transport.close(left)));
  };

  return {
    courier,
    counters: Object.assign(counters, {
      server: server.counters,
      client: client.counters,
      fanOut: courier.counters,
      location: location.counters,
      log: refusedLog.counters,
      transports: Object.fromEntries(Object.entries(transports).map(([name, transport]) => [name, transport.counters])),
    }),
    depths: () => ({ serverPending: server.pending(), serverKept: server.kept(), clientPending: client.pending() }),
    listen,
    refuse: () => {
      refusing = true;
    },
    close: (ms) => {
      closed ??= close(ms);
      return closed;
    },
  };
};
