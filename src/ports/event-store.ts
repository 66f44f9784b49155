import type { TaskEither } from 'fp-ts/lib/TaskEither.js';

/** The log, as the inside sees it: streams of events with an order over all of them. */

/** Place in the whole log: opaque to all but the store that gave it. Belongs to the log with the store's identity. */
export type Position = string & { readonly Position: unique symbol };

/** What the stream must look like for an append to be taken. Never `any`. */
export type ExpectedRevision = bigint | 'no_stream';

/** An event that is to be written. `id` is a UUID, made once for a decision and kept through its retries. */
export interface NewEvent {
  readonly id: string;
  readonly type: string;
  /** Encodable as JSON: no undefined at the root, no BigInt. */
  readonly data: unknown;
  readonly metadata: unknown;
}

/** An event as read back. `data` and `metadata` are parsed JSON of any age: decode through `room/upcast.ts`. May be parsed when first asked. */
export interface StoredEvent {
  readonly id: string;
  readonly stream: string;
  /** 0-based place in the stream. */
  readonly revision: bigint;
  readonly position: Position;
  readonly type: string;
  /** `metadata.time`: RFC 3339, UTC, milliseconds, so that it compares as a string. At hand without parsing; empty where the metadata has none. */
  readonly time: string;
  /** `metadata.version`, where the store has it at hand without parsing: a replay then never parses metadata. */
  readonly version?: number | undefined;
  readonly data: unknown;
  readonly metadata: unknown;
}

/** The last of the events that were written (or that were there already, under the same ids). */
export interface Appended {
  readonly revision: bigint;
  readonly position: Position;
}

/** Somebody was first: the stream ends at `actual`. */
export interface WrongExpectedRevision {
  readonly kind: 'WrongExpectedRevision';
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly actual: ExpectedRevision;
}

/** The world failed. `message` is a sentence for people: what was found, where, what to do. */
export type StoreFailure =
  | { readonly kind: 'StoreUnavailable'; readonly message: string; readonly cause?: unknown } // nothing was written; may be tried again
  | { readonly kind: 'OutcomeUnknown'; readonly message: string; readonly cause?: unknown } // may or may not be written
  | { readonly kind: 'StoreFull'; readonly message: string; readonly cause?: unknown } // nothing was written; disk or quota
  | { readonly kind: 'StoreRefused'; readonly message: string; readonly cause?: unknown } // rights, size, not encodable, id used for another event
  | { readonly kind: 'StoreDamaged'; readonly message: string; readonly cause?: unknown } // checksum, foreign or newer format
  | { readonly kind: 'StoreClosed'; readonly message: string; readonly cause?: unknown };

export type AppendFailure = WrongExpectedRevision | StoreFailure;

/** A running catch-up subscription. */
export interface Subscription {
  /** No callback is called after this returns. */
  readonly stop: () => void;
}

/** Callbacks of one subscription; never called at the same time, never after `stop`. */
export interface Subscriber {
  /** Events in log order, in batches of at most 1,000. The next batch waits for a returned Promise. */
  readonly onEvents: (events: readonly StoredEvent[]) => void | Promise<void>;
  /** All that was in the log has been given; may be called again after each new stretch of catching up. */
  readonly onCaughtUp?: () => void;
  /** The subscription has ended, by a lost connection or by a throw of `onEvents`; it does not resume by itself. */
  readonly onStopped: (failure: StoreFailure) => void;
}

export interface ReadRange {
  /** First revision (forwards: default 0; backwards: default the last). */
  readonly from?: bigint;
  readonly direction?: 'forwards' | 'backwards';
  /** Most events to give; default all. */
  readonly limit?: number;
}

/**
 * The log: streams of events with an order over all of them. Each adapter is held by `test/contract/event-store.ts`.
 * Streams are named by `room/stream.ts`; `subscribe` and `readAll` give rooms' only, no transcripts.
 */
export interface EventStore {
  /** True where other processes may append to the same log. */
  readonly shared: boolean;
  /** The log's identity, made with it; every checkpoint, snapshot and position carries it. */
  readonly identity: TaskEither<StoreFailure, string>;
  /**
   * Writes all events or none, durably before it resolves. An append whose event ids are all there already, in this stream
   * in this order right after `expected`, succeeds again with the first one's result. Appends to one stream that are called
   * in order, without awaiting, are written in order.
   */
  readonly append: (
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ) => TaskEither<AppendFailure, Appended>;
  /** A stream's events; empty for a stream that does not exist. Throws `StoreError` inside the iteration. */
  readonly readStream: (stream: string, range?: ReadRange) => AsyncIterable<StoredEvent>;
  /** Revision of a stream's last event; undefined where the stream does not exist. */
  readonly lastRevision: (stream: string) => TaskEither<StoreFailure, bigint | undefined>;
  /** All rooms' events after `after` (default: from the start) up to the present end, in log order. Throws `StoreError`. */
  readonly readAll: (after?: Position) => AsyncIterable<StoredEvent>;
  /** As `readAll`, and then live, without a gap or a double. */
  readonly subscribe: (after: Position | undefined, subscriber: Subscriber) => Subscription;
  /** Negative, 0 or positive, as `a` stands before, at or after `b`; both of this log. */
  readonly comparePositions: (a: Position, b: Position) => number;
  /** Position of the last event of the log; undefined where it is empty. */
  readonly end: TaskEither<StoreFailure, Position | undefined>;
  /** Answers about one user, and about times, where the store has an index for them; without it, the whole log is read. */
  readonly audit?: Audit;
  /** Finishes what is begun, then lets go. */
  readonly close: () => Promise<void>;
}

/** What auditors ask across rooms. */
export interface Audit {
  /** All rooms' events, in log order, that one user did or had done to them. `key`: `user@domain` in lower case. Throws `StoreError`. */
  readonly eventsOfUser: (key: string, after?: Position) => AsyncIterable<StoredEvent>;
  /** Position of the last event whose `time` is not later than this one (RFC 3339, UTC, milliseconds); undefined where there is none. */
  readonly positionAt: (time: string) => TaskEither<StoreFailure, Position | undefined>;
}

/** What `readStream` and `readAll` throw: a failure that crosses an async iteration. */
export class StoreError extends Error {
  readonly failure: StoreFailure;
  constructor(failure: StoreFailure) {
    super(failure.message, { cause: failure.cause });
    this.name = 'StoreError';
    this.failure = failure;
  }
}
