import type { Either } from 'fp-ts/lib/Either.js';
import type { Conference } from '../engine/conference.ts';
import type { Clock } from '../ports/clock.ts';
import type { StoredEvent } from '../ports/event-store.ts';
import type { Ids } from '../ports/ids.ts';
import type { LogLevel } from '../ports/log.ts';
import type { Statistics } from '../ports/statistics.ts';
import type { MemberKey, MemberUri, RoomKey, RoomUri } from '../room/address.ts';
import type { Malformed, Refusal } from '../room/refusals.ts';
import type { Room, RoomState } from '../room/room.ts';

/** All that the management interface asks of the server. `main` supplies it. */
export interface MiPorts {
  readonly rooms: RoomsView;
  readonly conference: Pick<Conference, 'execute'>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly statistics: Statistics;
  /** imcd's version, `0.1.0`. */
  readonly version: string;
  /** Milliseconds since 1970 when the process started. */
  readonly startedAt: number;
  readonly log: { readonly level: () => LogLevel; readonly setLevel: (level: LogLevel) => void };
  /** A SIP URI that a caller wrote, as a room's. Left: not a SIP URI. */
  readonly parseRoom: (text: string) => Either<string, RoomUri>;
  /** A user as callers write one: URI, `user@domain` or `user`. Left: what is wrong. */
  readonly parseMember: (text: string) => Either<string, MemberUri>;
  /** The one sentence of a refusal. */
  readonly explain: (no: Refusal | Malformed) => string;
  readonly history: HistoryPorts;
  /** Registrations of one user, or of all. */
  readonly bindings: (user?: MemberKey) => Iterable<Contact>;
  /** Facts about the log: where it is, whether it can be reached, how far behind the rooms are. JSON. */
  readonly storeStatus: () => Readonly<Record<string, unknown>>;
  /** Facts about the mirror: where it is, its lag, why it stopped. JSON. */
  readonly mirrorStatus: () => Readonly<Record<string, unknown>>;
}

/** What is read of the rooms. Rooms are live: nothing of one is kept over an await. */
export interface RoomsView {
  readonly size: number;
  /** 2^hash_size. */
  readonly buckets: number;
  readonly get: (key: RoomKey) => Room | undefined;
  readonly all: () => Iterable<Room>;
  /** Revision of the last event applied, of a destroyed room too. */
  readonly revision: (key: RoomKey) => bigint | undefined;
}

/** One contact of a registered user. */
export interface Contact {
  readonly user: MemberUri;
  readonly contact: string;
  /** Milliseconds since 1970. */
  readonly expires: number;
  /** `udp:192.0.2.1:5060`: where it registered from. */
  readonly source: string;
}

/** The log as an auditor reads it. The iterations throw `StoreError`. */
export interface HistoryPorts {
  /** A room's events in order from a revision on. */
  readonly ofRoom: (room: RoomKey, from: bigint) => AsyncIterable<StoredEvent>;
  /** All events that one user did, or had done to them, over all rooms, in log order. */
  readonly ofUser: (user: MemberKey) => AsyncIterable<StoredEvent>;
  /** A room's state by replay: after the event of `revision`, or after the last one not later than `time` (RFC 3339, UTC). */
  readonly stateAt: (
    room: RoomKey,
    at: { readonly revision?: bigint; readonly time?: string },
  ) => Promise<{ readonly revision: bigint | undefined; readonly room: RoomState }>;
}
