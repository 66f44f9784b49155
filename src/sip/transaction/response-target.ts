import type { Via } from '../message/via.ts';
import type { Source, Target } from '../transport/transport.ts';
import { transports } from '../transport/transports.ts';

/**
 * Where the answer to a request goes: by its flow, over UDP to the port it came from where rport asks for it, else to
 * sent-by's port (RFC 3261 18.2.2, RFC 3581 4). `maddr` is not followed: it would let a request choose who is sent to.
 */
export const answerTarget = (via: Via, source: Source): Target => {
  const { connected, defaultPort } = transports[source.transport];
  if (connected) return source.flow.open ? source : sentByTarget(via, source);
  return via.rport ? source : { ...source, port: via.port ?? defaultPort };
};

/** Where it goes once the connection is gone: a new one to the source's address, at sent-by's port (RFC 3261 18.2.2). */
export const sentByTarget = (via: Via, source: Source): Target => ({
  transport: source.transport,
  host: source.host,
  port: via.port ?? transports[source.transport].defaultPort,
});
