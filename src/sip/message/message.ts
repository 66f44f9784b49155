import type { Address } from './address.ts';
import type { Via } from './via.ts';

/**
 * A parsed message as plain data: what the layers above know of a request, of one that is malformed, and of a response. No
 * more of a header than somebody asks for.
 */

/** What an answer repeats of its request (RFC 3261 8.2.6.2), as it came: Latin-1, one character a byte. */
export interface Answerable {
  readonly method: string;
  /** Via values, the topmost first. */
  readonly vias: readonly string[];
  readonly topVia: Via;
  readonly fromText: string;
  readonly toText: string;
  readonly toTag: string | undefined;
  readonly callId: string;
  readonly cseqText: string;
  /** Undefined where the header is missing. */
  readonly timestamp: string | undefined;
}

export interface SipRequest extends Answerable {
  /** The Request-URI as it came. */
  readonly uri: string;
  readonly from: Address;
  /** Empty where there is none (RFC 2543). */
  readonly fromTag: string;
  readonly to: Address;
  readonly cseq: number;
  /** Undefined where the header is missing. */
  readonly maxForwards: number | undefined;
  readonly contacts: readonly Address[] | '*';
  readonly routes: readonly Address[];
  /** Seconds, at most 2^32-1; undefined where the header is missing or no number (RFC 3261 10.3: taken as missing). */
  readonly expires: number | undefined;
  /** Option tags. */
  readonly require: readonly string[];
  readonly contentType: string | undefined;
  /** Content codings in lower case, without `identity`. */
  readonly contentEncoding: readonly string[];
  readonly contentDisposition: string | undefined;
  readonly authorization: readonly string[];
  readonly proxyAuthorization: readonly string[];
  readonly body: Buffer;
}

/** What was found wrong: the status of the answer, and a sentence for its Reason-Phrase and the log. */
export interface Problem {
  readonly status: number;
  readonly reason: string;
}

/** A request that cannot be understood. */
export interface Malformation extends Problem {
  /** What an answer needs; undefined where there shall be none: garbage, an ACK. */
  readonly answerable: Answerable | undefined;
}

export type ParsedRequest =
  | { readonly kind: 'request'; readonly request: SipRequest }
  | { readonly kind: 'malformed'; readonly malformation: Malformation }
  /** Nothing but line ends: a keep-alive (RFC 5626 3.5.1), not to be answered. */
  | { readonly kind: 'keep-alive' };

/** A response, as the command-line client reads it. */
export interface SipResponse {
  readonly status: number;
  readonly reason: string;
  readonly toTag: string | undefined;
  readonly contacts: readonly Address[];
  readonly expires: number | undefined;
  readonly minExpires: number | undefined;
  readonly retryAfter: number | undefined;
  readonly wwwAuthenticate: readonly string[];
  readonly proxyAuthenticate: readonly string[];
}
