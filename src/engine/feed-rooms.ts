import type { Clock } from '../ports/clock.ts';
import type { EventStore, Position, StoredEvent } from '../ports/event-store.ts';
import type { Ids } from '../ports/ids.ts';
import type { Log } from '../ports/log.ts';
import type { Rooms } from '../read-models/rooms.ts';
import { roomOfStream } from '../room/stream.ts';
import { type FollowedLog, followLog } from './follow-log.ts';
import type { UnknownOutcomes } from './unknown-outcomes.ts';

/** What became of the log's events on this node. */
export interface FeedCounters {
  /** Events given by the subscription, those that this node had appended included. */
  seen: number;
  applied: number;
  /** Events of rooms that are stopped on this node. */
  stopped: number;
}

export interface RoomsFeed {
  readonly counters: FeedCounters;
  readonly followed: FollowedLog;
  /** Resolves when all that was in the log at the start is applied. */
  readonly replayed: Promise<void>;
}

export interface FeedOptions {
  readonly store: EventStore;
  readonly rooms: Rooms;
  readonly unknown: UnknownOutcomes;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly from: Position | undefined;
  /** Called after each batch until the log is replayed, with the events applied so far. */
  readonly onProgress?: (events: number) => void;
}

/** Feeds the rooms from the log, for ever: by replay, then live. A room that cannot be followed stops, with an alarm, not the node. */
export const feedRooms = (options: FeedOptions): RoomsFeed => {
  const { rooms, unknown, clock, log } = options;
  const counters: FeedCounters = { seen: 0, applied: 0, stopped: 0 };
  let alarmed = 0;
  let finish: (() => void) | undefined;
  const replayed = new Promise<void>((resolve) => {
    finish = resolve;
  });

  const alarm = (): void => {
    const stopped = [...rooms.stoppedRooms()];
    for (const [room, reason] of stopped.slice(alarmed)) {
      log.error(
        { room, reason },
        'a room is stopped on this node: it holds an event that this node does not know. Upgrade this node',
      );
    }
    alarmed = stopped.length;
  };

  /** In log order a stream's revisions only rise, so what is missing before this event will never come. */
  const stopAtGap = ({ stream, revision }: StoredEvent): void => {
    const key = roomOfStream(stream);
    if (key === undefined) return;
    counters.stopped += 1;
    rooms.stop(key, `stream ${stream} lacks events before revision ${revision}: were they truncated or scavenged?`);
  };

  const followed = followLog({
    ...options,
    name: 'rooms',
    onEvents: (events) => {
      const now = clock.now();
      for (const event of events) {
        const applied = rooms.apply(event, now);
        if (applied === 'applied') counters.applied += 1;
        else if (applied === 'stopped') counters.stopped += 1;
        else if (applied === 'gap') stopAtGap(event);
      }
      counters.seen += events.length;
      if (counters.stopped > 0) alarm();
      unknown.see(events);
      if (finish !== undefined) options.onProgress?.(counters.seen);
    },
    onCaughtUp: () => {
      finish?.();
      finish = undefined;
    },
  });
  return { counters, followed, replayed };
};
