import type { Socket } from 'node:net';
import type { HostPort } from '../../net/address.ts';
import { createFramer, type FramingLimits } from './framing.ts';
import {
  count,
  type Flow,
  nextFlowId,
  type Received,
  type SendFailure,
  sendFailureOf,
  type TransportCounters,
} from './transport.ts';

/** One TCP connection: messages in, messages out through a bounded queue. */

/** What all connections of a transport share. */
export interface ConnectionShared {
  readonly limits: FramingLimits;
  readonly counters: TransportCounters;
  readonly receive: (message: Received) => void;
  /** Bytes that wait in the queues of all connections. */
  queued: number;
  readonly closed: (connection: Connection) => void;
  readonly now: () => number;
}

export interface Connection extends Flow {
  /** The peer, as it is known: an IP address and the port connected to or from. */
  readonly remote: HostPort;
  open: boolean;
  /** Monotonic: when bytes last came or went. */
  activeAt: number;
  /** Monotonic: since when a message is unfinished, the peer's end is closed, or the queue stands still; undefined: it is not. */
  unfinishedSince: number | undefined;
  endedSince: number | undefined;
  stalledSince: number | undefined;
  readonly send: (
    head: Uint8Array,
    tail: Uint8Array | undefined,
    onFailure: ((reason: SendFailure) => void) | undefined,
  ) => void;
  /** Writes what is queued, then closes; at once where `reason` says what went wrong. */
  readonly close: (reason?: SendFailure) => void;
}

/** A reader so slow that this much waits for it loses what comes after. */
const queueLimit = 4 * 1024 * 1024;
/** The same over all connections: many slow readers together must not fill the memory. */
const queuesLimit = 48 * 1024 * 1024;
const crlf = Buffer.from('\r\n', 'latin1');

interface Queued {
  readonly parts: Buffer[];
  readonly failures: ((reason: SendFailure) => void)[];
  bytes: number;
}

/** @param socket connected, or being connected */
export const createConnection = (
  socket: Socket,
  remote: HostPort,
  local: HostPort,
  shared: ConnectionShared,
): Connection => {
  const { counters } = shared;
  /** What is sent in one turn of the loop goes out in one write. */
  let gathering: Queued = { parts: [], failures: [], bytes: 0 };
  const writing = new Set<Queued>();
  let scheduled = false;
  let queued = 0;
  let discarding = false;
  let finished = false;
  let owesAnswers = false;

  const fail = (onFailure: ((reason: SendFailure) => void) | undefined, reason: SendFailure): void => {
    count(counters.failures, reason);
    onFailure?.(reason);
  };

  const done = (batch: Queued): void => {
    if (!writing.delete(batch)) return;
    queued -= batch.bytes;
    shared.queued -= batch.bytes;
  };

  const flush = (): void => {
    scheduled = false;
    if (finished || gathering.bytes === 0) return;
    const batch = gathering;
    gathering = { parts: [], failures: [], bytes: 0 };
    writing.add(batch);
    connection.stalledSince ??= shared.now();
    const [first] = batch.parts;
    socket.write(batch.parts.length === 1 && first !== undefined ? first : Buffer.concat(batch.parts), (error) => {
      if (error !== null && error !== undefined) return; // `finish` tells the senders
      done(batch);
      connection.activeAt = shared.now();
      connection.stalledSince = writing.size > 0 ? connection.activeAt : undefined;
    });
    batch.parts.length = 0;
  };

  /** Tells all whose bytes did not leave, once. */
  const finish = (reason: SendFailure): void => {
    if (finished) return;
    finished = true;
    connection.open = false;
    const batches = [...writing, gathering];
    for (const batch of writing) done(batch);
    shared.queued -= gathering.bytes;
    shared.closed(connection);
    for (const batch of batches) for (const onFailure of batch.failures) fail(onFailure, reason);
    gathering = { parts: [], failures: [], bytes: 0 };
  };

  const connection: Connection = {
    id: nextFlowId(),
    transport: 'tcp',
    local,
    remote,
    open: true,
    activeAt: shared.now(),
    unfinishedSince: undefined,
    endedSince: undefined,
    stalledSince: undefined,
    send: (head, tail, onFailure) => {
      const bytes = head.length + (tail?.length ?? 0);
      if (!connection.open) {
        fail(onFailure, 'closed');
        return;
      }
      if (queued + bytes > queueLimit || shared.queued + bytes > queuesLimit) {
        fail(onFailure, 'overflow');
        return;
      }
      queued += bytes;
      shared.queued += bytes;
      gathering.bytes += bytes;
      const whole = Buffer.allocUnsafe(bytes);
      whole.set(head);
      if (tail !== undefined) whole.set(tail, head.length);
      gathering.parts.push(whole);
      if (onFailure !== undefined) gathering.failures.push(onFailure);
      counters.sent += 1;
      if (scheduled) return;
      scheduled = true;
      queueMicrotask(flush);
    },
    close: (reason) => {
      if (reason === undefined) {
        flush();
        connection.open = false;
        connection.endedSince ??= shared.now();
        socket.end();
        return;
      }
      finish(reason);
      socket.destroy();
    },
  };

  const framer = createFramer(shared.limits, {
    message: (bytes) => deliver(bytes),
    cut: (head, cut) => {
      discard(cut);
      shared.receive({ bytes: head, cut, from: { transport: 'tcp', ...remote, flow: connection } });
    },
    ping: () => connection.send(crlf, undefined, undefined),
  });

  const deliver = (bytes: Buffer): void => {
    if (!connection.open) return;
    counters.received += 1;
    connection.unfinishedSince = undefined;
    // Requests are kept while they are worked on; a view would keep the whole chunk. Responses (`S`) are not.
    const request = bytes[0] !== 0x53;
    owesAnswers ||= request;
    shared.receive({
      bytes: request ? Buffer.from(bytes) : bytes,
      from: { transport: 'tcp', ...remote, flow: connection },
    });
  };

  /** Nothing more is read as SIP; the answer to what was cut may still leave. */
  const discard = (why: string): void => {
    count(counters.dropped, why);
    discarding = true;
    owesAnswers = true;
    connection.endedSince ??= shared.now();
  };

  socket.on('data', (chunk: Buffer) => {
    connection.activeAt = shared.now();
    if (discarding) return;
    framer.push(chunk);
    connection.unfinishedSince = framer.unfinished() ? (connection.unfinishedSince ?? connection.activeAt) : undefined;
  });
  // Half closed: answers to what came before may still leave, where anything came.
  socket.on('end', () => {
    if (owesAnswers) connection.endedSince ??= shared.now();
    else connection.close();
  });
  socket.on('error', (error) => finish(sendFailureOf(error)));
  socket.on('close', () => finish('closed'));
  return connection;
};
