/**
 * The requests whose commands were appended within the last 64 s (2 x 64*T1 of RFC 3261): by these a request that comes
 * again, after a restart or at another node, is recognised before `decide` (behaviour section 5).
 *
 * Keys are in the order of their events' times, near enough: the oldest stand first, and go first.
 */
export interface RecentRequests {
  readonly size: number;
  /** Dropped at the bound before their time. */
  readonly dropped: number;
  readonly has: (key: string, now: number) => boolean;
  /** `at`: milliseconds since 1970, by the clock of the node that took the request. */
  readonly add: (key: string, at: number, now: number) => void;
  readonly entries: () => IterableIterator<[key: string, at: number]>;
}

/** Milliseconds for which a request is remembered. */
export const rememberedMs = 64_000;

/** @param most bound of the table; 64 s at 8,000 commands/s */
export const createRecentRequests = (most = 512_000): RecentRequests => {
  const seen = new Map<string, number>();
  let dropped = 0;

  const forget = (now: number): void => {
    for (const [key, at] of seen) {
      const old = now - at > rememberedMs;
      if (!old && seen.size <= most) return;
      if (!old) dropped += 1;
      seen.delete(key);
    }
  };

  return {
    get size() {
      return seen.size;
    },
    get dropped() {
      return dropped;
    },
    has: (key, now) => {
      const at = seen.get(key);
      return at !== undefined && now - at <= rememberedMs;
    },
    add: (key, at, now) => {
      if (now - at > rememberedMs) return;
      // A string of its own: one put together from pieces of a request keeps the request's whole text, 1 KB a command.
      seen.set(Buffer.from(key).toString(), at);
      forget(now);
    },
    entries: () => seen.entries(),
  };
};

/** By what a request is known: Call-ID, CSeq, From tag and sender. A line feed stands in none of them. */
export const requestKey = (callId: string, cseq: string, fromTag: string, sender: string): string =>
  `${callId}\n${cseq}\n${fromTag}\n${sender.toLowerCase()}`;

/** The request that led to an event, by its metadata; undefined where it came another way than by SIP. */
export const requestIn = (metadata: unknown): string | undefined => {
  if (typeof metadata !== 'object' || metadata === null) return undefined;
  const { callId, cseq, fromTag, actor }: Readonly<Record<string, unknown>> = { ...metadata };
  if (typeof callId !== 'string' || typeof cseq !== 'string' || typeof fromTag !== 'string') return undefined;
  return typeof actor === 'string' ? requestKey(callId, cseq, fromTag, actor) : undefined;
};
