import type { MemberKey, MemberUri } from '../../room/address.ts';
import { memberKey } from '../../room/address.ts';
import type { Reachable } from '../registrar/binding.ts';
import type { Target } from '../transport/transport.ts';
import type { CopyHead } from './bytes.ts';
import type { Destination } from './destination.ts';

/**
 * What is kept of recipients between messages: their devices, with the heads that are ready for them. The ones used last
 * are remembered.
 */

/** One way to a recipient, with the head that is ready for it. */
export interface Device {
  readonly destination: Destination;
  readonly requestUri: string;
  readonly to: MemberUri;
  readonly head: CopyHead;
  /** P-Asserted-Identity may go there. */
  readonly trusted: boolean;
  /** The same device over TCP, for requests too large for UDP; made when first needed. */
  tcpTwin: Device | undefined;
}

/** What is kept of a recipient between messages. */
export interface Recipient {
  readonly uri: MemberUri;
  readonly key: MemberKey;
  devices: readonly Device[];
  /** What `devices` were made of: the proxy's address, what is registered, or the URI itself; undefined: not made yet. */
  source: Target | readonly Reachable[] | 'uri' | undefined;
  /** Monotonic: `devices` are to be made anew from then on. */
  until: number;
}

/** Recipients of rooms smaller than this are looked up one by one: 60 ns each, and nothing to keep a room. */
const arrayWorthKeeping = 32;

export interface Recipients {
  readonly of: (uri: MemberUri) => Recipient;
  /** The same for a whole room, in its order. The array's identity is the key. */
  readonly ofAll: (uris: readonly MemberUri[]) => readonly Recipient[];
  readonly size: () => number;
}

/**
 * Remembers the recipients used last, at least `limit` and at most twice as many (some 600 bytes each): two generations,
 * the older of which is dropped when the younger is full.
 */
export const createRecipients = (limit = 24_576): Recipients => {
  let young = new Map<MemberUri, Recipient>();
  let old = new Map<MemberUri, Recipient>();
  let rooms = new WeakMap<readonly MemberUri[], readonly Recipient[]>();

  const of = (uri: MemberUri): Recipient => {
    const known = young.get(uri);
    if (known !== undefined) return known;
    const recipient = old.get(uri) ?? { uri, key: memberKey(uri), devices: [], source: undefined, until: 0 };
    if (young.size >= limit) {
      old = young;
      young = new Map();
      rooms = new WeakMap();
    }
    young.set(uri, recipient);
    return recipient;
  };

  return {
    of,
    ofAll: (uris) => {
      if (uris.length < arrayWorthKeeping) return uris.map(of);
      const known = rooms.get(uris);
      if (known !== undefined) return known;
      const made = uris.map(of);
      rooms.set(uris, made);
      return made;
    },
    size: () => young.size + old.size,
  };
};
