import type { Clock } from '../../ports/clock.ts';
import type { StoredEvent } from '../../ports/event-store.ts';
import { timeIn } from '../../room/metadata.ts';
import { positionOf } from './wire.ts';

/**
 * Events as the client gives them, single ones and pages, and how a page is waited for.
 * The shapes are the client's own; only what is used of them is named.
 */

/** A recorded event as the client gives it. */
export interface RecordedEvent {
  readonly id: string;
  readonly streamId: string;
  readonly revision: bigint;
  readonly type: string;
  readonly data: unknown;
  readonly metadata?: unknown;
  readonly position?: { readonly commit: bigint; readonly prepare: bigint };
}

export const stored = (event: RecordedEvent): StoredEvent => ({
  id: event.id,
  stream: event.streamId,
  revision: event.revision,
  position: positionOf(event.position?.commit ?? 0n, event.position?.prepare ?? 0n),
  type: event.type,
  time: timeIn(event.metadata),
  data: event.data,
  metadata: event.metadata,
});

/** What `readStream` and `readAll` of the client give: a stream of resolved events. */
export interface ResolvedEvents {
  on(event: 'data', listener: (value: { readonly event?: RecordedEvent }) => void): unknown;
  on(event: 'error', listener: (cause: Error) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  cancel(): Promise<void>;
}

/** An error as gRPC has it for a connection that is gone. */
export const broken = (message: string): Error => Object.assign(new Error(message), { code: 14 });

/** A peer that takes connections and does not answer. */
export class Silence extends Error {
  readonly code = 14;
}

/** Reads a page to its end, or gives up after `ms`. */
export const collect = (page: ResolvedEvents, clock: Clock, ms: number): Promise<StoredEvent[]> =>
  new Promise((resolve, reject) => {
    const events: StoredEvent[] = [];
    const timer = clock.after(ms, () => {
      page.cancel().catch(() => {}); // Of a call that could not be opened: its own error says why.
      reject(new Silence(`no answer to a read within ${ms / 1000} s`));
    });
    page.on('data', ({ event }) => {
      if (event !== undefined) events.push(stored(event));
    });
    page.on('error', (cause) => {
      timer.cancel();
      reject(cause);
    });
    page.on('end', () => {
      timer.cancel();
      resolve(events);
    });
  });

/** A stream that was never written to, or was soft-deleted. */
export const isStreamNotFound = (cause: unknown): boolean =>
  typeof cause === 'object' && cause !== null && 'type' in cause && cause.type === 'stream-not-found';
