import type { Cut } from './transport.ts';

/**
 * Messages out of a byte stream (RFC 3261 18.3): a head up to CRLF CRLF, then as many bytes as its Content-Length says. Works on
 * the raw bytes, in time linear in their number however they are cut, and holds no more than one message of the largest size.
 */

export interface FramingLimits {
  /** Bytes of a head: request line and header, with the empty line. */
  readonly head: number;
  /** Bytes of a body. */
  readonly body: number;
}

/** What the framer finds; called in the stream's order. */
export interface FrameSink {
  /** A whole message: a view into the bytes that were pushed, or a buffer of its own. */
  readonly message: (bytes: Buffer) => void;
  /** A head whose body cannot be read, or the beginning of one that is over the limit. Nothing more comes out of this stream. */
  readonly cut: (head: Buffer, why: Cut) => void;
  /** RFC 5626 3.5.1: CRLF CRLF between messages, to be answered with CRLF. */
  readonly ping: () => void;
}

export interface Framer {
  readonly push: (chunk: Buffer) => void;
  /** True between the first byte of a message and its last. */
  readonly unfinished: () => boolean;
}

const cr = 0x0d;
const lf = 0x0a;
const endOfHead = Buffer.from('\r\n\r\n', 'latin1');

export const createFramer = (limits: FramingLimits, sink: FrameSink): Framer => {
  /** The beginning of a message whose rest is to come, in `held` up to `length`. */
  let held: Buffer = Buffer.alloc(0);
  let length = 0;
  /** Where the search for the end of the head goes on; every byte is looked at once. */
  let searched = 0;
  /** Bytes of the whole message, once its head is there; 0 until then. */
  let size = 0;
  /** Line feeds in a row before a message. */
  let feeds = 0;
  let over = false;

  /** Appends to what is held. Doubles the room, so that all appending together is linear. */
  const hold = (bytes: Buffer): void => {
    if (length + bytes.length > held.length) {
      const room = Buffer.allocUnsafe(Math.max(length + bytes.length, 2 * held.length, size, 1_024));
      held.copy(room, 0, 0, length);
      held = room;
    }
    bytes.copy(held, length);
    length += bytes.length;
  };

  /** Looks for one message at `start`; returns where the next one may begin, or -1 where bytes are missing. */
  const take = (bytes: Buffer, start: number, end: number): number => {
    if (size === 0) {
      const found = bytes.subarray(0, end).indexOf(endOfHead, start + Math.max(0, searched - 3));
      const head = found === -1 ? end - start : found + 4 - start;
      if (head > limits.head) {
        over = true;
        sink.cut(Buffer.from(bytes.subarray(start, start + limits.head)), 'head-too-large');
        return -1;
      }
      searched = head;
      if (found === -1) return -1;
      const body = contentLength(bytes.subarray(start, start + head));
      if (typeof body === 'string' || body > limits.body) {
        over = true;
        sink.cut(Buffer.from(bytes.subarray(start, start + head)), typeof body === 'string' ? body : 'body-too-large');
        return -1;
      }
      size = head + body;
    }
    if (end - start < size) return -1;
    const message = bytes.subarray(start, start + size);
    const next = start + size;
    searched = 0;
    size = 0;
    sink.message(message);
    return next;
  };

  /** Skips what may stand between messages; returns where the next one begins. */
  const skip = (bytes: Buffer, start: number): number => {
    let at = start;
    for (; at < bytes.length && (bytes[at] === cr || bytes[at] === lf); at += 1) {
      if (bytes[at] !== lf) continue;
      feeds += 1;
      if (feeds === 2) {
        feeds = 0;
        sink.ping();
      }
    }
    if (at < bytes.length) feeds = 0;
    return at;
  };

  return {
    push: (chunk) => {
      if (over) return;
      let rest = chunk;
      if (length > 0) {
        // Only the bytes that the held message lacks, where its size is known; what follows stays where it is.
        const lacking = size > 0 ? rest.subarray(0, size - length) : rest;
        const before = length;
        hold(lacking);
        const next = take(held, 0, length);
        if (next === -1) return;
        rest = rest.subarray(next - before);
        held = Buffer.alloc(0);
        length = 0;
      }
      let at = skip(rest, 0);
      while (at < rest.length) {
        const next = take(rest, at, rest.length);
        if (next === -1) {
          if (!over) hold(rest.subarray(at));
          return;
        }
        at = skip(rest, next);
      }
    },
    unfinished: () => length > 0,
  };
};

const name = Buffer.from('content-length', 'latin1');

/** Value of Content-Length, or of its compact form `l`; why there is none. */
const contentLength = (head: Buffer): number | Cut => {
  let value: number | undefined;
  for (let line = head.indexOf(lf) + 1; line > 0 && line < head.length; line = head.indexOf(lf, line) + 1) {
    const after = isContentLength(head, line);
    if (after === -1) continue;
    const found = digitsAt(head, after);
    if (found === -1 || (value !== undefined && value !== found)) return 'bad-content-length';
    value = found;
  }
  return value ?? 'no-content-length';
};

const lower = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte);

/** Place after the colon, where a Content-Length header begins at `line`; else -1. */
const isContentLength = (head: Buffer, line: number): number => {
  let at = line;
  const first = lower(head[line] ?? 0);
  const second = head[line + 1] ?? 0;
  if (first === 0x6c && (second === 0x3a || second === 0x20 || second === 0x09)) at += 1;
  else {
    for (let i = 0; i < name.length; i += 1) if (lower(head[line + i] ?? 0) !== name[i]) return -1;
    at += name.length;
  }
  while (head[at] === 0x20 || head[at] === 0x09) at += 1;
  return head[at] === 0x3a ? at + 1 : -1;
};

/** Decimal digits, with white space (folding too) around them up to the line's end; -1 for anything else, or over 9 of them. */
const digitsAt = (head: Buffer, start: number): number => {
  let at = start;
  const white = (): void => {
    for (;;) {
      const byte = head[at];
      const folded = byte === cr && head[at + 1] === lf && (head[at + 2] === 0x20 || head[at + 2] === 0x09);
      if (byte === 0x20 || byte === 0x09) at += 1;
      else if (folded) at += 3;
      else return;
    }
  };
  white();
  const from = at;
  let value = 0;
  for (let digit = (head[at] ?? 0) - 0x30; digit >= 0 && digit <= 9; digit = (head[at] ?? 0) - 0x30) {
    value = value * 10 + digit;
    at += 1;
    if (at - from > 9) return -1;
  }
  if (at === from) return -1;
  white();
  return head[at] === cr && head[at + 1] === lf ? value : -1;
};
