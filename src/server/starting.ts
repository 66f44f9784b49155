import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Config } from '../config/config.ts';
import type { Clock } from '../ports/clock.ts';
import type { Courier } from '../ports/courier.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { Ids } from '../ports/ids.ts';
import type { RunningLog } from '../runtime/log.ts';
import type { Closers } from './closers.ts';

/** What is around a server besides its configuration. */
export interface World {
  readonly log: RunningLog;
  /** Default: the system's. */
  readonly clock?: Clock;
  readonly ids?: Ids;
  /** Stand between the engine and its store or courier: tests kill the process there. */
  readonly wrapStore?: (store: EventStore) => EventStore;
  readonly wrapCourier?: (courier: Courier) => Courier;
  /** Called while the log is replayed, with the events read so far. */
  readonly onProgress?: (events: number) => void;
}

/** What every step of a start has at hand. A step registers what it opens with `closers`, as soon as it is open. */
export interface Starting extends Required<Pick<World, 'log' | 'clock' | 'ids'>> {
  readonly config: Config;
  readonly world: World;
  readonly closers: Closers;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

/** Why a server cannot start; `message` is a sentence for people. The one error channel of all steps. */
export interface StartFailure {
  readonly message: string;
  readonly cause?: unknown;
}

/** What a step makes. */
export type Step<A> = TE.TaskEither<StartFailure, A>;

/** A step whose work says by throwing a sentence that it cannot be done: a port that is taken, a file that cannot be read. */
export const attempt = <A>(work: () => A | Promise<A>): Step<A> =>
  TE.tryCatch(
    async () => work(),
    (cause) => ({ message: cause instanceof Error ? cause.message : String(cause), cause }),
  );
