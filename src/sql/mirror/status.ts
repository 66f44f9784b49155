import * as E from 'fp-ts/lib/Either.js';
import type { Clock } from '../../ports/clock.ts';
import type { EventStore, Position } from '../../ports/event-store.ts';

/**
 * What a mirror knows of itself: its state, how far behind it is, and what it has counted.
 * For MI, metrics and the log.
 */

export type MirrorState =
  /** No session with the database, or none yet. */
  | 'connecting'
  /** Another node leads. */
  | 'waiting'
  | 'catching up'
  /** Leads, and has written all that the log holds. */
  | 'live'
  /** Something must be put right by a person; `reason` says what. */
  | 'stopped'
  | 'closed';

export interface MirrorStatus {
  /** Where the mirror is, without user and password. */
  readonly database: string;
  readonly state: MirrorState;
  /** When that began: milliseconds since 1970. */
  readonly since: number;
  /** Why it is `connecting` or `stopped`. */
  readonly reason?: string;
  /** Place in the log that the rows are at, as far as this node knows. */
  readonly position: Position | undefined;
  /** Age of the oldest event that is not in the rows, in seconds; 0 where all are. */
  readonly lagSeconds: number;
  /** Events that were read and are not yet written. */
  readonly pendingEvents: number;
  /** Changes whose row was not there were seen since these tables were built: `imcd verify` lists what is wrong, `imcd rebuild` heals it. */
  readonly damaged: boolean;
}

/** Plain numbers, for `/metrics`. */
export interface MirrorCounters {
  eventsWritten: number;
  transactions: number;
  /** Transactions tried again after a deadlock or a lock that was not had in time. */
  retries: number;
  connectionsLost: number;
  /** Changes whose row was not there. */
  missingRows: number;
  /** Times that the mirror stopped aloud. */
  stops: number;
}

/** What the mirror knows of itself. */
export interface MirrorProgress {
  readonly database: string;
  readonly counters: MirrorCounters;
  readonly status: () => MirrorStatus;
  /** Says the state; true where it, or its reason, is news. */
  readonly is: (state: MirrorState, reason?: string) => boolean;
  /** The rows are at this position. */
  readonly reached: (position: Position | undefined) => void;
  /** What waits to be written: how many events, and when the oldest of them happened (milliseconds since 1970). */
  readonly pending: (events: number, oldest: number | undefined) => void;
  readonly damaged: (yes: boolean) => void;
  /** Compares the position with the log's end, while nobody feeds this node. Never rejects. */
  readonly look: () => Promise<void>;
}

export const createMirrorProgress = (
  database: string,
  clock: Clock,
  store: Pick<EventStore, 'end' | 'comparePositions'>,
): MirrorProgress => {
  let state: MirrorState = 'connecting';
  let since = clock.now();
  let reason: string | undefined;
  let position: Position | undefined;
  let pendingEvents = 0;
  let behindSince: number | undefined;
  let isDamaged = false;
  /** The last trouble that was told: the states that lie between two tries of the same are no news. */
  let told = '';
  const counters: MirrorCounters = {
    eventsWritten: 0,
    transactions: 0,
    retries: 0,
    connectionsLost: 0,
    missingRows: 0,
    stops: 0,
  };
  return {
    database,
    counters,
    status: () => ({
      database,
      state,
      since,
      ...(reason === undefined ? {} : { reason }),
      position,
      lagSeconds: behindSince === undefined ? 0 : Math.max(0, clock.now() - behindSince) / 1000,
      pendingEvents,
      damaged: isDamaged,
    }),
    is: (next, why) => {
      if (next === 'connecting' && why === undefined && state === 'stopped') return false;
      const news = why !== undefined && told !== `${next}: ${why}`;
      if (why !== undefined) told = `${next}: ${why}`;
      if (next === 'live' || next === 'waiting') told = '';
      if (next !== state) since = clock.now();
      state = next;
      if (why !== undefined || next !== 'connecting') reason = why;
      return news;
    },
    reached: (next) => {
      position = next;
    },
    pending: (events, oldest) => {
      pendingEvents = events;
      behindSince = oldest;
    },
    damaged: (yes) => {
      isDamaged = yes;
    },
    look: async () => {
      pendingEvents = 0;
      const end = await store.end();
      if (E.isRight(end)) behindSince = isBefore(store, position, end.right) ? (behindSince ?? clock.now()) : undefined;
    },
  };
};

const isBefore = (
  store: Pick<EventStore, 'comparePositions'>,
  position: Position | undefined,
  end: Position | undefined,
): boolean => end !== undefined && (position === undefined || store.comparePositions(position, end) < 0);
