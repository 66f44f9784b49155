import { isIPv6 } from 'node:net';
import { withoutBrackets } from '../../net/address.ts';
import { type HeaderParameter, readParameters } from './parameters.ts';

/**
 * Via (RFC 3261 20.42, RFC 3581): read for the transaction's key and for the way of the answer, and written anew in the answer.
 * By an expression of our own: npm `sip` knows no IPv6.
 */

export interface Via {
  /** `UDP`, `TCP`, ... as it came. */
  readonly transport: string;
  /** Sent-by host, lower case, an IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number | undefined;
  readonly branch: string | undefined;
  /** The client asks for answers to the port it sent from. */
  readonly rport: boolean;
  /** Everything before the parameters, as it came. */
  readonly sentBy: string;
  readonly parameters: readonly HeaderParameter[];
}

// Linear: no two neighbours can take the same character.
const beforeParameters =
  /^(SIP\s*\/\s*2\.0\s*\/\s*([A-Za-z0-9-]{1,20})\s+(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9\-._]{1,255})(?:\s*:\s*([0-9]{1,5}))?)\s*(?=;|$)/i;

/** One Via value; undefined where it is none. */
export const parseVia = (value: string): Via | undefined => {
  const match = beforeParameters.exec(value);
  if (match === null) return undefined;
  const [whole, sentBy = '', transport = '', rawHost = '', digits] = match;
  const host = withoutBrackets(rawHost);
  if (host !== rawHost && !isIPv6(host)) return undefined;
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (port === 0 || port > 65_535)) return undefined;
  const parameters = readParameters(value, whole.length);
  if (parameters === undefined) return undefined;
  return {
    transport,
    host: host.toLowerCase(),
    port,
    branch: parameters.find(({ name }) => name === 'branch')?.value,
    rport: parameters.some(({ name }) => name === 'rport'),
    sentBy,
    parameters,
  };
};

/**
 * The topmost Via as an answer shows it: with the source's address where it differs from sent-by (RFC 3261 18.2.1), and with
 * its port where rport asks for it (RFC 3581 4). What the client itself put into these two is replaced.
 */
export const viaOfAnswer = (via: Via, source: { readonly host: string; readonly port: number }): string => {
  // A link-local address comes with its zone (`fe80::1%eth0`), which is ours and no part of SIP's grammar.
  const host = source.host.replace(/%.*$/, '');
  let text = via.sentBy;
  for (const parameter of via.parameters) {
    if (parameter.name === 'received') continue;
    text += parameter.name === 'rport' ? `;rport=${source.port}` : `;${parameter.text}`;
  }
  return via.rport || host.toLowerCase() !== via.host ? `${text};received=${host}` : text;
};
