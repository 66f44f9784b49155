import { BlockList, isIP } from 'node:net';

/**
 * Hosts, ports and networks as people, options and messages write them: the one place that knows brackets, loopback and CIDR.
 * A host is held without its brackets; they are put around an IPv6 address where it is shown.
 */

/** `host`: an IP address or a name, without brackets. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** A host that may stand without a port. */
export interface HostAndMaybePort {
  readonly host: string;
  readonly port?: number | undefined;
}

/** An IP address or network, `192.0.2.0/24`. */
export interface Network {
  readonly address: string;
  /** Bits that count: 32 or 128 for a single address. */
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

const hostName =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*\.?$/;

// A host of digits and dots that is no IPv4 address is a slip of the pen (300.1.1.1), not a name.
const isHost = (host: string): boolean => isIP(host) === 4 || (hostName.test(host) && !/^[0-9.]+$/.test(host));

/**
 * Cuts `HOST`, `HOST:PORT`, `[IPv6]` or `[IPv6]:PORT`; undefined for anything else. The port is 0 to 65535; of the host no more
 * is known than that nothing in it could end it.
 */
export const splitHostPort = (text: string): HostAndMaybePort | undefined => {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]/@]+))(?::([0-9]{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const [, six, other = '', digits] = match;
  const host = six ?? other;
  if (six !== undefined && isIP(six) !== 6) return undefined;
  if (digits === undefined) return { host };
  const port = Number(digits);
  return port > 65_535 ? undefined : { host, port };
};

/** The same, where the host is an IP address or could be a name of DNS. */
export const parseHostPort = (text: string): HostAndMaybePort | undefined => {
  const split = splitHostPort(text);
  return split !== undefined && (split.host.includes(':') || isHost(split.host)) ? split : undefined;
};

/** A host as it stands in a URI, a URL, Via or a Host header: an IPv6 address in brackets. */
export const showHost = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** `host:port`, or the host alone where there is no port; an IPv6 address in brackets. */
export const showHostPort = ({ host, port }: HostAndMaybePort): string =>
  port === undefined ? showHost(host) : `${showHost(host)}:${port}`;

/** `udp:192.0.2.1:5060`, `tcp:[2001:db8::1]:5060`. */
export const showTransportAddress = (address: HostPort & { readonly transport: string }): string =>
  `${address.transport}:${showHostPort(address)}`;

/** The host that `showHost` has shown: `::1` of `[::1]`; any other text as it is. */
export const withoutBrackets = (shown: string): string =>
  shown.startsWith('[') && shown.endsWith(']') ? shown.slice(1, -1) : shown;

/** Listened on, it takes what comes to every address of this machine. */
export const isAnyAddress = (host: string): boolean => host === '0.0.0.0' || host === '::';

/** Where a program on this machine reaches what listens on `host`: loopback, where that is every address. */
export const reachableHere = (host: string): string =>
  isAnyAddress(host) ? (host === '::' ? '::1' : '127.0.0.1') : host;

/** Reads an IP address, or a network in CIDR; undefined for anything else. */
export const parseNetwork = (text: string): Network | undefined => {
  const [address = '', digits, ...rest] = text.split('/');
  const version = isIP(address);
  const longest = version === 4 ? 32 : 128;
  const prefix = digits === undefined ? longest : /^[0-9]{1,3}$/.test(digits) ? Number(digits) : Number.NaN;
  if (version === 0 || rest.length > 0 || !(prefix <= longest)) return undefined;
  return { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
};

/** In CIDR; a single address without its prefix. */
export const showNetwork = ({ address, prefix, family }: Network): string =>
  prefix === (family === 'ipv4' ? 32 : 128) ? address : `${address}/${prefix}`;

/** Is an address within one of the networks? An IPv4 address mapped into IPv6 (`::ffff:192.0.2.1`) is the IPv4 one. */
export const within = (networks: readonly Network[]): ((address: string) => boolean) => {
  const list = new BlockList();
  for (const { address, prefix, family } of networks) list.addSubnet(address, prefix, family);
  return (address) => {
    const plain = address.toLowerCase().startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
    const version = isIP(plain);
    return version !== 0 && list.check(plain, version === 4 ? 'ipv4' : 'ipv6');
  };
};

const loopback = within([
  { address: '127.0.0.0', prefix: 8, family: 'ipv4' },
  { address: '::1', prefix: 128, family: 'ipv6' },
]);

/** Nobody beyond this machine reaches it: 127.0.0.0/8, ::1, and the name localhost. */
export const isLoopback = (host: string): boolean => host.toLowerCase() === 'localhost' || loopback(host);

/**
 * The same of an IP address as a socket or the resolver gives it, in its shortest form: two comparisons of text, because each
 * copy of a fan-out may ask.
 */
export const isLoopbackAddress = (address: string): boolean => address === '::1' || address.startsWith('127.');

/** Does a network lie wholly within loopback? */
export const isLoopbackNetwork = ({ address, prefix, family }: Network): boolean =>
  loopback(address) && prefix >= (family === 'ipv4' ? 8 : 128);
