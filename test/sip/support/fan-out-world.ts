import type { Delivery } from '../../../src/ports/courier.ts';
import { MemberUri } from '../../../src/room/address.ts';
import { type CourierOptions, createCourier, type FanOutCourier } from '../../../src/sip/fan-out/courier.ts';
import type { Reachable } from '../../../src/sip/registrar/binding.ts';
import { ClientTransactions } from '../../../src/sip/transaction/client.ts';
import { createResolver, nextHopOf } from '../../../src/sip/transport/resolve.ts';
import type { SendFailure, Target } from '../../../src/sip/transport/transport.ts';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { countingIds } from '../../support/world.ts';

export interface Sent {
  readonly target: Target;
  readonly text: string;
  readonly at: number;
}

/** A courier whose network, time and event loop are in the test's hand. */
export interface FanOutWorld {
  readonly clock: FakeClock;
  readonly transactions: ClientTransactions;
  readonly courier: FanOutCourier;
  readonly sent: Sent[];
  /** Turns the event loop until nothing is left to do; returns how many turns that took. */
  readonly turn: () => number;
  /** Time, and the turns that belong to it. */
  readonly advance: (ms: number) => void;
  readonly answer: (request: Sent, status: number) => void;
  readonly network: {
    /** Why a send to this target fails; undefined: it does not. */
    fails: (target: Target) => SendFailure | undefined;
    /** False: the transport keeps the bytes. */
    takes: boolean;
    lookup: (host: string, found: (addresses: readonly { address: string; family: number }[]) => void) => void;
  };
  readonly bindings: Map<string, readonly Reachable[]>;
}

type WorldOptions = Partial<Omit<CourierOptions, 'outboundProxy'>> & {
  /** `sip:HOST[:PORT][;transport=...]` */
  readonly outboundProxy?: string;
};

export const fanOutWorld = ({ outboundProxy, ...options }: WorldOptions = {}): FanOutWorld => {
  const clock = createFakeClock();
  const transactions = new ClientTransactions({ clock, ids: countingIds() });
  const sent: Sent[] = [];
  const held: { target: Target; bytes: readonly Uint8Array[]; at: number }[] = [];
  const bindings = new Map<string, readonly Reachable[]>();
  const none: readonly Reachable[] = [];
  let deferred: (() => void)[] = [];
  const network: FanOutWorld['network'] = { fails: () => undefined, takes: true, lookup: (_, found) => found([]) };

  const courier = createCourier({
    clock,
    transactions,
    send: (target, head, tail, onFailure) => {
      const failure = network.fails(target);
      if (failure !== undefined) onFailure?.(failure);
      else if (network.takes)
        sent.push({ target, text: textOf([head, tail ?? Buffer.alloc(0)]), at: clock.monotonic() });
      else held.push({ target, bytes: [head, tail ?? Buffer.alloc(0)], at: clock.monotonic() });
      return network.takes;
    },
    resolver: createResolver({
      clock,
      usable: () => true,
      lookup: (host, found) => network.lookup(host, found),
    }),
    sentBy: (transport) => `192.0.2.1:${transport === 'udp' ? 5060 : 5061}`,
    reachable: (key) => bindings.get(key) ?? none,
    served: (domain) => domain === 'imc.test',
    trusted: (address) => address === '127.0.0.1',
    userAgent: 'imcd/test',
    defer: (run) => deferred.push(run),
    outboundProxy: outboundProxy === undefined ? undefined : nextHopOf(outboundProxy),
    ...options,
  });

  const turn = (): number => {
    let turns = 0;
    for (; deferred.length > 0; turns += 1) for (const run of deferred.splice(0)) run();
    deferred = [];
    // What the transport kept leaves now, as it is by now.
    for (const { target, bytes, at } of held.splice(0)) sent.push({ target, text: textOf(bytes), at });
    return turns;
  };

  return {
    clock,
    transactions,
    courier,
    sent,
    turn,
    advance: (ms) => {
      for (let left = ms; left > 0; left -= 25) {
        clock.advance(Math.min(25, left));
        turn();
      }
    },
    answer: (request, status) => {
      const via = /Via: .*\r\n/.exec(request.text)?.[0] ?? '';
      transactions.response(Buffer.from(`SIP/2.0 ${status} Reason\r\n${via}\r\n`));
    },
    network,
    bindings,
  };
};

const textOf = (parts: readonly Uint8Array[]): string => Buffer.concat(parts).toString('latin1');

export const member = (text: string): MemberUri => {
  if (!MemberUri.is(text)) throw new Error(`${text} is no member's URI`);
  return text;
};

/** Members `sip:m0@DOMAIN`, `sip:m1@DOMAIN`, ... */
export const members = (count: number, domain = 'imc.test'): readonly MemberUri[] =>
  Array.from({ length: count }, (_, i) => member(`sip:m${i}@${domain}`));

/** Writes down deliveries as `user: delivered` or `user: reason`. */
export const note =
  (lines: string[]) =>
  (recipient: MemberUri, delivery: Delivery): void => {
    lines.push(
      `${recipient.slice(4, recipient.indexOf('@'))}: ${delivery.kind === 'failed' ? delivery.reason : delivery.kind}`,
    );
  };
