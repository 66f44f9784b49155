import type { Via } from '../message/via.ts';
import type { Source, Target } from '../transport/transport.ts';
import { transports } from '../transport/transports.ts';

/** Hands bytes to the transport that the target names. Never throws; `onFailure` at most once. */
export type SendBytes = (target: Target, bytes: Buffer, onFailure: (reason: string) => void) => void;

/**
 * Sends an answer where it belongs (RFC 3261 18.2.2): by the connection that the request came by, and where that is gone by a
 * new one. `maddr` is not followed: it would let a request choose who is sent to.
 *
 * @param via the request's topmost
 * @param unsent called for each attempt that failed
 */
export const sendAnswer = (send: SendBytes, via: Via, source: Source, bytes: Buffer, unsent: () => void): void => {
  const target = targetOf(via, source);
  send(target, bytes, () => {
    unsent();
    if (transports[target.transport].connected && target.flow !== undefined) send(sentByOf(via, source), bytes, unsent);
  });
};

/** Without a connection: to the port it came from where rport asks for it (RFC 3581 4), else to sent-by's. */
const targetOf = (via: Via, source: Source): Target => {
  const { connected, defaultPort } = transports[source.transport];
  if (connected) return source.flow.open ? source : sentByOf(via, source);
  return via.rport ? source : { ...source, port: via.port ?? defaultPort };
};

/** The source's address, at sent-by's port: by a new connection. */
const sentByOf = (via: Via, { transport, host }: Source): Target => ({
  transport,
  host,
  port: via.port ?? transports[transport].defaultPort,
});
