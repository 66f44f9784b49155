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

const cr = 0x0d;
const lf = 0x0a;
const endOfHead = Buffer.from('\r\n\r\n', 'latin1');
const nothing = Buffer.alloc(0);

/** Cuts one stream. */
export class Framer {
  readonly #limits: FramingLimits;
  readonly #sink: FrameSink;
  /** The beginning of a message whose rest is to come, in `#held` up to `#length`. */
  #held: Buffer = nothing;
  #length = 0;
  /** Where the search for the end of the head goes on; every byte is looked at once. */
  #searched = 0;
  /** Bytes of the whole message, once its head is there; 0 until then. */
  #size = 0;
  /** Line feeds in a row before a message. */
  #feeds = 0;
  /** A message was cut: where the next one would begin cannot be known. */
  #over = false;

  constructor(limits: FramingLimits, sink: FrameSink) {
    this.#limits = limits;
    this.#sink = sink;
  }

  /** True between the first byte of a message and its last. */
  unfinished(): boolean {
    return this.#length > 0;
  }

  /** Takes the stream's next bytes. */
  push(chunk: Buffer): void {
    if (this.#over) return;
    const rest = this.#length === 0 ? chunk : this.#complete(chunk);
    if (rest === undefined) return;
    let at = this.#skip(rest, 0);
    while (at < rest.length) {
      const next = this.#take(rest, at, rest.length);
      if (next === -1) {
        if (!this.#over) this.#hold(rest.subarray(at));
        return;
      }
      at = this.#skip(rest, next);
    }
  }

  /** Adds to the message that is held; returns what follows it, undefined where it still is not whole. */
  #complete(chunk: Buffer): Buffer | undefined {
    // Only the bytes that it lacks, where its size is known; what follows stays where it is.
    const lacking = this.#size > 0 ? chunk.subarray(0, this.#size - this.#length) : chunk;
    const before = this.#length;
    this.#hold(lacking);
    const next = this.#take(this.#held, 0, this.#length);
    if (next === -1) return undefined;
    this.#held = nothing;
    this.#length = 0;
    return chunk.subarray(next - before);
  }

  /** Appends to what is held. Doubles the room, so that all appending together is linear. */
  #hold(bytes: Buffer): void {
    const length = this.#length + bytes.length;
    if (length > this.#held.length) {
      const room = Buffer.allocUnsafe(Math.max(length, 2 * this.#held.length, this.#size, 1_024));
      this.#held.copy(room, 0, 0, this.#length);
      this.#held = room;
    }
    bytes.copy(this.#held, this.#length);
    this.#length = length;
  }

  /** Looks for one message at `start`; returns where the next one may begin, or -1 where bytes are missing. */
  #take(bytes: Buffer, start: number, end: number): number {
    if (this.#size === 0 && !this.#measure(bytes, start, end)) return -1;
    const next = start + this.#size;
    if (next > end) return -1;
    this.#searched = 0;
    this.#size = 0;
    this.#sink.message(bytes.subarray(start, next));
    return next;
  }

  /** Learns the size of the message at `start` from its head; false where that is not whole, or the message was cut. */
  #measure(bytes: Buffer, start: number, end: number): boolean {
    const found = bytes.subarray(0, end).indexOf(endOfHead, start + Math.max(0, this.#searched - 3));
    const head = found === -1 ? end - start : found + endOfHead.length - start;
    if (head > this.#limits.head) return this.#cut(bytes.subarray(start, start + this.#limits.head), 'head-too-large');
    this.#searched = head;
    if (found === -1) return false;
    const whole = bytes.subarray(start, start + head);
    const body = contentLength(whole);
    if (typeof body === 'string') return this.#cut(whole, body);
    if (body > this.#limits.body) return this.#cut(whole, 'body-too-large');
    this.#size = head + body;
    return true;
  }

  #cut(head: Buffer, why: Cut): false {
    this.#over = true;
    this.#sink.cut(Buffer.from(head), why);
    return false;
  }

  /** Skips what may stand between messages; returns where the next one begins. */
  #skip(bytes: Buffer, start: number): number {
    let at = start;
    for (; at < bytes.length && (bytes[at] === cr || bytes[at] === lf); at += 1) {
      if (bytes[at] !== lf) continue;
      this.#feeds += 1;
      if (this.#feeds === 2) {
        this.#feeds = 0;
        this.#sink.ping();
      }
    }
    if (at < bytes.length) this.#feeds = 0;
    return at;
  }
}

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
