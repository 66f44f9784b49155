import * as E from 'fp-ts/lib/Either.js';
import {
  type HostAndMaybePort,
  type HostPort,
  type Network,
  parseHostPort,
  parseNetwork,
  showHost,
  showHostPort,
  showNetwork,
  showTransportAddress,
} from '../net/address.ts';
import { asText, type Kind, kind } from './kinds.ts';

/** Options that are addresses: kinds over `net/address.ts`. */

/** What can be listened on and sent by: the transports of `sip/transport/transports.ts`, as a test holds. */
export const listenTransports = ['udp', 'tcp'] as const;
export type ListenTransport = (typeof listenTransports)[number];
/** Those that SIP has besides, and that somebody may look for here. */
const laterTransports: readonly string[] = ['tls', 'ws', 'wss'];
const isThere = (name: string): name is ListenTransport => listenTransports.some((one) => one === name);

export interface ListenAddress extends HostPort {
  readonly transport: ListenTransport;
}

/** Next hop of all that imcd sends. Without a port RFC 3263 finds it, 5060 in the end. */
export interface ProxyAddress {
  readonly host: string;
  readonly port?: number;
  readonly transport: ListenTransport;
  /** As it was written. */
  readonly uri: string;
}

export const hostPort: Kind<HostPort> = kind<HostPort>({
  name: 'HOST:PORT',
  allowed: 'HOST:PORT, IPv6 in brackets',
  schema: { type: 'string', pattern: ':[0-9]{1,5}$' },
  read: (input) => {
    const parts = parseHostPort(asText(input) ?? '');
    return parts?.port === undefined ? E.left('') : E.right({ host: parts.host, port: parts.port });
  },
  show: showHostPort,
});

/** What Via and Contact show: a host, and a port where it differs from the one listened on. */
export const advertised: Kind<HostAndMaybePort> = kind({
  name: 'HOST[:PORT]',
  allowed: 'HOST or HOST:PORT, IPv6 in brackets',
  schema: { type: 'string' },
  read: (input) => {
    const parts = parseHostPort(asText(input) ?? '');
    return parts === undefined || parts.port === 0 ? E.left('') : E.right(parts);
  },
  show: showHostPort,
});

export const listenAddress: Kind<ListenAddress> = kind<ListenAddress>({
  name: 'listen',
  allowed: `${listenTransports.map((name) => `${name}:HOST:PORT`).join(' or ')}, IPv6 in brackets`,
  schema: { type: 'string', pattern: `^(${listenTransports.join('|')}):` },
  read: (input) => {
    const match = /^([a-z]+):(.*)$/i.exec(asText(input) ?? '');
    const transport = match?.[1]?.toLowerCase() ?? '';
    const parts = parseHostPort(match?.[2] ?? '');
    if (parts?.port === undefined) return E.left('');
    if (!isThere(transport)) return E.left(laterTransports.includes(transport) ? `${transport} is not there yet` : '');
    return E.right({ transport, host: parts.host, port: parts.port });
  },
  show: showTransportAddress,
});

export const proxyAddress: Kind<ProxyAddress> = kind({
  name: 'proxy',
  allowed: `sip:HOST[:PORT][;transport=${listenTransports.join(' or ')}][;lr]`,
  schema: { type: 'string', pattern: '^sip:' },
  read: (input) => {
    const uri = asText(input) ?? '';
    const match = /^sip:([^;?@]+)((?:;[^;?]+)*)$/i.exec(uri);
    const parts = parseHostPort(match?.[1] ?? '');
    if (parts === undefined || parts.port === 0) return E.left('');
    let transport: ListenTransport = 'udp';
    for (const parameter of (match?.[2] ?? '').split(';').slice(1)) {
      const [name = '', value = ''] = parameter.toLowerCase().split('=');
      if (name === 'transport' && isThere(value)) transport = value;
      else if (name !== 'lr') return E.left(`the parameter ${parameter} is not known or not there yet`);
    }
    return E.right({
      host: parts.host.toLowerCase(),
      transport,
      uri,
      ...(parts.port === undefined ? {} : { port: parts.port }),
    });
  },
  show: ({ uri }) => uri,
});

export const network: Kind<Network> = kind({
  name: 'CIDR',
  allowed: 'an IP address or a network such as 192.0.2.0/24',
  schema: { type: 'string' },
  read: (input) => {
    const parsed = parseNetwork(asText(input) ?? '');
    return parsed === undefined ? E.left('') : E.right(parsed);
  },
  show: showNetwork,
});

/** A domain, in lower case, IPv6 in brackets. */
export const domain: Kind<string> = kind({
  name: 'domain',
  allowed: 'a host name or an IP address, IPv6 in brackets',
  schema: { type: 'string' },
  read: (input) => {
    const parts = parseHostPort(asText(input) ?? '');
    return parts === undefined || parts.port !== undefined ? E.left('') : E.right(showHost(parts.host).toLowerCase());
  },
  show: (value) => value,
});
