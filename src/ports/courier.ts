import type { MemberUri, RoomUri } from '../room/address.ts';

/** The way out: one text for many. */

/** How a copy to one recipient ended, over all of that recipient's devices: the best of them. */
export type Delivery =
  | { readonly kind: 'delivered' } // a 2xx
  | { readonly kind: 'failed'; readonly reason: string }; // `486`, `timeout`, `unroutable`, `overflow`, ...

/**
 * Who gets what is sent to a room. Two rosters of the same room and revision name the same recipients, whatever objects they
 * are: what has been prepared for one serves the other. Never changed, only replaced.
 */
export interface Roster {
  /** The room's URI, in the case first seen. */
  readonly room: RoomUri;
  /** A revision of the room's stream at which these were its recipients. */
  readonly revision: number;
  /** The owner first, then in the order of joining. */
  readonly uris: readonly MemberUri[];
}

/** One text or body for many: what the fan-out sends. */
export interface Outgoing {
  /** The room's URI, or the address that was written to. Stands in From. */
  readonly from: string;
  /** A room's roster, or a few users. */
  readonly recipients: Roster | readonly MemberUri[];
  /** Left out of `recipients`: the sender of a chat message. */
  readonly except?: MemberUri;
  /** Content-Type, as it came, or `text/plain`. */
  readonly contentType: string;
  readonly body: Uint8Array;
  /** Call-ID of the request that led to this. */
  readonly inReplyTo?: string;
  /** Who wrote it: P-Asserted-Identity towards `outbound_proxy` and trusted targets, of bodies that cannot carry a prefix. */
  readonly assertedIdentity?: MemberUri;
  /** `lines`: where a request over UDP would pass 1,300 bytes, as many MESSAGEs as it takes, whole lines each. */
  readonly split?: 'lines';
  /** Called once, when the first transmission of every copy has been handed to its transport (or given up). */
  readonly onHandedOver?: () => void;
  /** Called once for each recipient when its delivery has ended. */
  readonly onDelivery?: (recipient: MemberUri, delivery: Delivery) => void;
}

/** Sends MESSAGEs. Never throws, never waits: what cannot be sent is a failed delivery, counted. */
export interface Courier {
  readonly send: (message: Outgoing) => void;
}
