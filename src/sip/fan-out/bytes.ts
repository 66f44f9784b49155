import type { Outgoing } from '../../ports/courier.ts';
import { branchCookie, branchLength } from '../transaction/branch.ts';
import { type TransportName, transports } from '../transport/transports.ts';

/**
 * The bytes of a MESSAGE in two parts: a head for each recipient's device, made once and used for every message, and a tail
 * for each message, made once and used for every recipient. Only the unique part (branch, tag, Call-ID) is written a copy.
 */

/** Request line, Via, Max-Forwards, To. Belongs to one device of one recipient. */
export interface CopyHead {
  bytes: Buffer;
  /** Place of the branch's unique part. */
  readonly branchAt: number;
}

/** From, Call-ID and all that follows, with the body. Belongs to one message. */
export interface CopyTail {
  bytes: Buffer;
  readonly tagAt: number;
  readonly callIdAt: number;
}

const blank = 'x'.repeat(branchLength);

/**
 * @param requestUri the device's Contact, or the member's URI
 * @param to the member's URI
 * @param sentBy host and port of Via
 */
export const buildHead = (requestUri: string, to: string, transport: TransportName, sentBy: string): CopyHead => {
  const start = `MESSAGE ${requestUri} SIP/2.0\r\nVia: SIP/2.0/${transports[transport].via} ${sentBy};rport;branch=${branchCookie}`;
  return {
    bytes: Buffer.from(`${start}${blank}\r\nMax-Forwards: 70\r\nTo: <${to}>\r\n`),
    branchAt: Buffer.byteLength(start),
  };
};

export interface TailParts {
  readonly message: Outgoing;
  readonly body: Uint8Array;
  readonly userAgent: string;
  /** Whole header lines, each with its CRLF. */
  readonly extraHeaders: string;
  /** Name the sender in P-Asserted-Identity: only towards the trusted (RFC 3325). */
  readonly asserted: boolean;
}

export const buildTail = ({ message, body, userAgent, extraHeaders, asserted }: TailParts): CopyTail => {
  const from = `From: <${message.from}>;tag=`;
  const callId = `${from}${blank}\r\nCall-ID: `;
  const { inReplyTo, assertedIdentity } = message;
  const configured = Buffer.from(extraHeaders).toString('latin1');
  const head = [
    `${callId}${blank}\r\n`,
    'CSeq: 10 MESSAGE\r\n',
    `User-Agent: ${userAgent}\r\n`,
    inReplyTo === undefined ? '' : `In-Reply-To: ${oneLine(inReplyTo)}\r\n`,
    asserted && assertedIdentity !== undefined ? `P-Asserted-Identity: <${assertedIdentity}>\r\n` : '',
    configured,
    `Content-Type: ${oneLine(message.contentType)}\r\n`,
    `Content-Length: ${body.length}\r\n\r\n`,
  ].join('');
  return {
    // Call-ID and Content-Type are Latin-1 here, one character a byte: they go on as they came.
    bytes: Buffer.concat([Buffer.from(head, 'latin1'), body]),
    tagAt: from.length,
    callIdAt: callId.length,
  };
};

/** A value that came from outside stays one line: nobody writes headers of ours. */
const oneLine = (value: string): string => value.replace(/[\r\n\0]+/g, ' ');

/** `extra_hdrs` as it is configured, lines apart by CRLF, LF or a literal `\r\n`, as whole header lines. */
export const extraHeaderLines = (configured: string | undefined): string =>
  (configured ?? '')
    .split(/\r?\n|\\r\\n|\\n/)
    .map((line) => line.trim())
    .filter((line) => /^[\w!%*.+`'~-]+\s*:/.test(line))
    .map((line) => `${line}\r\n`)
    .join('');

/**
 * Cuts a text into parts of at most `limit` bytes, whole lines each; a line longer than that is a part of its own. The
 * newline at a cut is left out.
 */
export const splitLines = (body: Uint8Array, limit: number): readonly Uint8Array[] => {
  const parts: Uint8Array[] = [];
  let start = 0;
  while (body.length - start > limit) {
    let cut = body.lastIndexOf(0x0a, start + Math.max(0, limit));
    if (cut < start) cut = body.indexOf(0x0a, start);
    if (cut < start) break;
    if (cut > start) parts.push(body.subarray(start, cut));
    start = cut + 1;
  }
  if (start < body.length) parts.push(body.subarray(start));
  return parts;
};
