import { BoundedMap } from '../bounds/bounded-map.ts';
import type { RoomKey } from '../room/address.ts';
import type { Room, RoomState } from '../room/room.ts';

/** A living room, and the revision of the last event that made it what it is. */
export interface RoomEntry {
  revision: number;
  room: Room;
}

type Bucket = Map<RoomKey, RoomEntry>;

/** The module's hashed table of living rooms; of destroyed ones the last revision stays, for as many as there is place. */
export class RoomTable {
  /** Number of living rooms. */
  size = 0;
  /** Revisions of destroyed rooms that were dropped at the bound. */
  forgotten = 0;
  readonly #buckets: readonly Bucket[];
  readonly #destroyed: BoundedMap<RoomKey, number>;

  /** @param hashSize power of 2 of the number of buckets */
  constructor(hashSize: number, mostDestroyed: number) {
    this.#buckets = Array.from({ length: 2 ** hashSize }, () => new Map());
    this.#destroyed = new BoundedMap(mostDestroyed);
  }

  get buckets(): number {
    return this.#buckets.length;
  }

  get(key: RoomKey): RoomEntry | undefined {
    return this.#bucketOf(key).get(key);
  }

  /** Of a destroyed room. */
  lastRevision(key: RoomKey): number | undefined {
    return this.#destroyed.get(key);
  }

  /** @param entry what `get` gives for the key; found before, since every event is looked up once and no more */
  put(key: RoomKey, entry: RoomEntry | undefined, room: RoomState, revision: number): void {
    if (room !== undefined && entry !== undefined) {
      entry.revision = revision;
      entry.room = room;
    } else if (room !== undefined) {
      this.#bucketOf(key).set(key, { revision, room });
      this.#destroyed.delete(key);
      this.size += 1;
    } else {
      if (this.#bucketOf(key).delete(key)) this.size -= 1;
      if (this.#destroyed.set(key, revision)) this.forgotten += 1;
    }
  }

  /** As if there had never been such a room. */
  delete(key: RoomKey): void {
    if (this.#bucketOf(key).delete(key)) this.size -= 1;
    this.#destroyed.delete(key);
  }

  *all(): IterableIterator<Room> {
    for (const bucket of this.#buckets) for (const { room } of bucket.values()) yield room;
  }

  /** Empty for a bucket that there is not. */
  *bucket(index: number): IterableIterator<[RoomKey, RoomEntry]> {
    yield* this.#buckets[index] ?? [];
  }

  destroyed(): IterableIterator<[RoomKey, number]> {
    return this.#destroyed[Symbol.iterator]();
  }

  #bucketOf(key: RoomKey): Bucket {
    // FNV-1a, 32 bits.
    let hash = 0x811c9dc5;
    for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
    const index = hash & (this.#buckets.length - 1);
    const bucket = this.#buckets[index];
    if (bucket === undefined) throw new Error(`no bucket ${index} of ${this.#buckets.length}`);
    return bucket;
  }
}
