import { createServer, isIP, type Server, type Socket } from 'node:net';
import { type HostPort, showTransportAddress } from '../../../net/address.ts';
import { bindError } from '../../../net/bind-error.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Log } from '../../../ports/log.ts';
import {
  countReason,
  type Flow,
  newTransportCounters,
  type Received,
  type SendFailure,
  type Target,
  type Transport,
} from '../transport.ts';
import type { TcpConnection } from './connection.ts';
import { TcpConnections } from './connections.ts';
import { TcpDialler } from './dialler.ts';

export interface TcpOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Most bytes of a body that is read; larger ones are handed on as `cut`. */
  readonly largestBody: number;
  /** Is the flow needed though nothing is said on it: a binding is registered over it? */
  readonly keep?: (flow: Flow) => boolean;
  /** Takes what comes by dialled connections while nothing listens. */
  readonly receive?: (message: Received) => void;
  readonly maxConnections?: number;
  readonly maxPerPeer?: number;
}

/**
 * SIP over TCP (RFC 3261 18). A connection serves requests and answers of both directions; one that was dialled is used again
 * for the same host and port, one that came in for as long as its flow is named.
 */
export const createTcp = (options: TcpOptions): Transport => {
  const { clock, log, largestBody, keep = () => false, maxConnections = 8_192, maxPerPeer = 1_024 } = options;
  const counters = newTransportCounters();
  const servers: Server[] = [];
  let { receive } = options;
  const connections = new TcpConnections({
    transport: 'tcp',
    clock,
    counters,
    largestBody,
    keep,
    maxConnections,
    maxPerPeer,
    receive: (message) => receive?.(message),
  });
  const dialler = new TcpDialler(clock, connections);

  const accept = (socket: Socket, local: HostPort): void => {
    const host = socket.remoteAddress ?? '';
    if (connections.hasRoomFor(host)) {
      connections.adopt(socket, { host, port: socket.remotePort ?? 0 }, local);
      return;
    }
    countReason(counters.dropped, 'connections');
    socket.on('error', () => {});
    socket.destroy();
  };

  const connectionFor = (target: Target): TcpConnection | SendFailure => {
    if (target.flow === undefined) return dialler.to(target);
    const connection = connections.byFlow(target.flow);
    return connection?.open === true ? connection : 'closed';
  };

  return {
    name: 'tcp',
    counters,
    listen: async (address, to) => {
      const { server, local } = await openServer(address, log, accept);
      receive = to;
      servers.push(server);
      return { transport: 'tcp', local };
    },
    send: (target, head, tail, onFailure) => {
      const connection = connectionFor(target);
      if (typeof connection === 'string') {
        countReason(counters.failures, connection);
        onFailure?.(connection);
      } else connection.send(head, tail, onFailure);
      return true;
    },
    close: async (ms) => {
      const listening = servers.splice(0).map((server) => new Promise<void>((done) => server.close(() => done())));
      await connections.close(ms);
      await Promise.all(listening);
    },
  };
};

interface OpenServer {
  readonly server: Server;
  readonly local: HostPort;
}

/** Rejects with a sentence where the address cannot be bound. */
const openServer = (
  { host, port }: HostPort,
  log: Log,
  accept: (socket: Socket, local: HostPort) => void,
): Promise<OpenServer> =>
  new Promise((resolve, reject) => {
    const where = showTransportAddress({ transport: 'tcp', host, port });
    if (isIP(host) === 0) {
      reject(new Error(`${where} is not an IP address. Give one, IPv6 in brackets.`));
      return;
    }
    let local: HostPort = { host, port };
    const server = createServer({ allowHalfOpen: true }, (socket) => accept(socket, local));
    server.once('error', (error) => reject(bindError(where, error)));
    server.listen({ host, port, ipv6Only: true, backlog: 1_024 }, () => {
      server.removeAllListeners('error');
      // For example EMFILE on accept: the connection is lost, the listener stays.
      server.on('error', (error) => log.warn({ listener: where, error: error.message }, 'TCP listener error'));
      const bound = server.address();
      if (bound === null || typeof bound === 'string') return;
      local = { host: bound.address, port: bound.port };
      resolve({ server, local });
    });
  });
