import * as E from 'fp-ts/lib/Either.js';
import { type Kind, kind } from './kinds.ts';

/** What imcd writes itself, or what would change how a message is framed or routed. Long and compact forms. */
const own = new Set(
  [
    'via v from f to t call-id i cseq max-forwards content-length l content-type c content-encoding e contact m',
    'route record-route user-agent in-reply-to p-asserted-identity authorization proxy-authorization',
  ].flatMap((names) => names.split(' ')),
);

/** `extra_hdrs`: header lines, from one text with a line each (the module's form, `\r\n` written out or real) or a list. */
export const headerLines: Kind<readonly string[]> = kind<readonly string[]>({
  name: 'extra_hdrs',
  allowed: 'header lines of the form NAME: VALUE, other than those that imcd writes itself, or none',
  schema: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
  read: (input) => {
    if (input === null || input === '' || input === 'none') return E.right([]);
    const given: unknown = typeof input === 'string' ? input.split(/\\r\\n|\r?\n/) : input;
    if (!Array.isArray(given)) return E.left('');
    const lines = given.map(String).filter((line) => line !== '');
    for (const line of lines) {
      const name = /^([A-Za-z0-9\-.!%*_+`'~]{1,64}):[ \t]*[^\0-\x08\x0a-\x1f\x7f]{1,500}$/.exec(line)?.[1];
      if (name === undefined) return E.left(`${JSON.stringify(line)} is no header line`);
      if (own.has(name.toLowerCase())) return E.left(`imcd writes ${name} itself`);
    }
    return lines.length > 20 ? E.left('there are more than 20') : E.right(lines);
  },
  show: (lines) => (lines.length === 0 ? 'none' : lines),
});
