import type { Clock } from '../../ports/clock.ts';
import type { MemberKey, MemberUri } from '../../room/address.ts';
import { domainOf } from '../../room/address.ts';
import type { Reachable } from '../registrar/binding.ts';
import { type NextHop, nextHopOf, type Resolver } from '../transport/resolve.ts';
import type { SentBy } from '../transport/sent-by.ts';
import type { Target } from '../transport/transport.ts';
import { type TransportName, transports } from '../transport/transports.ts';
import { buildHead } from './bytes.ts';
import type { Destinations } from './destinations.ts';
import type { Device, Recipient } from './recipients.ts';

/**
 * Which way copies go: by `outbound_proxy` if it is set, else to what the recipient has registered, else by the
 * recipient's URI. A recipient's devices are made when one of these has changed, and kept until then.
 */

export interface Routes {
  /** False while the outbound proxy's name is being asked for. */
  readonly ready: () => boolean;
  /** The recipient's devices, none where there is no way; undefined: call `devicesLater`. */
  readonly devicesNow: (recipient: Recipient) => readonly Device[] | undefined;
  /** As `devicesNow`, once the address of the member's domain is known. */
  readonly devicesLater: (recipient: Recipient, found: (devices: readonly Device[]) => void) => void;
  /** The same device by way of TCP. */
  readonly overTcp: (device: Device) => Device;
}

/** The next hop of everything that is sent, as `outbound_proxy` names it; without a port the transport's own. */
export interface OutboundProxy {
  readonly host: string;
  readonly port?: number | undefined;
  readonly transport: TransportName;
}

export interface RoutesOptions {
  readonly clock: Clock;
  readonly resolver: Resolver;
  readonly destinations: Destinations;
  readonly sentBy: SentBy;
  readonly reachable: (key: MemberKey) => readonly Reachable[];
  readonly served: (domain: string) => boolean;
  readonly trusted: (address: string) => boolean;
  readonly outboundProxy?: OutboundProxy | undefined;
  /** The proxy's address has become known. */
  readonly changed: () => void;
}

const nowhere: readonly Device[] = [];
/** A Contact with anything else in it would end the request line. */
const requestUri = /^[^\s<>"]{1,1000}$/;

export const createRoutes = (options: RoutesOptions): Routes => {
  const { clock, resolver, destinations, sentBy, reachable, served, trusted, outboundProxy } = options;
  const proxy = outboundProxy === undefined ? undefined : proxyAt(outboundProxy, options);

  const deviceAt = (to: MemberUri, uri: string, target: Target, isTrusted: boolean): Device => ({
    destination: destinations.of(target),
    requestUri: uri,
    to,
    head: buildHead(uri, to, target.transport, sentBy(target.transport, target.host)),
    trusted: isTrusted,
    tcpTwin: undefined,
  });

  const byProxy = (recipient: Recipient, target: Target | undefined): readonly Device[] => {
    if (target === undefined) return nowhere;
    if (recipient.source !== target) {
      recipient.source = target;
      recipient.devices = [deviceAt(recipient.uri, recipient.uri, target, true)];
    }
    return recipient.devices;
  };

  const byRegistration = (recipient: Recipient, registered: readonly Reachable[]): readonly Device[] => {
    if (recipient.source !== registered) {
      recipient.source = registered;
      recipient.devices = registered
        .filter(({ contact }) => requestUri.test(contact))
        .map(({ contact, target }) => deviceAt(recipient.uri, withoutHeaders(contact), target, trusted(target.host)));
    }
    return recipient.devices;
  };

  const byUri = (recipient: Recipient, target: Target | undefined): readonly Device[] => {
    recipient.source = 'uri';
    recipient.until = clock.monotonic() + resolver.keepMs;
    recipient.devices =
      target === undefined ? nowhere : [deviceAt(recipient.uri, recipient.uri, target, trusted(target.host))];
    return recipient.devices;
  };

  return {
    ready: () => proxy === undefined || proxy.known(),
    devicesNow: (recipient) => {
      if (proxy !== undefined) return byProxy(recipient, proxy.target());
      const registered = reachable(recipient.key);
      if (registered.length > 0) return byRegistration(recipient, registered);
      if (served(domainOf(recipient.uri))) return nowhere;
      return recipient.source === 'uri' && recipient.until > clock.monotonic() ? recipient.devices : undefined;
    },
    devicesLater: (recipient, found) => {
      const hop = nextHopOf(recipient.uri);
      if (hop === undefined) found(byUri(recipient, undefined));
      else resolver.resolve(hop, (target) => found(byUri(recipient, target)));
    },
    overTcp: (device) => {
      const { host, port } = device.destination.target;
      device.tcpTwin ??= deviceAt(device.to, device.requestUri, { transport: 'tcp', host, port }, device.trusted);
      return device.tcpTwin;
    },
  };
};

/** RFC 3261 19.1.1: a URI's headers may stand in a Contact, not in a Request-URI. A `?` before `@` is part of the user. */
const withoutHeaders = (uri: string): string => {
  const question = uri.indexOf('?', uri.indexOf('@') + 1);
  return question < 0 ? uri : uri.slice(0, question);
};

/** The outbound proxy's address: asked for at the first use, and again when the answer has aged; the old one serves meanwhile. */
const proxyAt = ({ host, port, transport }: OutboundProxy, { clock, resolver, changed }: RoutesOptions) => {
  const hop: NextHop = { host, port: port ?? transports[transport].defaultPort, transport };
  let target: Target | undefined;
  let until = 0;
  let asking = false;

  const refresh = (): void => {
    if (asking || until > clock.monotonic()) return;
    asking = true;
    resolver.resolve(hop, (found) => {
      asking = false;
      until = clock.monotonic() + (found === undefined ? 1_000 : resolver.keepMs);
      if (found !== undefined && (target === undefined || target.host !== found.host)) target = found;
      changed();
    });
  };

  return {
    known: (): boolean => {
      refresh();
      return target !== undefined || !asking;
    },
    target: (): Target | undefined => target,
  };
};
