import type { MemberUri } from '../room/address.ts';

/** The way out: one text for many. */

/** How a copy to one recipient ended, over all of that recipient's devices: the best of them. */
export type Delivery =
  | { readonly kind: 'delivered' } // a 2xx
  | { readonly kind: 'failed'; readonly reason: string }; // `486`, `timeout`, `unroutable`, `overflow`, ...

/** One text or body for many: what the fan-out sends. */
export interface Outgoing {
  /** The room's URI, or the address that was written to. Stands in From. */
  readonly from: string;
  /** A ready array, the same object for as long as the room's members are the same. */
  readonly recipients: readonly MemberUri[];
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
