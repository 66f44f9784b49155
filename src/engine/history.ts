import { type MemberKey, MemberUri, memberKey, type RoomKey, streamOf } from '../room/address.ts';
import type { RoomEvent } from '../room/events.ts';
import { fold, type RoomState } from '../room/room.ts';
import { upcast } from '../room/upcast.ts';
import { type EventStore, type StoredEvent, StoreError } from './ports.ts';

/** The log as an auditor reads it: by room, by user, and as of a time. */
export interface History {
  /** A room's events in order from a revision on. Throws `StoreError`. */
  readonly ofRoom: (room: RoomKey, from: bigint) => AsyncIterable<StoredEvent>;
  /** All that one user did, or had done to them, over all rooms, in log order. Throws `StoreError`. */
  readonly ofUser: (user: MemberKey) => AsyncIterable<StoredEvent>;
  /** A room by replay: after the event of `revision`, or after the last one not later than `time` (RFC 3339, UTC, milliseconds); as it is now without either. */
  readonly stateAt: (
    room: RoomKey,
    at: { readonly revision?: bigint; readonly time?: string },
  ) => Promise<{ readonly revision: bigint | undefined; readonly room: RoomState }>;
}

export const historyOf = (store: EventStore): History => {
  const ofRoom: History['ofRoom'] = (room, from) => store.readStream(streamOf(room), { from });
  return {
    ofRoom,
    ofUser: (user) => store.audit?.eventsOfUser(user) ?? touching(store.readAll(), user),
    stateAt: async (room, { revision, time }) => {
      const events: { event: RoomEvent; time: string }[] = [];
      let last: bigint | undefined;
      for await (const stored of ofRoom(room, 0n)) {
        if (revision !== undefined && stored.revision > revision) break;
        if (time !== undefined && stored.time > time) break;
        events.push({ event: known(stored), time: stored.time });
        last = stored.revision;
      }
      return { revision: last, room: fold(undefined, events) };
    },
  };
};

/** The event as this version knows it; throws where it does not. */
const known = (stored: StoredEvent): RoomEvent => {
  const event = upcast(stored);
  if (event._tag === 'Right') return event.right;
  const { stream, revision } = stored;
  throw new StoreError({
    kind: 'StoreDamaged',
    message: `revision ${revision} of ${stream} cannot be read: ${event.left.message}`,
  });
};

/** Without an index: reads everything. */
async function* touching(events: AsyncIterable<StoredEvent>, user: MemberKey): AsyncIterable<StoredEvent> {
  for await (const event of events) if (usersOf(event).has(user)) yield event;
}

/** Every user that an event touches: who asked, and whom it is about. */
export const usersOf = ({ data, metadata }: Pick<StoredEvent, 'data' | 'metadata'>): ReadonlySet<MemberKey> => {
  const users = new Set<MemberKey>();
  const look = (record: unknown, names: readonly string[]): void => {
    if (typeof record !== 'object' || record === null) return;
    const values: Readonly<Record<string, unknown>> = { ...record };
    for (const name of names) {
      const value = values[name];
      if (MemberUri.is(value)) users.add(memberKey(value));
    }
  };
  look(data, ['owner', 'member', 'inviter', 'by']);
  look(metadata, ['actor']);
  return users;
};
