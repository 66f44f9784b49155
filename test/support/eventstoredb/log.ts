/**
 * The log of the EventStoreDB double: what a server keeps on disk. It outlives the servers that are started on it, so that a
 * killed one comes back with what it had. Behaves as seen on a real 24.10: expected revisions, idempotence by event id,
 * soft deletion, tombstones, positions that are byte offsets.
 */

export interface Proposed {
  readonly id: string;
  readonly type: string;
  readonly contentType: string;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

export interface Recorded extends Proposed {
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  readonly created: number;
}

export type Expected = number | 'no_stream' | 'any' | 'stream_exists';

export type Written =
  | { readonly kind: 'success'; readonly revision: number; readonly position: number }
  | { readonly kind: 'wrong'; readonly current: number | 'no_stream' }
  | { readonly kind: 'deleted' };

interface Stream {
  readonly events: Recorded[];
  /** Revisions before this are gone: a soft deletion truncates, and the stream goes on counting. */
  first: number;
  softDeleted: boolean;
  tombstoned: boolean;
}

export interface MemoryLog {
  readonly records: readonly Recorded[];
  readonly stream: (name: string) => readonly Recorded[] | 'missing' | 'deleted';
  readonly append: (stream: string, expected: Expected, events: readonly Proposed[]) => Written;
  readonly softDelete: (stream: string) => void;
  readonly tombstone: (stream: string) => void;
  /** A server has stopped: ids that ANY and STREAM_EXISTS compare with are forgotten, as on the real one. */
  readonly forgetIds: () => void;
  /** Index of the first record at or after a position; undefined where no record ever stood there. */
  readonly indexOf: (position: number) => number | undefined;
  readonly onAppended: (listener: () => void) => () => void;
}

/** Links keep their target's text as data: `3@room-x`, and are resolved by who reads. */
export const createLog = (): MemoryLog => {
  const records: Recorded[] = [];
  const streams = new Map<string, Stream>();
  const places = new Map<number, number>();
  const recentIds = new Map<string, Recorded>();
  const listeners = new Set<() => void>();
  let end = 0;

  const last = (stream: Stream | undefined): Recorded | undefined => stream?.events.at(-1);

  /** The repeat of an append that was written: all ids stand right after `expected`. Some of them only: a wrong version. */
  const repeated = (stream: Stream | undefined, after: number, events: readonly Proposed[]): Recorded | undefined => {
    const there = events.map((event, i) => stream?.events[after + 1 + i]?.id === event.id);
    return events.length > 0 && there.every((same) => same) ? stream?.events[after + events.length] : undefined;
  };

  const write = (name: string, events: readonly Proposed[]): Written => {
    const stream = streams.get(name) ?? { events: [], first: 0, softDeleted: false, tombstoned: false };
    streams.set(name, stream);
    if (stream.softDeleted) {
      stream.first = stream.events.length;
      stream.softDeleted = false;
    }
    for (const event of events) {
      const record = { ...event, stream: name, revision: stream.events.length, position: end, created: Date.now() };
      end += 100 + event.data.length + event.metadata.length;
      places.set(record.position, records.length);
      records.push(record);
      stream.events.push(record);
      recentIds.set(`${name} ${event.id}`, record);
    }
    if (events.length === 0) end += 100;
    for (const listener of [...listeners]) listener();
    return { kind: 'success', revision: stream.events.length - 1, position: last(stream)?.position ?? end };
  };

  return {
    records,
    stream: (name) => {
      const stream = streams.get(name);
      if (stream?.tombstoned) return 'deleted';
      if (stream === undefined || stream.softDeleted || stream.events.length === 0) return 'missing';
      return stream.events.slice(stream.first);
    },
    append: (name, expected, events) => {
      const stream = streams.get(name);
      if (stream?.tombstoned) return { kind: 'deleted' };
      const current = last(stream)?.revision ?? -1;
      const wrong: Written = { kind: 'wrong', current: current === -1 ? 'no_stream' : current };
      if (expected === 'any' || expected === 'stream_exists') {
        if (expected === 'stream_exists' && current === -1) return wrong;
        const before = events.map(({ id }) => recentIds.get(`${name} ${id}`));
        const old = before.at(-1);
        if (old !== undefined && before.every((record) => record !== undefined)) {
          return { kind: 'success', revision: old.revision, position: old.position };
        }
        return before.some((record) => record !== undefined) ? wrong : write(name, events);
      }
      const after = expected === 'no_stream' ? -1 : expected;
      if (current === after || (expected === 'no_stream' && stream?.softDeleted)) return write(name, events);
      const old = repeated(stream, after, events);
      return old === undefined ? wrong : { kind: 'success', revision: old.revision, position: old.position };
    },
    softDelete: (name) => {
      const stream = streams.get(name);
      if (stream !== undefined) stream.softDeleted = true;
    },
    tombstone: (name) => {
      const stream = streams.get(name) ?? { events: [], first: 0, softDeleted: false, tombstoned: true };
      stream.tombstoned = true;
      streams.set(name, stream);
    },
    forgetIds: () => recentIds.clear(),
    indexOf: (position) => places.get(position),
    onAppended: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};
