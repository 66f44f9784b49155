import type { EngineCounters } from '../engine/counters.ts';
import type { RoomsView } from '../mi/ports.ts';

type Numbers = Readonly<Record<string, number>>;

/**
 * The components' counters, as `/metrics` and the statistics read them when they are asked: plain records that the
 * components mutate. Structural, because adapters do not import each other. What is absent is not shown.
 */
export interface MetricSources {
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly rooms: RoomsView;
  readonly engine?: { readonly counters: EngineCounters; readonly queued: () => number };
  readonly sip?: SipSource;
  readonly log?: LogSource;
  readonly mirror?: MirrorSource;
  readonly mi?: MiSource;
}

export interface SipSource {
  readonly counters: {
    readonly malformed: number;
    readonly garbage: number;
    readonly keepAlives: number;
    readonly defects: number;
    readonly server: {
      readonly requests: number;
      readonly retransmissions: number;
      readonly absorbed: number;
      readonly merged: number;
      readonly overflows: number;
      readonly unsent: number;
      readonly tooLate: number;
      /** By `METHOD STATUS`. */
      readonly answers: Numbers;
    };
    readonly client: {
      readonly timeouts: number;
      readonly retransmissions: number;
      readonly overflows: number;
      readonly strayResponses: number;
    };
    readonly fanOut: {
      readonly copies: number;
      readonly delivered: number;
      readonly failures: Numbers;
      readonly largeOverTcp: number;
      readonly largeOverUdp: number;
      readonly repetitionsSpared: number;
    };
    readonly location: { readonly bindings: number; readonly expired: number; readonly failures: number };
    readonly transports: Readonly<
      Record<
        string,
        {
          readonly received: number;
          readonly sent: number;
          readonly dropped: Numbers;
          readonly failures: Numbers;
          readonly connections: number;
        }
      >
    >;
  };
  readonly depths: () => {
    readonly serverPending: number;
    readonly serverKept: number;
    readonly clientPending: number;
  };
  /** Copies that wait for a window of their destination. */
  readonly copiesQueued: () => number;
}

/** The log, as the rooms follow it. */
export interface LogSource {
  /** Seconds for which the log has not been followed; 0 while it is. */
  readonly lagSeconds: () => number;
  /** The store's own counters, by name; shown as `imcd_store_NAME_total`'s label. */
  readonly counters?: Numbers;
  readonly linesDropped?: () => number;
}

export interface MirrorSource {
  readonly counters: {
    readonly eventsWritten: number;
    readonly retries: number;
    readonly connectionsLost: number;
    readonly missingRows: number;
    readonly stops: number;
  };
  readonly status: () => { readonly lagSeconds: number; readonly pendingEvents: number };
}

export interface MiSource {
  readonly calls: Numbers;
  readonly errors: Numbers;
  /** Counters of the HTTP, FIFO and datagram fronts by name: `wrongTokens`, `refusedConnections`, ... */
  readonly fronts: () => Numbers;
}

/** What is counted over all rooms, in slices: 100,000 rooms of 10 are 1,000,000 members. */
export interface Census {
  readonly members: number;
  readonly invitations: number;
}

const sliceOf = 20_000;

/** Counts members and invited ones; the event loop gets its turn every 20,000. */
export const census = async (rooms: RoomsView): Promise<Census> => {
  let members = 0;
  let invitations = 0;
  let slice = 0;
  for (const room of rooms.all()) {
    for (const { role } of room.members.values()) {
      if (role === 'invited') invitations += 1;
      else members += 1;
    }
    slice += room.members.size;
    if (slice < sliceOf) continue;
    slice = 0;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return { members, invitations };
};
