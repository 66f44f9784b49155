import type { Outgoing } from '../../ports/courier.ts';
import type { MemberKey, MemberUri } from '../../room/address.ts';
import { memberKey } from '../../room/address.ts';
import type { Reachable } from '../registrar/binding.ts';
import type { Target } from '../transport/transport.ts';
import type { CopyHead } from './bytes.ts';
import type { Destination } from './destination.ts';
import { PreparedRooms } from './prepared-rooms.ts';

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
const worthKeeping = 32;

export interface Recipients {
  /** What is kept of each of them, in their order. */
  readonly of: (recipients: Outgoing['recipients']) => readonly Recipient[];
}

/**
 * Remembers the recipients used last, at least `limit` and at most twice as many (some 600 bytes each): two generations,
 * the older of which is dropped when the younger is full.
 */
export const createRecipients = (limit = 24_576): Recipients => {
  let young = new Map<MemberUri, Recipient>();
  let old = new Map<MemberUri, Recipient>();
  const rooms = new PreparedRooms<Recipient>();

  const one = (uri: MemberUri): Recipient => {
    const known = young.get(uri);
    if (known !== undefined) return known;
    const recipient = old.get(uri) ?? { uri, key: memberKey(uri), devices: [], source: undefined, until: 0 };
    if (young.size >= limit) {
      old = young;
      young = new Map();
      rooms.clear();
    }
    young.set(uri, recipient);
    return recipient;
  };

  return {
    of: (recipients) => {
      if (!('uris' in recipients)) return recipients.map(one);
      if (recipients.uris.length < worthKeeping) return recipients.uris.map(one);
      const prepared = rooms.get(recipients);
      if (prepared !== undefined) return prepared;
      const made = recipients.uris.map(one);
      rooms.keep(recipients, made);
      return made;
    },
  };
};
