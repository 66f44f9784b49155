import * as E from 'fp-ts/lib/Either.js';
import { asText, type Kind, kind } from './kinds.ts';

/**
 * A pattern for user parts: must match the whole of it, without regard to ASCII case, since rooms have none (behaviour 1).
 * User parts come from strangers, so a pattern that could take exponential time on 64 characters is refused.
 */
export const userPattern: Kind<RegExp> = kind({
  name: 'pattern',
  allowed: 'a regular expression of at most 200 characters for the whole user part, without nested repetition',
  schema: { type: 'string', maxLength: 200 },
  read: (input) => {
    const source = asText(input) ?? '';
    if (source === '' || source.length > 200) return E.left('');
    const danger = slowPart(source);
    if (danger !== undefined) return E.left(danger);
    try {
      new RegExp(source); // alone first: `a)|(b` is wrong although it would be right between our brackets
      return E.right(new RegExp(`^(?:${source})$`, 'i'));
    } catch (error) {
      return E.left(error instanceof Error ? error.message : String(error));
    }
  },
  show: (pattern) => pattern.source.slice(4, -2),
});

/** What makes a backtracking engine slow: a repeated group that itself repeats or chooses; a backreference. */
const slowPart = (source: string): string | undefined => {
  const open: { loose: boolean }[] = [];
  const plain = source
    .replace(/\\[1-9k]/g, '\u0001')
    .replace(/\\./g, 'x')
    .replace(/\[(?:[^\]])*\]/g, 'x');
  if (plain.includes('\u0001')) return 'a backreference can take for ever';
  for (let at = 0; at < plain.length; at += 1) {
    const here = plain[at];
    const top = open.at(-1);
    if (here === '(') open.push({ loose: false });
    else if (here === ')') {
      const closed = open.pop();
      const repeated = /^(?:[*+]|\{\d+,?\d*\})/.test(plain.slice(at + 1));
      if (closed?.loose && repeated) return 'a repetition or choice within a repeated group can take for ever';
      const outer = open.at(-1);
      if (outer !== undefined && (repeated || closed?.loose)) outer.loose = true;
    } else if (top !== undefined && (here === '*' || here === '+' || here === '{' || here === '|')) top.loose = true;
  }
  return undefined;
};
