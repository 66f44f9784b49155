import type { Clock } from '../../ports/clock.ts';
import type { Appended, ExpectedRevision, Position, StoredEvent } from '../../ports/event-store.ts';
import type { Ids } from '../../ports/ids.ts';
import type { EncodedEvent } from '../encode.ts';

/**
 * What the adapter needs of one EventStoreDB client: plain calls that reject with the client's own errors. `client.ts` makes it
 * of `@eventstore/db-client`; everything else knows only this.
 */
export interface Wire {
  /** Version of the server (`24.10.0`); `unknown` from a server that cannot tell. */
  readonly version: () => Promise<string>;
  /** A small read that only a server that is ready answers, within so many milliseconds. */
  readonly probe: (ms: number) => Promise<void>;
  /** Puts an append on the batch stream, behind all that were put there before. */
  readonly append: (append: WireAppend) => Promise<Appended>;
  /** Events of one stream, read to the page's end; empty for a stream that does not exist. */
  readonly readStream: (stream: string, page: StreamPage) => Promise<readonly StoredEvent[]>;
  /** All events of the log from its end backwards, starting before `before`. */
  readonly readBackwards: (before: Position | undefined, count: number) => Promise<readonly StoredEvent[]>;
  /** Rooms' events after a position, then live. */
  readonly follow: (after: Position | undefined, follower: WireFollower) => { readonly stop: () => void };
  /** Lets go of all that is open; nothing that is pending stays so. */
  readonly dispose: () => Promise<void>;
}

export interface WireOptions {
  /** Connection string as the client takes it, `esdb://` or `esdb+discover://`. */
  readonly url: string;
  readonly clock: Clock;
  readonly ids: Pick<Ids, 'uuid'>;
  /** Milliseconds until a page that was asked for is given up. */
  readonly readMs: number;
  /** The stream of appends has ended; all that were on it have been rejected. */
  readonly onBroken: (cause: unknown) => void;
}

/** An append as it goes out. */
export interface WireAppend {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly EncodedEvent[];
}

export interface StreamPage {
  readonly from: bigint | 'start' | 'end';
  readonly direction: 'forwards' | 'backwards';
  readonly count: number;
}

/** Never called after `stop`, and never at the same time. */
export interface WireFollower {
  readonly onEvents: (events: readonly StoredEvent[]) => void | Promise<void>;
  readonly onCaughtUp: () => void;
  /** The connection has ended (`lost`), or `onEvents` threw (`broke`). Nothing comes after it. */
  readonly onEnd: (why: 'lost' | 'broke', cause: unknown) => void;
}

/** Holds one event, the log's identity. */
export const identityStream = 'imcd-log';

/** `commit/prepare`, both byte offsets. Opaque to everybody else. */
export const positionOf = (commit: bigint, prepare: bigint): Position => `${commit}/${prepare}` as Position;

export const parsePosition = (position: Position): { readonly commit: bigint; readonly prepare: bigint } => {
  const [, commit, prepare] = /^(\d+)\/(\d+)$/.exec(position) ?? [];
  if (commit === undefined || prepare === undefined) {
    throw new PositionError(`${position} is no position of EventStoreDB: it belongs to another log`);
  }
  return { commit: BigInt(commit), prepare: BigInt(prepare) };
};

/** A position of another kind of log was handed in. */
export class PositionError extends Error {}

export const comparePositions = (a: Position, b: Position): number => {
  const [x, y] = [parsePosition(a), parsePosition(b)];
  if (x.commit !== y.commit) return x.commit < y.commit ? -1 : 1;
  if (x.prepare !== y.prepare) return x.prepare < y.prepare ? -1 : 1;
  return 0;
};
