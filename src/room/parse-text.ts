import * as E from 'fp-ts/lib/Either.js';
import type { Malformed } from './refusals.ts';

/** Text as people write it, one line of it: a topic. Everything here is linear. */

export interface TextRule {
  /** What a refusal calls it: `The topic`. */
  readonly what: string;
  /** Bytes of UTF-8. */
  readonly most: number;
}

export const topicRule: TextRule = { what: 'The topic', most: 256 };

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Control characters but the tab, and what breaks a line somewhere (U+2028, U+2029). */
const never = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]/;

const bad = ({ what }: TextRule, holds: 'NotUtf8' | 'ControlCharacter'): E.Either<Malformed, never> =>
  E.left({ reason: 'BadText', what, holds });

/**
 * A line of text, its limits held, blanks as they are. Blanks alone are the empty text, and so is `""`: many clients cut
 * blanks at the end of a message.
 */
export const parseText = (rule: TextRule, text: string): E.Either<Malformed, string> => {
  const { what, most } = rule;
  if (!text.isWellFormed()) return bad(rule, 'NotUtf8');
  if (never.test(text)) return bad(rule, 'ControlCharacter');
  const bare = text.trim();
  if (bare === '' || bare === '""') return E.right('');
  const found = encoder.encode(text).length;
  return found > most ? E.left({ reason: 'TooLong', what, found, most, unit: 'bytes' }) : E.right(text);
};

/** The same of the bytes of a message. */
export const decodeText = (rule: TextRule, bytes: Uint8Array): E.Either<Malformed, string> => {
  try {
    return parseText(rule, decoder.decode(bytes));
  } catch {
    return bad(rule, 'NotUtf8');
  }
};
