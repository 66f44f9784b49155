import { networkInterfaces } from 'node:os';
import { type HostPort, type Listener, reaches } from './transport.ts';
import { type TransportName, transports } from './transports.ts';

/** `host:port` as it stands in Via and Contact: IPv6 in brackets. */
export const formatHostPort = ({ host, port }: HostPort): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** The sent-by of Via (RFC 3261 18.1.1) for a message that leaves by `transport` towards the IP address `towards`. */
export type SentBy = (transport: TransportName, towards: string) => string;

/**
 * @param advertise `HOST[:PORT]` to show instead of the address listened on (behind NAT); without a port the listener's
 */
export const createSentBy = (listeners: readonly Listener[], advertise?: string): SentBy => {
  // The one that UDP sends by, where there are several.
  const listenerFor = (transport: TransportName, towards: string): Listener | undefined => {
    const all = listeners.filter((l) => l.transport === transport);
    const family = all.filter((l) => l.local.host.includes(':') === towards.includes(':'));
    return family.find((l) => reaches(l.local.host, towards)) ?? family[0] ?? all[0] ?? listeners[0];
  };

  return (transport, towards) => {
    const six = towards.includes(':');
    const local = listenerFor(transport, towards)?.local ?? {
      host: six ? '::1' : '127.0.0.1',
      port: transports[transport].defaultPort,
    };
    if (advertise !== undefined) return /:\d+$/.test(advertise) ? advertise : `${advertise}:${local.port}`;
    const host = local.host === '0.0.0.0' || local.host === '::' ? ownAddress(towards, six) : local.host;
    return formatHostPort({ host, port: local.port });
  };
};

/** An address of this machine, for a socket that listens on all: the first that is not loopback, unless that is the way. */
const ownAddress = (towards: string, six: boolean): string => {
  const loopback = six ? '::1' : '127.0.0.1';
  if (towards === loopback || towards.startsWith('127.')) return loopback;
  const own = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find((a) => !a.internal && (a.family === 'IPv6') === six && !a.address.startsWith('fe80:'));
  return own?.address ?? loopback;
};
