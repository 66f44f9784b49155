import * as E from 'fp-ts/lib/Either.js';
import type { MemberUri } from '../../room/address.ts';
import { parseMember } from '../../room/parse-address.ts';
import { reasonOf } from '../../room/texts.ts';
import { schemeOf } from './grammar.ts';
import type { Problem } from './message.ts';

/** A user, as a URI in a request names one. */
export interface NamedUser {
  readonly uri: MemberUri;
  readonly scheme?: 'sips';
}

/**
 * The user that the URI in a header or on the request line names (behaviour section 1). What is wrong where it names none:
 * 414 where it is too long, else 400.
 *
 * @param header where it stands, for the reason
 * @param text the URI as it came
 */
export const namedUser = (header: string, text: string): NamedUser | Problem => {
  const scheme = schemeOf(text);
  const found =
    scheme === 'sip' || scheme === 'sips'
      ? parseMember(utf8Of(text), '')
      : E.left({ reason: 'BadAddress', found: text } as const);
  if (E.isLeft(found)) {
    const { left } = found;
    return { status: left.reason === 'TooLong' ? 414 : 400, reason: `${header}: ${reasonOf(left, '')}` };
  }
  return found.right.scheme === 'sips' ? { uri: found.right.uri, scheme: 'sips' } : { uri: found.right.uri };
};

/** Headers are Latin-1 here, one character a byte; what they hold is UTF-8. */
const utf8Of = (text: string): string => (/^[ -~]*$/.test(text) ? text : Buffer.from(text, 'latin1').toString('utf8'));
