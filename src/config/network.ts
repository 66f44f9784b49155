import { BlockList, isIP } from 'node:net';
import * as E from 'fp-ts/lib/Either.js';
import { asText, type Kind, kind } from './kinds.ts';

/** `host`: an IP address or a name, without brackets. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** What can be listened on and sent by: the transports of `sip/transport/transports.ts`, as a test holds. */
export const listenTransports = ['udp', 'tcp'] as const;
export type ListenTransport = (typeof listenTransports)[number];
/** Those that SIP has besides, and that somebody may look for here. */
const laterTransports: readonly string[] = ['tls', 'ws', 'wss'];
const isThere = (name: string): name is ListenTransport => listenTransports.some((one) => one === name);

export interface ListenAddress extends HostAndPort {
  readonly transport: ListenTransport;
}

/** Next hop of all that imcd sends. Without a port RFC 3263 finds it, 5060 in the end. */
export interface ProxyAddress {
  readonly host: string;
  readonly port?: number;
  readonly transport: ListenTransport;
  readonly uri: string;
}

export interface Cidr {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

const hostName =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*\.?$/;

/** Splits `HOST:PORT`, `[IPv6]:PORT` and, where a port may be missing, `HOST`. */
const splitHostPort = (input: string): { host: string; port: number | undefined } | undefined => {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]/@]+))(?::([0-9]{1,5}))?$/.exec(input);
  if (match === null) return undefined;
  const [, six, other, digits] = match;
  const host = six ?? other ?? '';
  if (six !== undefined ? isIP(six) !== 6 : !isHost(host)) return undefined;
  const port = digits === undefined ? undefined : Number(digits);
  return port !== undefined && port > 65535 ? undefined : { host, port };
};

// A host of digits and dots that is no IPv4 address is a slip of the pen (300.1.1.1), not a name.
const isHost = (host: string): boolean => isIP(host) === 4 || (hostName.test(host) && !/^[0-9.]+$/.test(host));

const showHost = (host: string): string => (isIP(host) === 6 ? `[${host}]` : host);
export const showHostPort = ({ host, port }: HostAndPort): string => `${showHost(host)}:${port}`;

export const hostAndPort: Kind<HostAndPort> = kind({
  name: 'HOST:PORT',
  allowed: 'HOST:PORT, IPv6 in brackets',
  schema: { type: 'string', pattern: ':[0-9]{1,5}$' },
  read: (input) => {
    const parts = splitHostPort(asText(input) ?? '');
    return parts?.port === undefined ? E.left('') : E.right({ host: parts.host, port: parts.port });
  },
  show: showHostPort,
});

/** What Via and Contact show: a host, and a port where it differs from the one listened on. */
export const advertised: Kind<{ readonly host: string; readonly port?: number }> = kind({
  name: 'HOST[:PORT]',
  allowed: 'HOST or HOST:PORT, IPv6 in brackets',
  schema: { type: 'string' },
  read: (input) => {
    const parts = splitHostPort(asText(input) ?? '');
    if (parts === undefined || parts.port === 0) return E.left('');
    return E.right(parts.port === undefined ? { host: parts.host } : { host: parts.host, port: parts.port });
  },
  show: ({ host, port }) => (port === undefined ? showHost(host) : showHostPort({ host, port })),
});

export const listenAddress: Kind<ListenAddress> = kind({
  name: 'listen',
  allowed: `${listenTransports.map((name) => `${name}:HOST:PORT`).join(' or ')}, IPv6 in brackets`,
  schema: { type: 'string', pattern: `^(${listenTransports.join('|')}):` },
  read: (input) => {
    const match = /^([a-z]+):(.*)$/i.exec(asText(input) ?? '');
    const transport = match?.[1]?.toLowerCase() ?? '';
    const parts = splitHostPort(match?.[2] ?? '');
    if (parts?.port === undefined) return E.left('');
    if (!isThere(transport)) return E.left(laterTransports.includes(transport) ? `${transport} is not there yet` : '');
    return E.right({ transport, host: parts.host, port: parts.port });
  },
  show: (address) => `${address.transport}:${showHostPort(address)}`,
});

export const proxyAddress: Kind<ProxyAddress> = kind({
  name: 'proxy',
  allowed: `sip:HOST[:PORT][;transport=${listenTransports.join(' or ')}][;lr]`,
  schema: { type: 'string', pattern: '^sip:' },
  read: (input) => {
    const uri = asText(input) ?? '';
    const match = /^sip:([^;?@]+)((?:;[^;?]+)*)$/i.exec(uri);
    const parts = splitHostPort(match?.[1] ?? '');
    if (parts === undefined || parts.port === 0) return E.left('');
    let transport: ListenTransport = 'udp';
    for (const parameter of (match?.[2] ?? '').split(';').slice(1)) {
      const [name = '', value = ''] = parameter.toLowerCase().split('=');
      if (name === 'transport' && isThere(value)) transport = value;
      else if (name !== 'lr') return E.left(`the parameter ${parameter} is not known or not there yet`);
    }
    return E.right({ host: parts.host, transport, uri, ...(parts.port === undefined ? {} : { port: parts.port }) });
  },
  show: ({ uri }) => uri,
});

export const cidr: Kind<Cidr> = kind({
  name: 'CIDR',
  allowed: 'an IP address or a network such as 192.0.2.0/24',
  schema: { type: 'string' },
  read: (input) => {
    const [address = '', digits, ...rest] = (asText(input) ?? '').split('/');
    const version = isIP(address);
    const most = version === 4 ? 32 : 128;
    const prefix = digits === undefined ? most : /^[0-9]{1,3}$/.test(digits) ? Number(digits) : Number.NaN;
    if (version === 0 || rest.length > 0 || !(prefix <= most)) return E.left('');
    return E.right({ address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' });
  },
  show: ({ address, prefix, family }) => (prefix === (family === 'ipv4' ? 32 : 128) ? address : `${address}/${prefix}`),
});

export const domain: Kind<string> = kind({
  name: 'domain',
  allowed: 'a host name or an IP address, IPv6 in brackets',
  schema: { type: 'string' },
  read: (input) => {
    const parts = splitHostPort(asText(input) ?? '');
    return parts === undefined || parts.port !== undefined ? E.left('') : E.right(showHost(parts.host).toLowerCase());
  },
  show: (value) => value,
});

/** Is an address within one of the networks? An IPv4 address mapped into IPv6 (`::ffff:192.0.2.1`) is the IPv4 one. */
export const within = (networks: readonly Cidr[]): ((address: string) => boolean) => {
  const list = new BlockList();
  for (const { address, prefix, family } of networks) list.addSubnet(address, prefix, family);
  return (address) => {
    const plain = address.toLowerCase().startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
    const version = isIP(plain);
    return version !== 0 && list.check(plain, version === 4 ? 'ipv4' : 'ipv6');
  };
};

/** Nobody beyond this machine reaches it: 127.0.0.0/8, ::1, and the name localhost. */
export const isLoopback = (host: string): boolean => host.toLowerCase() === 'localhost' || loopback(host);
const loopback = within([
  { address: '127.0.0.0', prefix: 8, family: 'ipv4' },
  { address: '::1', prefix: 128, family: 'ipv6' },
]);

/** Does a network lie wholly within loopback? */
export const isLoopbackNetwork = ({ address, prefix, family }: Cidr): boolean =>
  loopback(address) && prefix >= (family === 'ipv4' ? 8 : 128);
