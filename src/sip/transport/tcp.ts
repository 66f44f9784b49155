import { connect, createServer, isIP, type Server, type Socket } from 'node:net';
import { BoundedMap } from '../../bounds/bounded-map.ts';
import type { HostPort } from '../../net/address.ts';
import { bindError } from '../../net/bind-error.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { type Connection, type ConnectionShared, createConnection } from './tcp-connection.ts';
import {
  count,
  type Flow,
  type Listener,
  newTransportCounters,
  type Received,
  type SendFailure,
  sendFailureOf,
  type Target,
  type Transport,
} from './transport.ts';

/**
 * SIP over TCP. A connection serves requests and answers of both directions; one that was dialled is used again for the same
 * host and port, one that came in for as long as its flow is named.
 */

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

/** Request line and header, with room for what a proxy adds; beyond, the connection is closed. */
const largestHead = 64 * 1024;
const sweepMs = 1_000;
/** Half a message, and then silence. */
const unfinishedMs = 30_000;
const idleMs = 180_000;
/** From the peer's end, or a message that was cut, to ours; and to a close without courtesy. */
const endMs = 2_000;
const destroyMs = 10_000;
const stalledMs = 30_000;
const connectMs = 4_000;
/** After a connection failed, copies to the same place fail at once for so long. */
const redialMs = 1_000;
const redialLimit = 4_096;

export const createTcp = (options: TcpOptions): Transport => {
  const { clock, log, keep = () => false, maxConnections = 8_192, maxPerPeer = 1_024 } = options;
  const counters = newTransportCounters();
  const servers: Server[] = [];
  const byId = new Map<number, Connection>();
  const dialled = new Map<string, Connection>();
  const peers = new Map<string, number>();
  const notBefore = new BoundedMap<string, { readonly at: number; readonly reason: SendFailure }>(redialLimit);
  let receive: ((message: Received) => void) | undefined = options.receive;
  let sweeping: Timer | undefined;
  let allClosed = (): void => {};

  const shared: ConnectionShared = {
    limits: { head: largestHead, body: options.largestBody },
    counters,
    receive: (message) => receive?.(message),
    queued: 0,
    now: () => clock.monotonic(),
    closed: (connection) => {
      if (!byId.delete(connection.id)) return;
      counters.connections -= 1;
      const { host, port } = connection.remote;
      const others = (peers.get(host) ?? 1) - 1;
      if (others > 0) peers.set(host, others);
      else peers.delete(host);
      const key = `${host} ${port}`;
      if (dialled.get(key) === connection) dialled.delete(key);
      if (byId.size === 0) allClosed();
    },
  };

  const adopt = (socket: Socket, remote: HostPort, local: HostPort): Connection => {
    const connection = createConnection(socket, remote, local, shared);
    byId.set(connection.id, connection);
    peers.set(remote.host, (peers.get(remote.host) ?? 0) + 1);
    counters.connections += 1;
    sweeping ??= clock.after(sweepMs, sweep);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    return connection;
  };

  const sweep = (): void => {
    sweeping = undefined;
    const now = clock.monotonic();
    const past = (since: number | undefined, ms: number): boolean => since !== undefined && now - since >= ms;
    for (const connection of byId.values()) {
      const { unfinishedSince, endedSince, stalledSince } = connection;
      const wrong = past(unfinishedSince, unfinishedMs)
        ? 'unfinished'
        : past(stalledSince, stalledMs)
          ? 'stalled'
          : past(endedSince, destroyMs)
            ? 'ended'
            : undefined;
      if (wrong !== undefined) {
        count(counters.dropped, wrong);
        connection.close('closed');
      } else if (past(endedSince, endMs)) connection.close();
      else if (now - connection.activeAt >= idleMs && !keep(connection)) connection.close();
    }
    if (byId.size > 0) sweeping = clock.after(sweepMs, sweep);
  };

  const listen = (address: HostPort, to: (message: Received) => void): Promise<Listener> =>
    new Promise((resolve, reject) => {
      const where = `tcp:${address.host}:${address.port}`;
      if (isIP(address.host) === 0) {
        reject(new Error(`${where} is not an IP address. Give one, IPv6 in brackets.`));
        return;
      }
      receive = to;
      let local = address;
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        const host = socket.remoteAddress ?? '';
        if (byId.size >= maxConnections || (peers.get(host) ?? 0) >= maxPerPeer) {
          count(counters.dropped, 'connections');
          socket.on('error', () => {});
          socket.destroy();
          return;
        }
        adopt(socket, { host, port: socket.remotePort ?? 0 }, local);
      });
      server.once('error', (error) => reject(bindError(where, error)));
      server.listen({ host: address.host, port: address.port, ipv6Only: true, backlog: 1_024 }, () => {
        server.removeAllListeners('error');
        // For example EMFILE on accept: the connection is lost, the listener stays.
        server.on('error', (error) => log.warn({ listener: where, error: error.message }, 'TCP listener error'));
        const bound = server.address();
        if (bound === null || typeof bound === 'string') return;
        local = { host: bound.address, port: bound.port };
        servers.push(server);
        resolve({ transport: 'tcp', local });
      });
    });

  const dial = ({ host, port }: HostPort): Connection | SendFailure => {
    const key = `${host} ${port}`;
    const refused = notBefore.get(key);
    if (refused !== undefined && refused.at > clock.monotonic()) return refused.reason;
    if (isIP(host) === 0 || port < 1 || port > 65_535) return 'unroutable';
    if (byId.size >= maxConnections) return 'overflow';
    const failed = (reason: SendFailure): void => {
      notBefore.set(key, { at: clock.monotonic() + redialMs, reason });
    };
    const socket = connect({ host, port, allowHalfOpen: true });
    const connection = adopt(socket, { host, port }, { host: '', port: 0 });
    const timer = clock.after(connectMs, () => {
      failed('no-connection');
      connection.close('no-connection');
    });
    let connected = false;
    socket.once('connect', () => {
      timer.cancel();
      notBefore.delete(key);
      connected = true;
    });
    socket.once('error', (error) => {
      if (!connected) failed(sendFailureOf(error));
    });
    socket.once('close', () => timer.cancel());
    dialled.set(key, connection);
    return connection;
  };

  const connectionFor = (target: Target): Connection | SendFailure => {
    if (target.flow !== undefined) {
      const connection = byId.get(target.flow.id);
      return connection?.open === true ? connection : 'closed';
    }
    const known = dialled.get(`${target.host} ${target.port}`);
    return known?.open === true ? known : dial(target);
  };

  const send: Transport['send'] = (target, head, tail, onFailure) => {
    const connection = connectionFor(target);
    if (typeof connection === 'string') {
      count(counters.failures, connection);
      onFailure?.(connection);
    } else connection.send(head, tail, onFailure);
    return true;
  };

  const close = async (ms: number): Promise<void> => {
    const listening = servers.splice(0).map((server) => new Promise<void>((done) => server.close(() => done())));
    if (byId.size > 0) {
      await new Promise<void>((done) => {
        const timer = clock.after(ms, () => {
          for (const connection of [...byId.values()]) connection.close('closed');
        });
        allClosed = () => {
          timer.cancel();
          done();
        };
        for (const connection of [...byId.values()]) connection.close();
      });
    }
    sweeping?.cancel();
    await Promise.all(listening);
  };

  return { name: 'tcp', counters, listen, send, close };
};
