import type { Socket } from 'node:net';
import type { HostPort } from '../../../net/address.ts';
import type { Clock, Timer } from '../../../ports/clock.ts';
import { countReason, type Flow, type Received, type TransportCounters } from '../transport.ts';
import type { TransportName } from '../transports.ts';
import { TcpConnection, type TcpShared } from './connection.ts';

export interface TcpConnectionsOptions {
  readonly transport: TransportName;
  readonly clock: Clock;
  readonly counters: TransportCounters;
  readonly receive: (message: Received) => void;
  /** Most bytes of a body that is read; larger ones are handed on as `cut`. */
  readonly largestBody: number;
  /** Is the flow needed though nothing is said on it? */
  readonly keep: (flow: Flow) => boolean;
  readonly maxConnections: number;
  readonly maxPerPeer: number;
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

const past = (now: number, since: number | undefined, ms: number): boolean => since !== undefined && now - since >= ms;

/** All open connections of the transport, whoever opened them; closes those that are idle or go wrong. */
export class TcpConnections {
  readonly #options: TcpConnectionsOptions;
  readonly #shared: TcpShared;
  readonly #byId = new Map<number, TcpConnection>();
  /** How many of them, by the peer's address. */
  readonly #peers = new Map<string, number>();
  #sweeping: Timer | undefined;
  #allClosed = (): void => {};

  constructor(options: TcpConnectionsOptions) {
    const { transport, clock, counters, receive, largestBody } = options;
    this.#options = options;
    this.#shared = {
      transport,
      limits: { head: largestHead, body: largestBody },
      counters,
      receive,
      queued: { bytes: 0 },
      closed: (connection) => this.#forget(connection),
      now: () => clock.monotonic(),
    };
  }

  /** Is there room for another one? */
  hasRoom(): boolean {
    return this.#byId.size < this.#options.maxConnections;
  }

  /** Is there room for another one from this IP address? */
  hasRoomFor(host: string): boolean {
    return this.hasRoom() && (this.#peers.get(host) ?? 0) < this.#options.maxPerPeer;
  }

  /** @param socket connected, or being connected */
  adopt(socket: Socket, remote: HostPort, local: HostPort): TcpConnection {
    const connection = new TcpConnection(socket, remote, local, this.#shared);
    this.#byId.set(connection.id, connection);
    this.#peers.set(remote.host, (this.#peers.get(remote.host) ?? 0) + 1);
    this.#options.counters.connections += 1;
    this.#sweeping ??= this.#options.clock.after(sweepMs, this.#sweep);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    return connection;
  }

  byFlow({ id }: Flow): TcpConnection | undefined {
    return this.#byId.get(id);
  }

  /** Closes all, what is queued first; after `ms` without courtesy. */
  async close(ms: number): Promise<void> {
    if (this.#byId.size > 0) {
      await new Promise<void>((done) => {
        const timer = this.#options.clock.after(ms, () => {
          for (const connection of [...this.#byId.values()]) connection.close('closed');
        });
        this.#allClosed = () => {
          timer.cancel();
          done();
        };
        for (const connection of [...this.#byId.values()]) connection.close();
      });
    }
    this.#sweeping?.cancel();
  }

  #forget(connection: TcpConnection): void {
    if (!this.#byId.delete(connection.id)) return;
    this.#options.counters.connections -= 1;
    const { host } = connection.remote;
    const others = (this.#peers.get(host) ?? 1) - 1;
    if (others > 0) this.#peers.set(host, others);
    else this.#peers.delete(host);
    if (this.#byId.size === 0) this.#allClosed();
  }

  readonly #sweep = (): void => {
    const { clock, counters, keep } = this.#options;
    const now = clock.monotonic();
    for (const connection of this.#byId.values()) {
      const wrong = wrongWith(connection, now);
      if (wrong !== undefined) {
        countReason(counters.dropped, wrong);
        connection.close('closed');
      } else if (past(now, connection.endedSince, endMs)) connection.close();
      else if (now - connection.activeAt >= idleMs && !keep(connection)) connection.close();
    }
    this.#sweeping = this.#byId.size > 0 ? clock.after(sweepMs, this.#sweep) : undefined;
  };
}

/** Why a connection cannot be waited for any longer; undefined where it can. */
const wrongWith = ({ unfinishedSince, stalledSince, endedSince }: TcpConnection, now: number): string | undefined => {
  if (past(now, unfinishedSince, unfinishedMs)) return 'unfinished';
  if (past(now, stalledSince, stalledMs)) return 'stalled';
  return past(now, endedSince, destroyMs) ? 'ended' : undefined;
};
