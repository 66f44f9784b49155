import { type HostAndMaybePort, type HostPort, showHost } from '../../net/address.ts';
import { createTransports, type TransportOptions } from './create.ts';
import { createSentBy, type SentBy } from './sent-by.ts';
import type { Listener, Received, Transport, TransportCounters } from './transport.ts';
import type { TransportName } from './transports.ts';

/** The transport layer (RFC 3261 18) as those above it see it: all transports, and what is listened on, as one. */
export interface TransportLayer {
  /** Empty until `listen` has been called. */
  readonly listeners: readonly Listener[];
  readonly counters: Readonly<Record<TransportName, TransportCounters>>;
  /** Hands bytes to the transport that the target names. */
  readonly send: Transport['send'];
  readonly sentBy: SentBy;
  /** Can addresses of this family be sent to? */
  readonly usable: (family: 4 | 6) => boolean;
  /** Is this host, as it stands in a URI in lower case, one of our own addresses? */
  readonly isOwnHost: (host: string) => boolean;
  /** Bytes of the smallest receive buffer that answers come into; infinite where there is none. */
  readonly receiveBuffer: () => number;
  /** Binds the addresses one after the other. Rejects with a sentence at the first that cannot be bound; close it then. */
  readonly listen: (addresses: readonly ListenAt[]) => Promise<readonly Listener[]>;
  /** Stops listening and closes every connection, what is queued first, all within `ms`. */
  readonly close: (ms: number) => Promise<void>;
}

export interface ListenAt extends HostPort {
  readonly transport: TransportName;
}

export interface TransportLayerOptions extends Omit<TransportOptions, 'receive'> {
  /** What Via and Contact show instead of the address listened on; without a port the one listened on. */
  readonly advertise?: HostAndMaybePort | undefined;
  /** Takes every message, whatever it came by. */
  readonly receive: (message: Received) => void;
}

export const createTransportLayer = (options: TransportLayerOptions): TransportLayer => {
  const { advertise, receive } = options;
  const transports = createTransports(options);
  const listeners: Listener[] = [];
  const advertisedHost = advertise === undefined ? undefined : showHost(advertise.host).toLowerCase();
  let receiveBuffer = Number.POSITIVE_INFINITY;

  return {
    listeners,
    counters: { udp: transports.udp.counters, tcp: transports.tcp.counters },
    send: (target, head, tail, onFailure) => transports[target.transport].send(target, head, tail, onFailure),
    sentBy: createSentBy(listeners, advertise),
    usable: (family) => listeners.some(({ local }) => local.host.includes(':') === (family === 6)),
    isOwnHost: (host) => host === advertisedHost || listeners.some(({ local }) => showHost(local.host) === host),
    receiveBuffer: () => receiveBuffer,
    listen: async (addresses) => {
      for (const address of addresses) {
        const listener = await transports[address.transport].listen(address, receive);
        listeners.push(listener);
        receiveBuffer = Math.min(receiveBuffer, listener.receiveBuffer ?? Number.POSITIVE_INFINITY);
      }
      return listeners;
    },
    close: async (ms) => {
      await Promise.all(Object.values(transports).map((transport) => transport.close(ms)));
    },
  };
};
