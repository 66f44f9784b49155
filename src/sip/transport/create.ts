import { createTcp, type TcpOptions } from './tcp/tcp.ts';
import type { Transport } from './transport.ts';
import type { TransportName } from './transports.ts';
import { createUdp } from './udp.ts';

/** What transports are made with; each takes of it what it needs. */
export type TransportOptions = TcpOptions;

/** All that exist. One that neither listens nor sends costs nothing and need not be closed. */
export const createTransports = (options: TransportOptions): Readonly<Record<TransportName, Transport>> => ({
  udp: createUdp(options.log),
  tcp: createTcp(options),
});
