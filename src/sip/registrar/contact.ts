import { isIP } from 'node:net';
import { withoutBrackets } from '../../net/address.ts';
import type { SipRequest } from '../message/message.ts';
import { parseUri, type SipUri } from '../message/uri.ts';
import { nextHopOf, type Resolver } from '../transport/resolve.ts';
import type { Source } from '../transport/transport.ts';
import { transports } from '../transport/transports.ts';
import type { Way } from './binding.ts';

/** A Contact of a REGISTER. What it is compared by and the way to it are read from it here. */

/**
 * What contacts are compared by (RFC 3261 19.1.4): the user with its case, the host without, the port, and the parameters
 * in whatever order.
 */
export const contactIdentity = (contact: string): string => {
  const uri = parseUri(contact);
  if (uri === undefined) return contact;
  const parameters = [...uri.params].map(([name, value]) => `;${name}=${value.toLowerCase()}`).sort();
  const user = uri.user === undefined ? '' : unescaped(uri.user);
  return `${uri.scheme}:${user}@${uri.host}:${uri.port ?? ''}${parameters.join('')}`;
};

const unescaped = (user: string): string =>
  user.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));

/**
 * The way to a contact. Over a stream: the connection that it registered over, and once that is closed the contact's own
 * address. Over UDP: the contact's address, or where a NAT has changed the sender's (its Via names another place than the
 * datagram came from, and the contact is that place) the one it was seen at. Through a proxy: the contact's address.
 *
 * @param found called once, at once where the contact holds an IP address
 */
export const wayTo = (
  contact: string,
  request: SipRequest,
  source: Source,
  resolver: Pick<Resolver, 'resolve'>,
  found: (way: Way) => void,
): void => {
  const direct = request.vias.length === 1;
  const { connected } = transports[source.transport];
  const uri = parseUri(contact);
  if (direct && !connected && uri !== undefined && isBehindNat(uri, request, source)) {
    found({ target: source, fallback: undefined });
    return;
  }
  const hop = nextHopOf(contact);
  const settle = (own: Way['target'] | undefined): void => {
    if (direct && connected) found({ target: source, fallback: own });
    else found({ target: own ?? source, fallback: undefined });
  };
  if (hop === undefined) settle(undefined);
  else resolver.resolve(hop, settle);
};

const isBehindNat = (contact: SipUri, { topVia: via }: SipRequest, source: Source): boolean => {
  const { defaultPort } = transports[source.transport];
  const seen = via.host === source.host.toLowerCase() && (!via.rport || (via.port ?? defaultPort) === source.port);
  if (seen) return false;
  const host = withoutBrackets(contact.host);
  return isIP(host) !== 0 && host === via.host && (contact.port ?? defaultPort) === (via.port ?? defaultPort);
};
