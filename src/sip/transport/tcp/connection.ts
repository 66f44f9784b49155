import type { Socket } from 'node:net';
import type { HostPort } from '../../../net/address.ts';
import { Framer, type FramingLimits } from '../framing.ts';
import {
  type Cut,
  countReason,
  type Flow,
  nextFlowId,
  type Received,
  type SendFailure,
  type Source,
  sendFailureOf,
  type TransportCounters,
} from '../transport.ts';
import type { TransportName } from '../transports.ts';
import { type OnFailure, TcpQueue } from './queue.ts';

/** What all connections of a transport share. */
export interface TcpShared {
  readonly transport: TransportName;
  readonly limits: FramingLimits;
  readonly counters: TransportCounters;
  readonly receive: (message: Received) => void;
  /** Bytes that wait in the queues of all connections. */
  readonly queued: { bytes: number };
  readonly closed: (connection: TcpConnection) => void;
  readonly now: () => number;
}

const crlf = Buffer.from('\r\n', 'latin1');

/**
 * One TCP connection: messages in, messages out through a bounded queue. Open; then ending, while answers that are owed may
 * still leave; then closed, and all whose bytes did not leave are told.
 */
export class TcpConnection implements Flow {
  readonly id = nextFlowId();
  readonly transport: TransportName;
  readonly local: HostPort;
  /** The peer, as it is known: an IP address and the port connected to or from. */
  readonly remote: HostPort;
  open = true;
  /** Monotonic: when bytes last came or went. */
  activeAt: number;
  /** Monotonic: since when a message is unfinished, and since when the connection is ending; undefined: it is not. */
  unfinishedSince: number | undefined;
  endedSince: number | undefined;

  readonly #socket: Socket;
  readonly #shared: TcpShared;
  readonly #queue: TcpQueue;
  readonly #framer: Framer;
  #closed = false;
  /** Nothing more is read as SIP. */
  #discarding = false;
  #owesAnswers = false;

  /** @param socket connected, or being connected */
  constructor(socket: Socket, remote: HostPort, local: HostPort, shared: TcpShared) {
    const { now, queued, limits } = shared;
    this.#socket = socket;
    this.#shared = shared;
    this.transport = shared.transport;
    this.remote = remote;
    this.local = local;
    this.activeAt = now();
    const left = (): void => {
      this.activeAt = now();
    };
    this.#queue = new TcpQueue({ socket, total: queued, now, left });
    this.#framer = new Framer(limits, {
      message: (bytes) => this.#deliver(bytes),
      cut: (head, cut) => this.#deliverCut(head, cut),
      ping: () => this.send(crlf, undefined, undefined),
    });
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    // Half closed: answers to what came before may still leave, where anything came.
    socket.on('end', () => (this.#owesAnswers ? this.#beginEnd() : this.close()));
    socket.on('error', (error) => this.#finish(sendFailureOf(error)));
    socket.on('close', () => this.#finish('closed'));
  }

  /** Monotonic: since when the queue stands still; undefined: it does not. */
  get stalledSince(): number | undefined {
    return this.#queue.stalledSince;
  }

  send(head: Uint8Array, tail: Uint8Array | undefined, onFailure: OnFailure | undefined): void {
    if (!this.open) this.#fail(onFailure, 'closed');
    else if (this.#queue.push(head, tail, onFailure)) this.#shared.counters.sent += 1;
    else this.#fail(onFailure, 'overflow');
  }

  /** Writes what is queued, then closes; at once where `reason` says what went wrong. */
  close(reason?: SendFailure): void {
    if (reason === undefined) {
      this.#queue.flush();
      this.open = false;
      this.#beginEnd();
      this.#socket.end();
      return;
    }
    this.#finish(reason);
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.activeAt = this.#shared.now();
    if (this.#discarding) return;
    this.#framer.push(chunk);
    this.unfinishedSince = this.#framer.unfinished() ? (this.unfinishedSince ?? this.activeAt) : undefined;
  }

  #deliver(bytes: Buffer): void {
    if (!this.open) return;
    this.#shared.counters.received += 1;
    this.unfinishedSince = undefined;
    // Requests are kept while they are worked on; a view would keep the whole chunk. Responses (`S`) are not.
    const request = bytes[0] !== 0x53;
    this.#owesAnswers ||= request;
    this.#shared.receive({ bytes: request ? Buffer.from(bytes) : bytes, from: this.#source() });
  }

  /** Nothing more is read as SIP; the answer to what was cut may still leave. */
  #deliverCut(bytes: Buffer, cut: Cut): void {
    countReason(this.#shared.counters.dropped, cut);
    this.#discarding = true;
    this.#owesAnswers = true;
    this.#beginEnd();
    this.#shared.receive({ bytes, cut, from: this.#source() });
  }

  #source(): Source {
    const { host, port } = this.remote;
    return { transport: this.transport, host, port, flow: this };
  }

  /** Open -> ending. */
  #beginEnd(): void {
    this.endedSince ??= this.#shared.now();
  }

  /** Open or ending -> closed. */
  #finish(reason: SendFailure): void {
    if (this.#closed) return;
    this.#closed = true;
    this.open = false;
    const senders = this.#queue.end();
    this.#shared.closed(this);
    for (const onFailure of senders) this.#fail(onFailure, reason);
  }

  #fail(onFailure: OnFailure | undefined, reason: SendFailure): void {
    countReason(this.#shared.counters.failures, reason);
    onFailure?.(reason);
  }
}
