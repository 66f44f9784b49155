import { type EventStore, type Position, type StoredEvent, StoreError } from '../ports/event-store.ts';
import type { MemberKey, RoomKey } from '../room/address.ts';
import type { RoomEvent } from '../room/events.ts';
import { fold } from '../room/fold.ts';
import type { RoomState } from '../room/room.ts';
import { streamOf } from '../room/stream.ts';
import { touchedUsers } from '../room/touched-users.ts';
import { decode, Undecodable } from '../room/upcast.ts';

/** The log as an auditor reads it: by room, by user, and as of a time. */
export interface History {
  /** A room's events in order from a revision on. Throws `StoreError`. */
  readonly ofRoom: (room: RoomKey, from: bigint) => AsyncIterable<StoredEvent>;
  /** All that one user did, or had done to them, over all rooms, in log order. Throws `StoreError`. */
  readonly ofUser: (user: MemberKey) => AsyncIterable<StoredEvent>;
  /** A room by replay: as it was then, or as it is now. Throws `StoreError`. */
  readonly stateAt: (room: RoomKey, then: Then) => Promise<RoomThen>;
}

/** Up to where, all of it inclusive. Nodes' clocks may disagree: `time` means the last event that is not later. */
export interface Then {
  readonly revision?: bigint | undefined;
  /** RFC 3339, UTC, milliseconds. */
  readonly time?: string | undefined;
  readonly position?: Position | undefined;
}

/** `revision`: of the last event that counted, of a destroyed room too; undefined where none did. */
export interface RoomThen {
  readonly revision: bigint | undefined;
  readonly room: RoomState;
}

export const historyOf = (store: EventStore): History => {
  const ofRoom: History['ofRoom'] = (room, from) => store.readStream(streamOf(room), { from });
  return {
    ofRoom,
    ofUser: (user) => store.audit?.eventsOfUser(user) ?? touching(store.readAll(), user),
    stateAt: async (room, { revision, time, position }) => {
      const events: { event: RoomEvent; time: string }[] = [];
      let last: bigint | undefined;
      let counted = 0;
      for await (const stored of ofRoom(room, 0n)) {
        if (revision !== undefined && stored.revision > revision) break;
        if (position !== undefined && store.comparePositions(stored.position, position) > 0) break;
        events.push({ event: known(stored), time: stored.time });
        if (time !== undefined && stored.time > time) continue;
        last = stored.revision;
        counted = events.length;
      }
      return { revision: last, room: fold(undefined, events.slice(0, counted)) };
    },
  };
};

/** The event as this version knows it; throws where it does not. */
export const known = (stored: StoredEvent): RoomEvent => {
  const event = decode(stored);
  if (!(event instanceof Undecodable)) return event;
  const { stream, revision } = stored;
  throw new StoreError({
    kind: 'StoreDamaged',
    message: `revision ${revision} of ${stream} cannot be read: ${event.message}`,
  });
};

/** Without an index: reads everything. */
async function* touching(events: AsyncIterable<StoredEvent>, user: MemberKey): AsyncIterable<StoredEvent> {
  for await (const event of events) if (touchedUsers(event).includes(user)) yield event;
}
