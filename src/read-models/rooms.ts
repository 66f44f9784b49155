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
import { createRecentRequests, type RecentRequests, rememberedMs, requestIn } from './recent-requests.ts';
import { type RoomEntry, RoomTable } from './room-table.ts';
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

/**
 * @param hashSize power of 2 of the number of buckets (`hash_size`)
 * @param mostDestroyed how many destroyed rooms leave their revision behind
 */
export const createRooms = (hashSize: number, mostDestroyed = 100_000): Rooms =>
  new FoldedRooms(new RoomTable(hashSize, mostDestroyed));

class FoldedRooms implements Rooms {
  readonly requests = createRecentRequests();
  readonly #table: RoomTable;
  readonly #rosters = new Rosters();
  readonly #stopped = new Map<RoomKey, string>();
  /** Noted while somebody watches. */
  #changed: Set<RoomKey> | undefined;
  #cutoff = '';
  #cutoffAt = Number.NEGATIVE_INFINITY;

  constructor(table: RoomTable) {
    this.#table = table;
  }

  get size(): number {
    return this.#table.size;
  }

  get buckets(): number {
    return this.#table.buckets;
  }

  get forgotten(): number {
    return this.#table.forgotten;
  }

  get(key: RoomKey): Room | undefined {
    return this.#table.get(key)?.room;
  }

  roster(key: RoomKey): Roster | undefined {
    const entry = this.#table.get(key);
    return entry === undefined ? undefined : this.#rosters.of(entry.room, entry.revision);
  }

  revision(key: RoomKey): bigint | undefined {
    const known = this.#revision(key, this.#table.get(key));
    return known === undefined ? undefined : BigInt(known);
  }

  stopped(key: RoomKey): string | undefined {
    return this.#stopped.get(key);
  }

  stoppedRooms(): IterableIterator<[RoomKey, string]> {
    return this.#stopped.entries();
  }

  all(): IterableIterator<Room> {
    return this.#table.all();
  }

  apply(event: StoredEvent, now: number): Applied {
    const key = roomOfStream(event.stream);
    if (key === undefined) return 'already';
    const entry = this.#table.get(key);
    const revision = Number(event.revision);
    const verdict = this.#verdict(key, entry, revision, event.type);
    if (verdict !== 'applied') return verdict;
    const decoded = decode(event);
    if (decoded instanceof Undecodable) {
      this.stop(key, `revision ${revision} of stream ${event.stream}: ${decoded.message}`);
      return 'stopped';
    }
    this.#put(key, entry, applyInPlace(entry?.room, decoded, event.time), revision);
    if (this.#isRecent(event.time, now)) this.#remember(event.metadata, event.time, now);
    return 'applied';
  }

  applyOwn(key: RoomKey, revision: bigint, event: RoomEvent, metadata: EventMetadata, now: number): Applied {
    const entry = this.#table.get(key);
    const verdict = this.#verdict(key, entry, Number(revision), event.type);
    if (verdict !== 'applied') return verdict;
    this.#put(key, entry, applyInPlace(entry?.room, event, metadata.time), Number(revision));
    this.#remember(metadata, metadata.time, now);
    return 'applied';
  }

  stop(key: RoomKey, reason: string): void {
    this.#stopped.set(key, reason);
  }

  forget(key: RoomKey): void {
    this.#table.delete(key);
    this.#stopped.delete(key);
  }

  *dump(index: number): IterableIterator<RoomRecord> {
    for (const [key, { revision, room }] of this.#table.bucket(index)) yield this.#recordOf(key, revision, room);
    if (index !== 0) return;
    for (const [key, revision] of this.#table.destroyed()) yield this.#recordOf(key, revision, undefined);
  }

  watch(): { readonly end: () => readonly RoomRecord[] } {
    const mine = new Set<RoomKey>();
    this.#changed = mine;
    return {
      end: () => {
        if (this.#changed === mine) this.#changed = undefined;
        return [...mine].flatMap((key) => {
          const entry = this.#table.get(key);
          const revision = this.#revision(key, entry);
          return revision === undefined ? [] : [this.#recordOf(key, revision, entry?.room)];
        });
      },
    };
  }

  load({ key, revision, room, stopped }: RoomRecord): void {
    this.#put(key, this.#table.get(key), room, revision);
    if (stopped !== undefined) this.stop(key, stopped);
  }

  #put(key: RoomKey, entry: RoomEntry | undefined, room: RoomState, revision: number): void {
    this.#changed?.add(key);
    this.#table.put(key, entry, room, revision);
  }

  #revision(key: RoomKey, entry: RoomEntry | undefined): number | undefined {
    return entry?.revision ?? this.#table.lastRevision(key);
  }

  /**
   * Whether `revision` is the next of its stream. A creation may stand further on: the revisions before it were forgotten here
   * at the bound, or the stream was deleted and scavenged, and goes on counting.
   */
  #verdict(key: RoomKey, entry: RoomEntry | undefined, revision: number, type: string): Applied {
    const known = this.#revision(key, entry);
    if (known !== undefined && revision <= known) return 'already';
    if (this.#stopped.has(key)) return 'stopped';
    if (revision === (known ?? -1) + 1) return 'applied';
    return type === 'RoomCreated' ? 'applied' : 'gap';
  }

  /** RFC 3339 in UTC compares as a string: on replay most events are older, and their metadata is never parsed. */
  #isRecent(time: string, now: number): boolean {
    if (now - this.#cutoffAt >= 1000 || now < this.#cutoffAt) {
      this.#cutoffAt = now;
      this.#cutoff = eventTime(now - rememberedMs);
    }
    return time >= this.#cutoff;
  }

  #remember(metadata: unknown, time: string, now: number): void {
    const request = requestIn(metadata);
    if (request !== undefined) this.requests.add(request, Date.parse(time), now);
  }

  #recordOf(key: RoomKey, revision: number, room: RoomState): RoomRecord {
    const reason = this.#stopped.get(key);
    return reason === undefined ? { key, revision, room } : { key, revision, room, stopped: reason };
  }
}
