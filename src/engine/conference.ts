import type { StoreFailure } from '../ports/event-store.ts';
import type { MemberUri, RoomUri } from '../room/address.ts';
import type { RoomCommand } from '../room/commands.ts';
import type { Malformed, Refusal } from '../room/refusals.ts';
import type { Addressed } from '../room/routing-rule.ts';

/** The engine as SIP and the management interface see it. */

/** Where a command came from: what goes into its event's metadata, and by what it is known when it comes again. */
export interface Origin {
  /** `udp:192.0.2.1:5060`, `mi:http:127.0.0.1:40000`, `mi:fifo`, `imcd`, `import`. */
  readonly source: string;
  /** Becomes `$correlationId`: the Call-ID of a SIP request, an id of its own for others. */
  readonly correlationId: string;
  /** Of a SIP request: with these it is recognised when it comes again, within 64 s, also after a restart or at another node. */
  readonly request?: { readonly callId: string; readonly cseq: string; readonly fromTag: string };
  /** Of an import: where the row stood. Becomes `origin` of the metadata. */
  readonly importedFrom?: string;
}

/** A MESSAGE for a room or the manager: parsed, its sender believed, its limits checked. */
export interface IncomingMessage {
  /** The conference address: the room's URI or the manager's. */
  readonly address: RoomUri;
  readonly addressed: Addressed;
  readonly sender: MemberUri;
  readonly scheme?: 'sips';
  /** As it came; `text/plain` where there was none. */
  readonly contentType: string;
  readonly body: Uint8Array;
  readonly origin: Origin;
}

/** Failures that a command or chat message can end in: all 500 with Retry-After, but for `Overloaded`, 503. */
export type Failure =
  | StoreFailure
  | { readonly kind: 'Overloaded'; readonly message: string }
  /** An event of a type or version that this node does not know stands in the room's stream. */
  | { readonly kind: 'RoomStopped'; readonly message: string }
  /** The rooms in memory lag, and did not reach the stream's end in time. */
  | { readonly kind: 'Lagging'; readonly message: string }
  | { readonly kind: 'Defect'; readonly message: string; readonly cause?: unknown };

/** How a MESSAGE or an MI command ended. */
export type Answer =
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly refusal: Refusal | Malformed }
  | { readonly kind: 'failed'; readonly failure: Failure };

export const done: Answer = { kind: 'done' };
export const refused = (refusal: Refusal | Malformed): Answer => ({ kind: 'refused', refusal });
export const failed = (failure: Failure): Answer => ({ kind: 'failed', failure });

export interface Conference {
  /**
   * Takes a MESSAGE and calls `answer` exactly once: a command's when its event is durable, a chat message's when the first
   * transmission of every copy has been handed over, or 200 ms later. Announcements leave after `answer` has returned.
   */
  readonly message: (message: IncomingMessage, answer: (answer: Answer) => void) => void;
  /** A command from elsewhere than SIP: the MI's. Through the same mailbox, `decide` and log; same order of answer and announcements. */
  readonly execute: (command: RoomCommand, origin: Origin, answer: (answer: Answer) => void) => void;
}
