import type { Problem } from './message.ts';

/**
 * The head of a SIP message, cut into header values by one linear pass, before any regular expression of npm `sip` sees a
 * byte: those backtrack (its address pattern needs 20 s for 60 KiB of `a a a `), let a later header overwrite an earlier
 * one, and take names such as `__proto__` for keys. Values stay Latin-1 strings, one character a byte, so that an answer
 * can repeat them unchanged.
 */

export interface MessageHead {
  /** The first line. */
  readonly start: string;
  /** Values by lower-case full name, in their order; only of `kept` headers. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Where the body begins. */
  readonly bodyAt: number;
  /** The first thing found wrong. */
  readonly problem: Problem | undefined;
}

/** Header lines in a request: two hundred are more than 70 hops leave behind. */
const mostLines = 200;
/** Characters of one header with its folded lines. */
const longestLine = 8_192;
/** Bytes of the whole head. */
const longestHead = 32_768;

/** RFC 3261 7.3.3 and the IANA registry of header fields. */
const compact: ReadonlyMap<string, string> = new Map([
  ['a', 'accept-contact'],
  ['b', 'referred-by'],
  ['c', 'content-type'],
  ['d', 'request-disposition'],
  ['e', 'content-encoding'],
  ['f', 'from'],
  ['i', 'call-id'],
  ['j', 'reject-contact'],
  ['k', 'supported'],
  ['l', 'content-length'],
  ['m', 'contact'],
  ['n', 'identity-info'],
  ['o', 'event'],
  ['r', 'refer-to'],
  ['s', 'subject'],
  ['t', 'to'],
  ['u', 'allow-events'],
  ['v', 'via'],
  ['x', 'session-expires'],
  ['y', 'identity'],
]);

/** Headers that stand once. */
const single: ReadonlySet<string> = new Set([
  'from',
  'to',
  'call-id',
  'cseq',
  'max-forwards',
  'content-length',
  'content-type',
  'content-disposition',
  'expires',
  'min-expires',
  'retry-after',
]);
/** Headers that may come again, in one line or several. */
const several: ReadonlySet<string> = new Set([
  'via',
  'route',
  'contact',
  'require',
  'content-encoding',
  'timestamp',
  'authorization',
  'proxy-authorization',
  'www-authenticate',
  'proxy-authenticate',
]);

const token = /^[A-Za-z0-9\-.!%*_+`'~]+$/;
const control = /[\x00-\x08\x0a-\x1f\x7f]/;
const properName = (name: string): string =>
  name === 'call-id'
    ? 'Call-ID'
    : name === 'cseq'
      ? 'CSeq'
      : name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());

/** Cuts the head of one whole message. Never throws; costs time proportional to the message's length. */
export const cutHead = (bytes: Buffer): MessageHead => {
  const from = leadingBlank(bytes);
  const blank = bytes.indexOf('\r\n\r\n', from, 'latin1');
  const text = bytes.toString('latin1', from, blank === -1 ? bytes.length : blank);
  const headers = new Map<string, string[]>();
  let problem: Problem | undefined;
  const bad = (reason: string): void => {
    problem ??= { status: 400, reason };
  };
  if (text.length > longestHead) bad(`Header of ${text.length} bytes, at most ${longestHead} are taken`);

  const firstEnd = text.indexOf('\r\n');
  const start = firstEnd === -1 ? text : text.slice(0, firstEnd);
  let at = firstEnd === -1 ? text.length : firstEnd + 2;
  for (let lines = 1; at < text.length; lines += 1) {
    if (lines > mostLines) {
      bad(`More than ${mostLines} header lines`);
      break;
    }
    let end = lineEnd(text, at);
    let line = text.slice(at, end);
    at = end + 2;
    while (at < text.length && isBlank(text.charCodeAt(at))) {
      end = lineEnd(text, at);
      line = `${line.trimEnd()} ${text.slice(at, end).trimStart()}`;
      at = end + 2;
    }
    const colon = line.indexOf(':');
    const rawName = colon === -1 ? '' : line.slice(0, colon).trimEnd();
    if (rawName.length > 100 || !token.test(rawName)) {
      bad(`Header line ${lines} has no name before a colon`);
      continue;
    }
    const lower = rawName.toLowerCase();
    const name = compact.get(lower) ?? lower;
    if (line.length > longestLine) bad(`Header line ${lines} is longer than ${longestLine} bytes`);
    if (control.test(line)) {
      bad(`Header line ${lines} has a control character in it`);
      continue;
    }
    if (!single.has(name) && !several.has(name)) continue;
    const value = line.slice(colon + 1).trim();
    const values = headers.get(name);
    if (values === undefined) headers.set(name, [value]);
    else if (single.has(name)) bad(`More than one ${properName(name)} header`);
    else values.push(value);
  }
  if (blank === -1) bad('No empty line after the header');
  return { start, headers, bodyAt: blank === -1 ? bytes.length : blank + 4, problem };
};

/** RFC 3261 7.5: empty lines before the start line are skipped. Place of the first other byte. */
const leadingBlank = (bytes: Buffer): number => {
  let at = 0;
  while (at < bytes.length && (bytes[at] === 0x0d || bytes[at] === 0x0a)) at += 1;
  return at;
};

const lineEnd = (text: string, at: number): number => {
  const end = text.indexOf('\r\n', at);
  return end === -1 ? text.length : end;
};

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

/**
 * Cuts a header's value at the commas that stand outside of quotes and angle brackets. Undefined where a quote or a bracket
 * is left open, or an item is empty, or there are more than 100.
 */
export const splitList = (value: string): readonly string[] | undefined => {
  if (!value.includes(',')) return value.trim() === '' ? undefined : [value.trim()];
  const items: string[] = [];
  let from = 0;
  let quoted = false;
  let bracketed = false;
  for (let at = 0; at <= value.length; at += 1) {
    const here = at === value.length ? ',' : value[at];
    if (quoted) {
      if (at === value.length) return undefined;
      if (here === '\\') at += 1;
      else if (here === '"') quoted = false;
    } else if (here === '"') quoted = true;
    else if (here === '<') bracketed = true;
    else if (here === '>') bracketed = false;
    else if (here === ',' && (!bracketed || at === value.length)) {
      const item = value.slice(from, at).trim();
      if (item === '' || bracketed || items.length === 100) return undefined;
      items.push(item);
      from = at + 1;
    }
  }
  return items;
};
