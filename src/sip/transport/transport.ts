import { type HostPort, isAnyAddress, isLoopbackAddress } from '../../net/address.ts';
import type { TransportName } from './transports.ts';

/**
 * What all transports have in common. A transport moves whole SIP messages: it frames streams, bounds sizes before any
 * parser sees bytes, queues with a bound, and turns every error of the network into a failed send.
 */

/** Where bytes go; `host` is an IP address. */
export interface Target extends HostPort {
  readonly transport: TransportName;
  /** Send over this flow while it lives: the connection, or the UDP socket, that a message came in by. */
  readonly flow?: Flow;
}

/** A connection, or a listening UDP socket: what a message came in by and an answer goes out by. */
export interface Flow {
  /** Unique in the process, never used again. */
  readonly id: number;
  readonly transport: TransportName;
  readonly local: HostPort;
  /** False once a connection is closed; a UDP socket's flow lives as long as it listens. */
  readonly open: boolean;
}

/**
 * Why only the head of a message could be taken from a stream: where it ends cannot be known, or it is too much to read. It
 * can be answered (400, 513); the connection reads nothing more and closes soon after.
 */
export type Cut = 'head-too-large' | 'body-too-large' | 'no-content-length' | 'bad-content-length';

/** One whole SIP message, or the head of one (`cut`). `bytes` belongs to the receiver. */
export interface Received {
  readonly bytes: Buffer;
  readonly cut?: Cut;
  readonly from: Source;
}

/** Where a message came from: the address seen, and the flow that it came in by. */
export interface Source extends Target {
  readonly flow: Flow;
}

/**
 * Why a message did not leave: `unroutable`, `refused`, `no-connection` (not in time), `overflow` (the peer reads too slowly),
 * `closed`, `too-large`, or an errno such as `EPERM`.
 */
export type SendFailure = string;

export interface Listener {
  readonly transport: TransportName;
  /** The address really bound: with port 0 the one that was given. */
  readonly local: HostPort;
  /** UDP: bytes that the kernel keeps until they are read, its bookkeeping included; what comes beyond is lost. */
  readonly receiveBuffer?: number;
}

/** Plain numbers of a transport, for `/metrics`. `failures` counts failed sends by reason. */
export interface TransportCounters {
  received: number;
  sent: number;
  /** Messages from the network that were dropped before any parser saw them, by reason. */
  readonly dropped: Record<string, number>;
  readonly failures: Record<string, number>;
  /** Open connections; 0 for UDP. */
  connections: number;
}

export interface Transport {
  readonly name: TransportName;
  readonly counters: TransportCounters;
  /** Rejects with a sentence where the address cannot be bound. */
  readonly listen: (address: HostPort, receive: (message: Received) => void) => Promise<Listener>;
  /**
   * Hands one message to the network: `head` followed by `tail`. Never throws. `onFailure` is called at most once, at once
   * or later; no call means that the bytes were handed over. Without `onFailure` the sender notices a failure by the missing
   * answer (over UDP that saves 1.1 us of 5 us a message).
   *
   * @returns true where the bytes have been taken and both buffers may be written to again; false where the transport still
   * holds them
   */
  readonly send: (
    target: Target,
    head: Uint8Array,
    tail: Uint8Array | undefined,
    onFailure: ((reason: SendFailure) => void) | undefined,
  ) => boolean;
  /** Stops listening and closes every connection, what is queued first (bounded by `ms`). */
  readonly close: (ms: number) => Promise<void>;
}

export const newTransportCounters = (): TransportCounters => ({
  received: 0,
  sent: 0,
  dropped: {},
  failures: {},
  connections: 0,
});

/** Adds one to a counter by reason. */
export const countReason = (record: Record<string, number>, reason: string): void => {
  record[reason] = (record[reason] ?? 0) + 1;
};

let lastFlow = 0;
/** A number for a new flow: unique in the process, never used again. */
export const nextFlowId = (): number => {
  lastFlow += 1;
  return lastFlow;
};

/** Can a socket bound to the IP address `local` reach `towards`? From loopback only loopback can be. */
export const reaches = (local: string, towards: string): boolean =>
  isAnyAddress(local) || isLoopbackAddress(local) === isLoopbackAddress(towards);

/** What an errno of a send or connect means to the one who sent. */
export const sendFailureOf = (error: unknown): SendFailure => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'error';
  switch (code) {
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'EINVAL':
    case 'ENOTFOUND':
    case 'ERR_SOCKET_BAD_PORT':
      return 'unroutable';
    case 'ECONNREFUSED':
      return 'refused';
    case 'EMSGSIZE':
      return 'too-large';
    case 'ETIMEDOUT':
      return 'no-connection';
    case 'ERR_SOCKET_DGRAM_NOT_RUNNING':
    case 'ECONNRESET':
    case 'EPIPE':
    case 'EBADF':
      return 'closed';
    default:
      return code;
  }
};
