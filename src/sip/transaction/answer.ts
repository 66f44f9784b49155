import type { Answerable } from '../message/message.ts';
import { viaOfAnswer } from '../message/via.ts';
import type { Source } from '../transport/transport.ts';

/** What a request is answered, and how that looks on the wire (RFC 3261 8.2.6). */

/** What is the same for every request that gets this answer. */
export interface SipAnswer {
  readonly status: number;
  /** May be any text: what must not stand in a Reason-Phrase is replaced. */
  readonly reason: string;
  /** Whole header lines, each with its CRLF, Latin-1. */
  readonly headers: string;
}

export const answer = (status: number, reason: string, headers = ''): SipAnswer => ({ status, reason, headers });

/** RFC 3261 21.1.1; RFC 4320 4.1 says when. */
export const trying = answer(100, 'Trying');
/** RFC 3261 21.2.1. */
export const ok = answer(200, 'OK');
/** RFC 3261 21.4.1. */
export const badRequest = (reason: string): SipAnswer => answer(400, reason);
/** RFC 3261 21.4.5. */
export const notFound = (reason: string): SipAnswer => answer(404, reason);
/** RFC 3261 21.5.4. `seconds`: after which the client may try again. */
export const overloaded = (seconds: number, reason: string): SipAnswer =>
  answer(503, reason, `Retry-After: ${seconds}\r\n`);

/** A Reason-Phrase (RFC 3261 25.1): one line of UTF-8 without control characters, cut at 200 bytes; here as Latin-1. */
const phrase = (reason: string): string => {
  if (/^[ -~]{0,200}$/.test(reason)) return reason;
  const clean = reason.replace(/[\x00-\x1f\x7f]/g, '?');
  const bytes = Buffer.from(clean, 'utf8');
  let end = Math.min(bytes.length, 200);
  while (end > 0 && end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('latin1', 0, end);
};

/**
 * The bytes of an answer (RFC 3261 8.2.6): the same for the same request and tag, so that a retransmission's answer is made
 * anew instead of being kept.
 *
 * @param toTag ours, where the request has none
 * @param product value of Server
 */
export const answerBytes = (
  request: Answerable,
  source: Source,
  toTag: string,
  { status, reason, headers }: SipAnswer,
  product: string,
): Buffer => {
  let text = `SIP/2.0 ${status} ${phrase(reason)}\r\nVia: ${viaOfAnswer(request.topVia, source)}\r\n`;
  for (let i = 1; i < request.vias.length; i += 1) text += `Via: ${request.vias[i]}\r\n`;
  const tag = request.toTag === undefined && status > 100 ? `;tag=${toTag}` : '';
  text += `From: ${request.fromText}\r\nTo: ${request.toText}${tag}\r\nCall-ID: ${request.callId}\r\nCSeq: ${request.cseqText}\r\n`;
  // The client may measure the way by it (8.2.6.1).
  if (status === 100 && request.timestamp !== undefined) text += `Timestamp: ${request.timestamp}\r\n`;
  return Buffer.from(`${text}${headers}Server: ${product}\r\nContent-Length: 0\r\n\r\n`, 'latin1');
};
