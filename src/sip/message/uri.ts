import { isIPv6 } from 'node:net';
import sip from 'sip';

/**
 * SIP URIs, read by npm `sip`: it sees nothing else of a message, and of a URI no more than 2,048 characters. Its own parser of
 * messages is not used: it lets the last of several headers win, drops in silence what it cannot read, knows neither
 * `Contact: *` nor IPv6, and its expressions backtrack.
 */

/** Characters of a URI that is read, as a Request-URI and wherever else one stands. */
export const longestUri = 2_048;

/** A SIP or SIPS URI (RFC 3261 19.1.1). */
export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  /** As it came, escaped. */
  readonly user: string | undefined;
  /** Lower case, an IPv6 address in its brackets. */
  readonly host: string;
  readonly port: number | undefined;
  /** Names in lower case; empty where there is no value. */
  readonly params: ReadonlyMap<string, string>;
}

/** The scheme of a URI in lower case; undefined where the text is no absolute URI. */
export const schemeOf = (uri: string): string | undefined =>
  /^([A-Za-z][A-Za-z0-9+.-]{0,30}):/.exec(uri)?.[1]?.toLowerCase();

/** A SIP or SIPS URI (RFC 3261 19.1.1); undefined for every other text. */
export const parseUri = (text: string): SipUri | undefined => {
  const scheme = schemeOf(text);
  if ((scheme !== 'sip' && scheme !== 'sips') || text.length > longestUri) return undefined;
  const rest = text.slice(scheme.length + 1);
  // npm `sip` knows no IPv6: it sees a name in its place.
  const bracketed = /^([^@[\]]*@)?\[([0-9A-Fa-f:.]+)\]/.exec(rest);
  if (bracketed !== null && !isIPv6(bracketed[2] ?? '')) return undefined;
  const plain = bracketed === null ? rest : `${bracketed[1] ?? ''}ipv6${rest.slice(bracketed[0].length)}`;
  const parsed = sip.parseUri(`${scheme}:${plain}`);
  if (parsed === undefined || parsed.port === 0 || parsed.port > 65_535) return undefined;
  const host = bracketed === null ? parsed.host : `[${bracketed[2] ?? ''}]`;
  return {
    scheme,
    user: parsed.user,
    host: host.toLowerCase(),
    port: Number.isNaN(parsed.port) ? undefined : parsed.port,
    params: new Map(Object.entries(parsed.params).map(([name, value]) => [name.toLowerCase(), value ?? ''])),
  };
};
