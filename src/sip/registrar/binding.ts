import type { Flow, Target } from '../transport/transport.ts';
import { transports } from '../transport/transports.ts';

/** What a user has registered, and where that leads. Values of these types are never changed, only replaced. */

/** The way to a contact. */
export interface Way {
  /** Where copies go: over a stream with the flow that the contact registered over. */
  readonly target: Target;
  /** Where they go once that flow is closed; undefined: nowhere. */
  readonly fallback: Target | undefined;
}

/** A binding of an address of record to a contact (RFC 3261 10.3). */
export interface Binding extends Way {
  /** The Contact's URI as it came. */
  readonly contact: string;
  /** What contacts are compared by. */
  readonly identity: string;
  readonly callId: string;
  readonly cseq: number;
  /** Wall clock, milliseconds. */
  readonly expires: number;
  /** The contact's `q`, as it came. */
  readonly q: string | undefined;
}

/** Where a binding leads at present. */
export interface Reachable {
  /** Next hop: an address, or the flow that the contact registered over. */
  readonly target: Target;
  /** The Contact's URI: becomes the Request-URI. */
  readonly contact: string;
}

/** Where a binding leads at present; undefined: nowhere, for its connection is closed and its contact cannot be sent to. */
export const reachOf = ({ contact, target, fallback }: Binding): Reachable | undefined => {
  if (target.flow === undefined || target.flow.open) return { contact, target };
  return fallback === undefined ? undefined : { contact, target: fallback };
};

/** The connection that a contact registered over; undefined where it came by none. */
export const connectionOf = ({ target }: Reachable): Flow | undefined =>
  transports[target.transport].connected ? target.flow : undefined;
