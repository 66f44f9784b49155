import { BoundedMap } from '../bounds/bounded-map.ts';
import type { Roster } from '../ports/courier.ts';
import type { StoredEvent } from '../ports/event-store.ts';
import type { RoomKey } from '../room/address.ts';
import type { RoomEvent } from '../room/events.ts';
import { applyInPlace } from '../room/fold.ts';
import type { EventMetadata } from '../room/metadata.ts';
import type { Room, RoomState } from '../room/room.ts';
import { roomOfStream } from '../room/stream.ts';
import { eventTime } from '../room/time.ts';
import { decode, Undecodable } from '../room/upcast.ts';
import { createRecentRequests, type RecentRequests, rememberedMs, requestKey } from './recent-requests.ts';
import { Rosters } from './rosters.ts';

/** What became of an event: `gap` where an earlier one of its stream is missing, `stopped` where its room cannot be followed. */
export type Applied = 'applied' | 'already' | 'gap' | 'stopped';

/** One room of a snapshot: see `dump`. */
export interface RoomRecord {
  readonly key: RoomKey;
  readonly revision: number;
  /** Undefined for a destroyed room. */
  readonly room: RoomState;
  /** Why the room is stopped on this node. */
  readonly stopped?: string;
}

/**
 * All rooms, folded from the log: the module's hashed table, the state that `decide` sees, and the read model of fan-out
 * and MI at once. Rooms that it hands out are live: hold no reference over an await.
 */
export interface Rooms {
  /** Number of living rooms. */
  readonly size: number;
  readonly buckets: number;
  /** How many revisions of destroyed rooms were dropped at the bound; after that an unknown room may have a stream. */
  readonly forgotten: number;
  readonly requests: RecentRequests;
  readonly get: (key: RoomKey) => Room | undefined;
  /** Who gets what is sent to the room: the same object for as long as they are the same. */
  readonly roster: (key: RoomKey) => Roster | undefined;
  /** Revision of the last event applied, of a destroyed room too; undefined where none is known. */
  readonly revision: (key: RoomKey) => bigint | undefined;
  /** Why a room is stopped on this node: an event stands in its stream that this node does not know. */
  readonly stopped: (key: RoomKey) => string | undefined;
  readonly stoppedRooms: () => IterableIterator<[RoomKey, string]>;
  readonly all: () => IterableIterator<Room>;
  /** Applies an event of the log where its revision is the next one of its stream. `now`: milliseconds since 1970. */
  readonly apply: (event: StoredEvent, now: number) => Applied;
  /** As `apply`, for an event that this node has just appended. */
  readonly applyOwn: (
    key: RoomKey,
    revision: bigint,
    event: RoomEvent,
    metadata: EventMetadata,
    now: number,
  ) => Applied;
  /** Stops a room on this node: nothing more is applied to it. */
  readonly stop: (key: RoomKey, reason: string) => void;
  /** Forgets a room altogether, so that its stream can be read from the start. */
  readonly forget: (key: RoomKey) => void;
  /** The records of one bucket, for a snapshot; the first bucket's bring the destroyed rooms. Rooms may change in between. */
  readonly dump: (bucket: number) => IterableIterator<RoomRecord>;
  /**
   * Notes the rooms that change from now on: a dump that takes its time takes them once more, as `end` gives them, and is
   * then a whole. One at a time.
   */
  readonly watch: () => { readonly end: () => readonly RoomRecord[] };
  /** Takes a record of a snapshot. */
  readonly load: (record: RoomRecord) => void;
}

interface Entry {
  revision: number;
  room: Room;
}

type Bucket = Map<RoomKey, Entry>;

/**
 * @param hashSize power of 2 of the number of buckets (`hash_size`)
 * @param mostDestroyed how many destroyed rooms leave their revision behind
 */
export const createRooms = (hashSize: number, mostDestroyed = 100_000): Rooms => {
  const buckets: readonly Bucket[] = Array.from({ length: 2 ** hashSize }, () => new Map());
  const mask = buckets.length - 1;
  /** Oldest first. */
  const destroyed = new BoundedMap<RoomKey, number>(mostDestroyed);
  const stopped = new Map<RoomKey, string>();
  const requests = createRecentRequests();
  const rosters = new Rosters();
  let size = 0;
  let forgotten = 0;
  let changed: Set<RoomKey> | undefined;

  const bucketOf = (key: RoomKey): Bucket => {
    // FNV-1a, 32 bits.
    let hash = 0x811c9dc5;
    for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
    const bucket = buckets[hash & mask];
    if (bucket === undefined) throw new Error(`no bucket ${hash & mask} of ${buckets.length}`);
    return bucket;
  };

  const bury = (key: RoomKey, revision: number): void => {
    if (destroyed.set(key, revision)) forgotten += 1;
  };

  const put = (key: RoomKey, bucket: Bucket, entry: Entry | undefined, room: RoomState, revision: number): void => {
    changed?.add(key);
    if (room === undefined) {
      if (bucket.delete(key)) size -= 1;
      bury(key, revision);
    } else if (entry === undefined) {
      bucket.set(key, { revision, room });
      destroyed.delete(key);
      size += 1;
    } else {
      entry.revision = revision;
      entry.room = room;
    }
  };

  /**
   * Whether `revision` is the next of its stream. A creation may stand further on: the revisions before it were forgotten here
   * at the bound, or the stream was deleted and scavenged, and goes on counting.
   */
  const place = (key: RoomKey, entry: Entry | undefined, revision: number, type: string): Applied => {
    const known = entry?.revision ?? destroyed.get(key);
    if (known !== undefined && revision <= known) return 'already';
    if (stopped.has(key)) return 'stopped';
    if (revision === (known ?? -1) + 1) return 'applied';
    return type === 'RoomCreated' ? 'applied' : 'gap';
  };

  const remember = (metadata: unknown, time: string, now: number): void => {
    if (typeof metadata !== 'object' || metadata === null) return;
    const { callId, cseq, fromTag, actor }: Readonly<Record<string, unknown>> = { ...metadata };
    if (typeof callId !== 'string' || typeof cseq !== 'string' || typeof fromTag !== 'string') return;
    if (typeof actor === 'string') requests.add(requestKey(callId, cseq, fromTag, actor), Date.parse(time), now);
  };

  // RFC 3339 in UTC compares as a string: on replay most events are older, and their metadata is never parsed.
  let cutoff = '';
  let cutoffAt = Number.NEGATIVE_INFINITY;
  const isRecent = (time: string, now: number): boolean => {
    if (now - cutoffAt >= 1000 || now < cutoffAt) {
      cutoffAt = now;
      cutoff = eventTime(now - rememberedMs);
    }
    return time >= cutoff;
  };

  const recordOf = (key: RoomKey, revision: number, room: RoomState): RoomRecord => {
    const reason = stopped.get(key);
    return reason === undefined ? { key, revision, room } : { key, revision, room, stopped: reason };
  };

  return {
    get size() {
      return size;
    },
    get forgotten() {
      return forgotten;
    },
    buckets: buckets.length,
    requests,
    get: (key) => bucketOf(key).get(key)?.room,
    roster: (key) => {
      const entry = bucketOf(key).get(key);
      return entry === undefined ? undefined : rosters.of(entry.room, entry.revision);
    },
    revision: (key) => {
      const known = bucketOf(key).get(key)?.revision ?? destroyed.get(key);
      return known === undefined ? undefined : BigInt(known);
    },
    stopped: (key) => stopped.get(key),
    stoppedRooms: () => stopped.entries(),
    all: function* () {
      for (const bucket of buckets) for (const { room } of bucket.values()) yield room;
    },
    apply: (event, now) => {
      const key = roomOfStream(event.stream);
      if (key === undefined) return 'already';
      const bucket = bucketOf(key);
      const entry = bucket.get(key);
      const revision = Number(event.revision);
      const verdict = place(key, entry, revision, event.type);
      if (verdict !== 'applied') return verdict;
      const decoded = decode(event);
      if (decoded instanceof Undecodable) {
        stopped.set(key, `revision ${revision} of stream ${event.stream}: ${decoded.message}`);
        return 'stopped';
      }
      put(key, bucket, entry, applyInPlace(entry?.room, decoded, event.time), revision);
      if (isRecent(event.time, now)) remember(event.metadata, event.time, now);
      return 'applied';
    },
    applyOwn: (key, revision, event, metadata, now) => {
      const bucket = bucketOf(key);
      const entry = bucket.get(key);
      const verdict = place(key, entry, Number(revision), event.type);
      if (verdict !== 'applied') return verdict;
      put(key, bucket, entry, applyInPlace(entry?.room, event, metadata.time), Number(revision));
      remember(metadata, metadata.time, now);
      return 'applied';
    },
    stop: (key, reason) => {
      stopped.set(key, reason);
    },
    forget: (key) => {
      if (bucketOf(key).delete(key)) size -= 1;
      destroyed.delete(key);
      stopped.delete(key);
    },
    dump: function* (index) {
      for (const [key, { revision, room }] of buckets[index] ?? []) yield recordOf(key, revision, room);
      if (index !== 0) return;
      for (const [key, revision] of destroyed) yield recordOf(key, revision, undefined);
    },
    watch: () => {
      const mine = new Set<RoomKey>();
      changed = mine;
      return {
        end: () => {
          if (changed === mine) changed = undefined;
          return [...mine].flatMap((key) => {
            const entry = bucketOf(key).get(key);
            const revision = entry?.revision ?? destroyed.get(key);
            return revision === undefined ? [] : [recordOf(key, revision, entry?.room)];
          });
        },
      };
    },
    load: ({ key, revision, room, stopped: reason }) => {
      const bucket = bucketOf(key);
      put(key, bucket, bucket.get(key), room, revision);
      if (reason !== undefined) stopped.set(key, reason);
    },
  };
};
