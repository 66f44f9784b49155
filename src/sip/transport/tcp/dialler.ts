import { connect, isIP } from 'node:net';
import { BoundedMap } from '../../../bounds/bounded-map.ts';
import type { HostPort } from '../../../net/address.ts';
import type { Clock } from '../../../ports/clock.ts';
import { type SendFailure, sendFailureOf } from '../transport.ts';
import type { TcpConnection } from './connection.ts';
import type { TcpConnections } from './connections.ts';

const connectMs = 4_000;
/** After a connection failed, copies to the same place fail at once for so long. */
const redialMs = 1_000;
const redialLimit = 4_096;

/** Connections that we open: one for each host and port, used again while it is open. */
export class TcpDialler {
  readonly #clock: Clock;
  readonly #connections: TcpConnections;
  readonly #dialled = new Map<string, TcpConnection>();
  /** Places that could not be reached: why, and when to try again. */
  readonly #failed = new BoundedMap<string, { readonly until: number; readonly reason: SendFailure }>(redialLimit);

  constructor(clock: Clock, connections: TcpConnections) {
    this.#clock = clock;
    this.#connections = connections;
  }

  /** The connection to a place, open or being opened; why there is none. */
  to({ host, port }: HostPort): TcpConnection | SendFailure {
    const key = `${host} ${port}`;
    const known = this.#dialled.get(key);
    if (known?.open === true) return known;
    const failed = this.#failed.get(key);
    if (failed !== undefined && failed.until > this.#clock.monotonic()) return failed.reason;
    if (isIP(host) === 0 || port < 1 || port > 65_535) return 'unroutable';
    if (!this.#connections.hasRoom()) return 'overflow';
    return this.#dial(key, { host, port });
  }

  #dial(key: string, remote: HostPort): TcpConnection {
    const socket = connect({ ...remote, allowHalfOpen: true });
    const connection = this.#connections.adopt(socket, remote, { host: '', port: 0 });
    const timer = this.#clock.after(connectMs, () => {
      this.#fails(key, 'no-connection');
      connection.close('no-connection');
    });
    let connected = false;
    socket.once('connect', () => {
      timer.cancel();
      this.#failed.delete(key);
      connected = true;
    });
    socket.once('error', (error) => {
      if (!connected) this.#fails(key, sendFailureOf(error));
    });
    socket.once('close', () => {
      timer.cancel();
      if (this.#dialled.get(key) === connection) this.#dialled.delete(key);
    });
    this.#dialled.set(key, connection);
    return connection;
  }

  #fails(key: string, reason: SendFailure): void {
    this.#failed.set(key, { until: this.#clock.monotonic() + redialMs, reason });
  }
}
