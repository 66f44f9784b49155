import { createHash, type Hash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../ports/clock.ts';
import type { Position } from '../ports/event-store.ts';
import type { RoomKey } from '../room/address.ts';
import { eventTime } from '../room/time.ts';
import type { Rooms } from './rooms.ts';
import { parseRecord, recordLine } from './snapshot-record.ts';

/**
 * A snapshot of the rooms: a start reads it and catches up from its position, instead of reading the log from 0. It is a
 * saving, never a truth: one that does not fit is ignored.
 *
 * A file of lines: the header, a line for each room, one for the requests of the last 64 s, the keys of rooms that were
 * stopped, and the SHA-256 of all before it. Written in slices while the rooms go on changing; rooms that have changed
 * meanwhile stand in it a second time, and the later line counts. So a room may be ahead of the header's position, never
 * behind it, and events that are in it already are recognised by their revision.
 */

/**
 * Rises with every change of the file's form or of how rooms are folded: an imcd that would lose something by it does not take
 * it over. 2: rooms have topics.
 */
export const snapshotSchema = 2;
/** Those that hold all there was to know of the log behind them: before 2 no log had topics. */
const readableSchemas: ReadonlySet<unknown> = new Set([1, snapshotSchema]);

/** Longest time, in milliseconds, that one slice keeps the event loop. */
const sliceMs = 4;

export interface SnapshotOf {
  readonly identity: string;
  readonly position: Position;
}

export interface WriteOptions extends SnapshotOf {
  readonly file: string;
  readonly rooms: Rooms;
  readonly clock: Clock;
}

export interface Written {
  readonly rooms: number;
  readonly bytes: number;
  readonly ms: number;
  /** Longest time that the event loop was kept, in milliseconds. */
  readonly longestSliceMs: number;
}

/** Writes a snapshot beside the old one and puts it in its place. `position`: all events up to it are applied. Rejects with the system's error. */
export const writeSnapshot = async (options: WriteOptions): Promise<Written> => {
  const { file, rooms, clock, identity, position } = options;
  const began = clock.monotonic();
  const watch = rooms.watch();
  const part = `${file}.part`;
  const handle = await open(part, 'w', 0o600);
  try {
    const out = new Slices(handle, clock);
    const at = eventTime(clock.now());
    out.line(JSON.stringify({ imcd: 'snapshot', schema: snapshotSchema, identity, position, rooms: rooms.size, at }));
    for (let bucket = 0; bucket < rooms.buckets; bucket += 1) {
      for (const record of rooms.dump(bucket)) {
        out.line(recordLine(record));
        if (out.due()) await out.pause();
      }
    }
    // From here on in one piece: what has changed since the beginning, as it is now.
    const changed = watch.end();
    const requests = [...rooms.requests.entries()];
    const stopped = [...rooms.stoppedRooms()].map(([key]) => key);
    for (const record of changed) out.line(recordLine(record));
    out.line(JSON.stringify({ requests }));
    out.line(JSON.stringify({ stopped }));
    await out.end();
    await handle.sync();
    await handle.close();
    await rename(part, file);
    await syncFolder(dirname(file));
    return { rooms: rooms.size, bytes: out.bytes, ms: clock.monotonic() - began, longestSliceMs: out.longestMs };
  } catch (error) {
    watch.end();
    await handle.close().catch(() => {}); // The first error is the one that counts.
    await rm(part, { force: true });
    throw error;
  }
};

const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** Gathers lines, and writes and hashes them slice by slice. */
class Slices {
  bytes = 0;
  longestMs = 0;
  readonly #handle: FileHandle;
  readonly #clock: Clock;
  readonly #hash: Hash = createHash('sha256');
  #lines: string[] = [];
  #began: number;

  constructor(handle: FileHandle, clock: Clock) {
    this.#handle = handle;
    this.#clock = clock;
    this.#began = clock.monotonic();
  }

  line(text: string): void {
    this.#lines.push(text);
  }

  due(): boolean {
    return this.#lines.length % 32 === 0 && this.#clock.monotonic() - this.#began >= sliceMs / 2;
  }

  async pause(): Promise<void> {
    const chunk = Buffer.from(`${this.#lines.join('\n')}\n`, 'utf8');
    this.#lines = [];
    this.#hash.update(chunk);
    this.bytes += chunk.length;
    this.longestMs = Math.max(this.longestMs, this.#clock.monotonic() - this.#began);
    await this.#handle.write(chunk);
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#began = this.#clock.monotonic();
  }

  async end(): Promise<void> {
    await this.pause();
    const last = Buffer.from(`${JSON.stringify({ sha256: this.#hash.digest('hex') })}\n`, 'utf8');
    this.bytes += last.length;
    await this.#handle.write(last);
  }
}

export type Loaded =
  /** `reread`: rooms that were stopped; their streams are to be read anew, this node may know more by now. */
  | { readonly kind: 'loaded'; readonly position: Position; readonly reread: readonly RoomKey[] }
  | { readonly kind: 'none' }
  /** `why`: a sentence. */
  | { readonly kind: 'ignored'; readonly why: string };

export interface ReadOptions {
  readonly file: string;
  /** Empty ones; they stay empty unless the snapshot is taken. */
  readonly rooms: Rooms;
  readonly identity: string;
  /** The log's end: a snapshot ahead of it belongs to a log that has lost events. */
  readonly end: Position | undefined;
  readonly comparePositions: (a: Position, b: Position) => number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Reads a snapshot into empty rooms, or says why not. Checks all of it before it takes any of it. */
export const readSnapshot = (options: ReadOptions): Loaded => {
  const { file, rooms, identity, end, comparePositions, now } = options;
  if (!existsSync(file)) return { kind: 'none' };
  const ignored = (why: string): Loaded => ({
    kind: 'ignored',
    why: `the snapshot ${file} ${why}; the log is read from its start`,
  });
  try {
    const bytes = readFileSync(file);
    const header = headerOf(bytes);
    if (header === undefined) return ignored('is damaged: its first line is not a header');
    if (!readableSchemas.has(header.schema))
      return ignored(`is of schema ${String(header.schema)}, this imcd writes ${snapshotSchema}`);
    if (header.identity !== identity) return ignored('belongs to another log');
    if (end === undefined || comparePositions(header.position, end) > 0) return ignored('is ahead of the log');
    const body = checked(bytes);
    if (body === undefined) return ignored('is damaged: its checksum is wrong');
    return take(body, header.position, rooms, now) ?? ignored('is damaged: it holds a line that is no room');
  } catch (error) {
    return ignored(`cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
};

interface Header {
  readonly schema: unknown;
  readonly identity: unknown;
  readonly position: Position;
}

const isPosition = (value: unknown): value is Position => typeof value === 'string' && value !== '';

const headerOf = (bytes: Buffer): Header | undefined => {
  const end = bytes.indexOf(10);
  if (end < 0 || end > 4_096) return undefined;
  try {
    const header: unknown = JSON.parse(bytes.toString('utf8', 0, end));
    if (typeof header !== 'object' || header === null || !('imcd' in header) || header.imcd !== 'snapshot')
      return undefined;
    if (!('schema' in header) || !('identity' in header) || !('position' in header)) return undefined;
    const { schema, identity, position } = header;
    return isPosition(position) ? { schema, identity, position } : undefined;
  } catch {
    return undefined; // Not JSON: not a header.
  }
};

/** All between header and checksum, where the checksum is right. */
const checked = (bytes: Buffer): Buffer | undefined => {
  const end = bytes.lastIndexOf(10, bytes.length - 2);
  if (end < 0 || bytes.at(-1) !== 10) return undefined;
  const sha256 = createHash('sha256')
    .update(bytes.subarray(0, end + 1))
    .digest('hex');
  if (bytes.toString('utf8', end + 1) !== `${JSON.stringify({ sha256 })}\n`) return undefined;
  return bytes.subarray(bytes.indexOf(10) + 1, end + 1);
};

/** Loads line by line, so that no second list of all records is kept alive. */
const take = (body: Buffer, position: Position, rooms: Rooms, now: number): Loaded | undefined => {
  const loaded: RoomKey[] = [];
  let requests: unknown;
  let stopped: unknown;
  const giveUp = (): undefined => {
    for (const key of loaded) rooms.forget(key);
  };
  for (let at = 0; at < body.length; ) {
    const end = body.indexOf(10, at);
    const line = body.toString('utf8', at, end);
    at = end + 1;
    if (line.startsWith('[')) {
      const record = parseRecord(line);
      if (record === undefined) return giveUp();
      rooms.load(record);
      loaded.push(record.key);
    } else {
      const more: unknown = JSON.parse(line);
      if (typeof more === 'object' && more !== null && 'requests' in more) requests = more.requests;
      if (typeof more === 'object' && more !== null && 'stopped' in more) stopped = more.stopped;
    }
  }
  if (!Array.isArray(requests) || !Array.isArray(stopped)) return giveUp();
  const reread: RoomKey[] = stopped.filter((key): key is RoomKey => typeof key === 'string');
  for (const key of reread) rooms.forget(key);
  for (const entry of requests) {
    const [key, at]: readonly unknown[] = Array.isArray(entry) ? entry : [];
    if (typeof key === 'string' && typeof at === 'number') rooms.requests.add(key, at, now);
  }
  return { kind: 'loaded', position, reread };
};
