import { networkInterfaces } from 'node:os';
import { type HostAndMaybePort, isAnyAddress, isLoopbackAddress, showHostPort } from '../../net/address.ts';
import { type Listener, reaches } from './transport.ts';
import { type TransportName, transports } from './transports.ts';

/** The sent-by of Via (RFC 3261 18.1.1) for a message that leaves by `transport` towards the IP address `towards`. */
export type SentBy = (transport: TransportName, towards: string) => string;

/**
 * @param advertise what to show instead of the address listened on (behind NAT); without a port the listener's
 */
export const createSentBy = (listeners: readonly Listener[], advertise?: HostAndMaybePort): SentBy => {
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
    if (advertise !== undefined) return showHostPort({ host: advertise.host, port: advertise.port ?? local.port });
    const host = isAnyAddress(local.host) ? ownAddress(towards, six) : local.host;
    return showHostPort({ host, port: local.port });
  };
};

/** An address of this machine, for a socket that listens on all: the first that is not loopback, unless that is the way. */
const ownAddress = (towards: string, six: boolean): string => {
  const loopback = six ? '::1' : '127.0.0.1';
  if (isLoopbackAddress(towards)) return loopback;
  const own = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find((a) => !a.internal && (a.family === 'IPv6') === six && !a.address.startsWith('fe80:'));
  return own?.address ?? loopback;
};
