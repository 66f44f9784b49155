/**
 * What all transports have in common. A transport moves whole SIP messages: it frames streams, bounds sizes before any
 * parser sees bytes, queues with a bound, and turns every error of the network into a failed send.
 */

export type TransportName = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';

/** `host`: an IP address without brackets. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Where bytes go. */
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

/** One whole SIP message. `bytes` belongs to the receiver. */
export interface Received {
  readonly bytes: Buffer;
  /** Where it came from, with its flow. */
  readonly from: Target & { readonly flow: Flow };
}

/** Why a message did not leave: `unroutable`, `refused`, `overflow`, `closed`, `too-large`, `timeout`, or an errno such as `EPERM`. */
export type SendFailure = string;

export interface Listener {
  readonly transport: TransportName;
  /** The address really bound: with port 0 the one that was given. */
  readonly local: HostPort;
}

export interface Transport {
  readonly name: TransportName;
  /** Rejects with a sentence where the address cannot be bound. */
  readonly listen: (address: HostPort, receive: (message: Received) => void) => Promise<Listener>;
  /**
   * Hands one message to the network: `head` followed by `tail`. Never throws. `onFailure` is called at most once, at once
   * or later; no call means that the bytes were handed over.
   */
  readonly send: (
    target: Target,
    head: Uint8Array,
    tail: Uint8Array | undefined,
    onFailure: (reason: SendFailure) => void,
  ) => void;
  /** Stops listening and closes every connection, what is queued first (bounded by `ms`). */
  readonly close: (ms: number) => Promise<void>;
}
