/**
 * The transports that exist, a row each. Who adds one writes its name and its row here, and is led by the compiler from
 * there: docs/contributing/how-to-add-a-transport.md.
 */

export type TransportName = 'udp' | 'tcp';

/** What a transport is like, as far as the layers above it ask. */
export interface TransportTraits {
  /** The name that Via has for it (RFC 3261 25.1: `transport`). */
  readonly via: string;
  /** How a URI asks for it: by its scheme and its `transport` parameter (RFC 3261 19.1.1, 26.2.2). */
  readonly scheme: 'sip' | 'sips';
  readonly parameter: string;
  /** The port where a URI or a sent-by names none (RFC 3261 18.2.2, 19.1.2). */
  readonly defaultPort: number;
  /**
   * What is sent arrives in order or its sender is told: there are no repetitions (RFC 3261 17.1.2.1: Timer E is not set;
   * 17.2.2: Timer J is 0) and requests of any size may go by it (18.1.1).
   */
  readonly reliable: boolean;
  /** Messages belong to a connection: an answer goes back by it, and it may be closed by then (RFC 3261 18.2.2). */
  readonly connected: boolean;
}

/** Of those that share a scheme, the first is taken where a URI does not say which (RFC 3263 4.1). */
export const transports: Readonly<Record<TransportName, TransportTraits>> = {
  udp: { via: 'UDP', scheme: 'sip', parameter: 'udp', defaultPort: 5_060, reliable: false, connected: false },
  tcp: { via: 'TCP', scheme: 'sip', parameter: 'tcp', defaultPort: 5_060, reliable: true, connected: true },
};

export const isTransportName = (text: string): text is TransportName => Object.hasOwn(transports, text);

export const transportNames: readonly TransportName[] = Object.keys(transports).filter(isTransportName);

/** The transport that a URI asks for; undefined where it is none of ours. `parameter`: undefined where the URI has none. */
export const transportOfUri = (scheme: 'sip' | 'sips', parameter: string | undefined): TransportName | undefined =>
  transportNames.find((name) => {
    const traits = transports[name];
    return traits.scheme === scheme && (parameter === undefined || traits.parameter === parameter.toLowerCase());
  });

/** What a URI needs behind its host to be reached by this transport: `;transport=tcp`, or nothing where it is the usual one. */
export const uriParameterOf = (name: TransportName): string => {
  const { scheme, parameter } = transports[name];
  return transportOfUri(scheme, undefined) === name ? '' : `;transport=${parameter}`;
};
