import type { Conference } from '../engine/conference.ts';
import type { Clock, Ids, Log } from '../engine/ports.ts';
import { answer, badRequest, overloaded, type SipAnswer, tooLarge } from './answers.ts';
import { createCourier, type FanOutCourier } from './fan-out.ts';
import { answersIn } from './fan-out-pace.ts';
import { parseRequest } from './grammar.ts';
import type { Location } from './location.ts';
import type { Answerable, SipRequest } from './message.ts';
import { createRefusedLog } from './refused-log.ts';
import { createRegistrar } from './registrar.ts';
import { createResolver } from './resolve.ts';
import { type Source, showSource } from './response-target.ts';
import type { RoutingRule } from './routing.ts';
import { createClientTransactions, isResponse } from './transaction/client.ts';
import { createServerTransactions } from './transaction/server.ts';
import { createSentBy } from './transport/sent-by.ts';
import { createTcp } from './transport/tcp.ts';
import type { Cut, HostPort, Listener, Received, Transport, TransportName } from './transport/transport.ts';
import { createUdp } from './transport/udp.ts';
import { createUas, type Uas } from './uas.ts';

/** Everything SIP, put together: transports, transactions, user agent server, registrar, fan-out. */

export interface SipStackOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly listen: readonly (HostPort & { readonly transport: TransportName })[];
  /** `HOST[:PORT]` that Via and Contact show instead of the address listened on. */
  readonly advertise?: string;
  readonly rule: RoutingRule;
  /** Registered users; closed with the stack. */
  readonly location: Location;
  /** Is this IP address one of the trusted? */
  readonly trusted: (address: string) => boolean;
  /** Every sender is believed. */
  readonly open: boolean;
  /** `imc_cmd_start_char`. */
  readonly startCharacter: string;
  /** Bytes of a body. */
  readonly maxMessageSize: number;
  /** `sip:HOST[:PORT][;transport=...]`: the next hop of all that is sent. */
  readonly outboundProxy?: string;
  /** Header lines for all that is sent. */
  readonly extraHeaders?: string;
  /** `imcd/VERSION`: Server and User-Agent. */
  readonly product: string;
}

export interface SipCounters {
  /** Requests that could not be understood and were answered. */
  malformed: number;
  /** Messages that could not even be answered. */
  garbage: number;
  keepAlives: number;
  /** Requests refused because the server stops. */
  stopping: number;
  defects: number;
}

export interface SipStack {
  /** The way out: what the engine sends by. Usable once `listen` has resolved. */
  readonly courier: FanOutCourier;
  readonly counters: SipCounters & {
    readonly server: ReturnType<typeof createServerTransactions>['counters'];
    readonly client: ReturnType<typeof createClientTransactions>['counters'];
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
  /** Refuses what is new, lets what is begun be answered for at most `ms`, and closes. */
  readonly close: (ms: number) => Promise<void>;
}

/** How often a stopping stack looks whether it is idle. */
const idleCheckMs = 20;
/** Copies under way get one repetition (Timer E) before it closes; a member that is gone must not hold it up for 32 s. */
const unansweredMs = 700;
/** Statuses of requests that are wrong in themselves: each is logged once. */
const wrongInItself: ReadonlySet<number> = new Set([400, 405, 414, 415, 416, 420, 481, 482, 483, 505, 513]);

export const createSipStack = (options: SipStackOptions): SipStack => {
  const { clock, ids, log, location, rule, trusted, product, maxMessageSize } = options;
  const listeners: Listener[] = [];
  const transports = new Map<TransportName, Transport>([
    ['udp', createUdp(log)],
    [
      'tcp',
      createTcp({
        clock,
        log,
        largestBody: maxMessageSize,
        keep: location.holds,
        receive: (message) => receive(message),
      }),
    ],
  ]);
  const send: Transport['send'] = (target, head, tail, onFailure) => {
    const transport = transports.get(target.transport);
    if (transport !== undefined) return transport.send(target, head, tail, onFailure);
    onFailure?.('unroutable');
    return true;
  };

  const client = createClientTransactions({ clock, ids });
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
    bindingsOf: location.bindingsOf,
    served: (domain) => rule.domains.has(domain.toLowerCase()),
    trusted,
    ...(options.outboundProxy === undefined ? {} : { outboundProxy: options.outboundProxy }),
    ...(options.extraHeaders === undefined ? {} : { extraHeaders: options.extraHeaders }),
    userAgent: product,
    burst: () =>
      answersIn(Math.min(...listeners.map((listener) => listener.receiveBuffer ?? Number.POSITIVE_INFINITY))),
  });
  const server = createServerTransactions({
    clock,
    ids,
    product,
    send: (target, bytes, onFailure) => void send(target, bytes, undefined, onFailure),
  });
  const isOwnHost = (host: string): boolean =>
    listeners.some(({ local }) => (local.host.includes(':') ? `[${local.host}]` : local.host) === host) ||
    options.advertise?.replace(/:\d+$/, '').toLowerCase() === host;
  const registrar = createRegistrar({ clock, location, resolver, domains: rule.domains, isOwnHost });
  const refusedLog = createRefusedLog(clock, log);
  const counters: SipCounters = { malformed: 0, garbage: 0, keepAlives: 0, stopping: 0, defects: 0 };
  let uas: Uas | undefined;
  let closing = false;

  const logRefused = (request: Answerable, source: Source, { status, reason }: SipAnswer): void => {
    if (!wrongInItself.has(status)) return;
    const { method, callId } = request;
    refusedLog.refused({ source: showSource(source), method, status, reason, callId }, 'request refused');
  };

  const stateless = (request: Answerable, source: Source, reply: SipAnswer): void => {
    logRefused(request, source, reply);
    server.answerStateless(request, source, reply);
  };

  const serve = (request: SipRequest, source: Source, handler: Uas): void => {
    const transaction = server.begin(request, source);
    if (transaction === 'again') return;
    if (transaction === 'full') {
      server.answerStateless(request, source, overloaded(5, 'Too many requests are kept'));
      return;
    }
    try {
      handler.handle(request, source, transaction.merged, (reply, byEngine) => {
        if (!byEngine) logRefused(request, source, reply);
        transaction.answer(reply);
      });
    } catch (error) {
      counters.defects += 1;
      log.error(
        { source: showSource(source), callId: request.callId, error: error instanceof Error ? error.stack : error },
        'a request met a defect of imcd; please report it',
      );
      transaction.answer(answer(500, 'Server Internal Error'));
    }
  };

  const receive = ({ bytes, from, cut }: Received): void => {
    if (isResponse(bytes)) {
      client.response(bytes);
      return;
    }
    if (uas === undefined) return; // nothing listens yet
    const parsed = parseRequest(bytes);
    if (parsed.kind === 'keep-alive') {
      counters.keepAlives += 1;
      return;
    }
    const known = parsed.kind === 'request' ? parsed.request : parsed.malformation.answerable;
    if (known === undefined) {
      counters.garbage += 1;
      const reason = parsed.kind === 'malformed' ? parsed.malformation.reason : '';
      refusedLog.refused({ source: showSource(from), bytes: bytes.length, reason }, 'message cannot be answered');
      return;
    }
    if (known.method === 'ACK') return; // RFC 3261 17.2: never answered; imcd has no INVITE
    if (cut !== undefined || parsed.kind === 'malformed') {
      counters.malformed += 1;
      const { status, reason } = parsed.kind === 'malformed' ? parsed.malformation : badRequest('');
      stateless(known, from, cut === undefined ? answer(status, reason) : cutAnswer(cut, maxMessageSize));
      return;
    }
    if (closing) {
      counters.stopping += 1;
      server.answerStateless(known, from, overloaded(10, 'The server is stopping'));
      return;
    }
    serve(parsed.request, from, uas);
  };

  const listen = async (conference: Conference): Promise<readonly Listener[]> => {
    uas = createUas({
      conference,
      rule,
      register: registrar.register,
      cancels: server.cancels,
      believed: (address) => options.open || trusted(address),
      branchPrefix: client.branchPrefix,
      maxMessageSize,
      startCharacter: options.startCharacter,
    });
    for (const address of options.listen) {
      const transport = transports.get(address.transport);
      if (transport === undefined) throw new Error(`${address.transport} is not there yet. Listen on udp: or tcp:.`);
      listeners.push(await transport.listen(address, receive));
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
    closing = true;
    location.flush();
    await untilIdle(deadline);
    courier.close();
    client.close();
    server.close();
    location.close();
    const left = Math.max(0, deadline - clock.monotonic());
    await Promise.all([...transports.values()].map((transport) => transport.close(left)));
  };

  return {
    courier,
    counters: Object.assign(counters, {
      server: server.counters,
      client: client.counters,
      fanOut: courier.counters,
      location: location.counters,
      log: refusedLog.counters,
      transports: Object.fromEntries([...transports].map(([name, transport]) => [name, transport.counters])),
    }),
    depths: () => ({ serverPending: server.pending(), serverKept: server.kept(), clientPending: client.pending() }),
    listen,
    close,
  };
};

/** What is said to a message of which only the head was taken. */
const cutAnswer = (cut: Cut, maxMessageSize: number): SipAnswer => {
  switch (cut) {
    case 'body-too-large':
      return tooLarge(maxMessageSize);
    case 'no-content-length':
      return badRequest('No Content-Length, which a stream needs');
    case 'bad-content-length':
      return badRequest('Content-Length is no number');
  }
};
