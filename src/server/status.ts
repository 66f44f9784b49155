import type { Config } from '../config/config.ts';
import type { RoomsFeed } from '../engine/feed-rooms.ts';
import type { MiPorts } from '../mi/ports.ts';
import type { Clock } from '../ports/clock.ts';
import type { Rooms } from '../read-models/rooms.ts';

type Phase = 'starting' | 'listening' | 'stopping';

/** How a server is, for /readyz and the management interface. */
export interface Status {
  /** Undefined: ready. Else why not, as a sentence. */
  readonly notReady: () => string | undefined;
  /** To be told when SIP is taken, and when it is not taken any more. */
  readonly is: (phase: Phase) => void;
  /** Seconds for which the log has not been followed; 0 while it is. */
  readonly lagSeconds: () => number;
  readonly storeStatus: MiPorts['storeStatus'];
}

export interface StatusParts {
  readonly config: Pick<Config, 'store_url'>;
  readonly clock: Clock;
  /** The log's identity. */
  readonly identity: string;
  readonly rooms: Rooms;
  readonly feed: RoomsFeed;
}

export const createStatus = ({ config, clock, identity, rooms, feed }: StatusParts): Status => {
  const { followed, counters } = feed;
  let phase: Phase = 'starting';
  const lagSeconds = (): number => {
    const lost = followed.lost();
    return lost === undefined ? 0 : (clock.now() - lost.since) / 1000;
  };
  return {
    lagSeconds,
    is: (next) => {
      phase = next;
    },
    notReady: () => {
      const lost = followed.lost();
      if (lost !== undefined) return `the log is not followed: ${lost.failure.message}`;
      if (phase === 'starting') return 'the log is being replayed';
      return phase === 'stopping' ? 'the server is stopping' : undefined;
    },
    storeStatus: () => ({
      store: config.store_url.kind,
      log: identity,
      reachable: followed.lost() === undefined,
      lag_seconds: lagSeconds(),
      position: followed.position() ?? null,
      events: counters.seen,
      stopped_rooms: Object.fromEntries(rooms.stoppedRooms()),
    }),
  };
};
