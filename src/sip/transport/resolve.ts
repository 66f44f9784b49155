import { lookup as dnsLookup } from 'node:dns';
import { isIP } from 'node:net';
import { withoutBrackets } from '../../net/address.ts';
import type { Clock } from '../../ports/clock.ts';
import { parseUri } from '../message/uri.ts';
import type { Target } from './transport.ts';
import { type TransportName, transportOfUri, transports } from './transports.ts';

/**
 * From a URI to the next hop's address. Literals and remembered names answer at once; a name is asked for once, however many
 * copies wait for it. Addresses (A, AAAA) with the URI's port or the transport's default: RFC 3263's NAPTR and SRV will go
 * into `ask`, and nobody else needs to know.
 */

/** What a URI says about its next hop. */
export interface NextHop {
  readonly host: string;
  readonly port: number;
  readonly transport: TransportName;
}

/**
 * Reads `sip:[user@]HOST[:PORT][;transport=udp|tcp]`. Undefined for anything else: no such URI, and a scheme or a transport
 * that is not there.
 */
export const nextHopOf = (text: string): NextHop | undefined => {
  const uri = parseUri(text);
  if (uri === undefined) return undefined;
  const transport = transportOfUri(uri.scheme, uri.params.get('transport'));
  if (transport === undefined) return undefined;
  return { host: withoutBrackets(uri.host), port: uri.port ?? transports[transport].defaultPort, transport };
};

type Addresses = readonly { readonly address: string; readonly family: number }[];
type Lookup = (host: string, found: (addresses: Addresses) => void) => void;

export interface Resolver {
  /** Calls `found` once, at once where the answer is known; undefined: there is no way there. */
  readonly resolve: (hop: NextHop, found: (target: Target | undefined) => void) => void;
  /** Milliseconds that an answer may be held by the one who got it. */
  readonly keepMs: number;
}

export interface ResolverOptions {
  readonly clock: Clock;
  /** Can we send to addresses of this family at all? */
  readonly usable: (family: 4 | 6) => boolean;
  /** Default: the system's resolver, with its hosts file. */
  readonly lookup?: Lookup;
  /** Most names remembered, and most that are waited for. */
  readonly limit?: number;
}

const keepMs = 60_000;
const keepFailureMs = 10_000;
/** getaddrinfo holds a thread of libuv's pool of 4 for as long as a name server is silent: one stays free. */
const atATime = 3;

interface Name {
  readonly waiting: ((addresses: Addresses) => void)[];
  addresses: Addresses | undefined;
  until: number;
}

export const createResolver = ({ clock, usable, lookup = system, limit = 4_096 }: ResolverOptions): Resolver => {
  const names = new Map<string, Name>();
  const queue: string[] = [];
  let asking = 0;

  const ask = (): void => {
    while (asking < atATime) {
      const host = queue.shift();
      if (host === undefined) return;
      asking += 1;
      lookup(host, (addresses) => {
        asking -= 1;
        const name = names.get(host);
        if (name !== undefined) {
          name.addresses = addresses;
          name.until = clock.monotonic() + (addresses.length > 0 ? keepMs : keepFailureMs);
          for (const found of name.waiting.splice(0)) found(addresses);
        }
        ask();
      });
    }
  };

  const addressesOf = (host: string, found: (addresses: Addresses) => void): void => {
    const known = names.get(host);
    if (known?.addresses !== undefined && known.until > clock.monotonic()) {
      found(known.addresses);
      return;
    }
    if (known !== undefined && known.addresses === undefined) {
      if (known.waiting.length < limit) known.waiting.push(found);
      else found([]);
      return;
    }
    names.delete(host);
    if (names.size >= limit) {
      // The oldest that nobody waits for makes room; where all are being asked for, this one has to fail.
      const oldest = [...names].find(([, name]) => name.addresses !== undefined)?.[0];
      if (oldest === undefined) {
        found([]);
        return;
      }
      names.delete(oldest);
    }
    names.set(host, { waiting: [found], addresses: undefined, until: 0 });
    queue.push(host);
    ask();
  };

  return {
    keepMs,
    resolve: (hop, found) => {
      const { host, port, transport } = hop;
      const family = isIP(host);
      if (family !== 0) found(usable(family === 6 ? 6 : 4) ? { host, port, transport } : undefined);
      else if (host === 'localhost') found({ host: usable(4) ? '127.0.0.1' : '::1', port, transport });
      else
        addressesOf(host, (addresses) => {
          const address = addresses.find((one) => usable(one.family === 6 ? 6 : 4))?.address;
          found(address === undefined ? undefined : { host: address, port, transport });
        });
    },
  };
};

const system: Lookup = (host, found) => {
  dnsLookup(host, { all: true }, (error, addresses) => found(error === null ? addresses : []));
};
