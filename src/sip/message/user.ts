import * as E from 'fp-ts/lib/Either.js';
import { withScheme } from '../../room/actor.ts';
import type { MemberUri } from '../../room/address.ts';
import { parseMember } from '../../room/parse-address.ts';
import { reasonOf } from '../../room/texts.ts';
import type { Problem } from './message.ts';
import { schemeOf } from './uri.ts';

/**
 * From what a message says to who is meant: the only file of this folder that knows the domain's addresses. A header's text is
 * Latin-1 until here, one character a byte, and UTF-8 from here on.
 */

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
  return { uri: found.right.uri, ...withScheme(found.right) };
};

const utf8Of = (text: string): string => (/^[ -~]*$/.test(text) ? text : Buffer.from(text, 'latin1').toString('utf8'));
