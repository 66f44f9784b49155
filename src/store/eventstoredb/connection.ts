import { type Backoff, backoff } from '../../bounds/backoff.ts';
import { waitAtMost } from '../../bounds/deadline.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Ids } from '../../ports/ids.ts';
import type { Log } from '../../ports/log.ts';
import { troubleOf } from './failures.ts';
import { Silence } from './reading.ts';
import type { Wire } from './wire.ts';

/** How the store is at the moment, for /readyz and the log. */
export type ConnectionStatus =
  | { readonly kind: 'connected' }
  /** `since`: milliseconds since 1970. `reason`: a sentence. */
  | { readonly kind: 'away'; readonly since: number; readonly reason: string }
  | { readonly kind: 'closed' };

/**
 * One client at a time. A client that has lost its connection is thrown away, because some kinds of loss poison it for ever
 * (a failed discovery is remembered), and others leave it waiting on a peer that does not answer; then a fresh one asks,
 * with bounded exponential back-off, until the store answers.
 */
export interface Connection {
  /** The client of now; undefined while the store is away. */
  readonly wire: () => Wire | undefined;
  /** Counts the clients: an append belongs to one. */
  readonly generation: () => number;
  /** Counts connections: rises with each loss too, also where the client stayed because it turned to another node by itself. */
  readonly epoch: () => number;
  readonly status: () => ConnectionStatus;
  /** True when the store is there, at once or within `ms`; false when it is not, or when all is closed. */
  readonly whenBack: (ms: number) => Promise<boolean>;
  /** Tells that generation's connection is lost; of an older one, it is old news. */
  readonly lost: (generation: number, cause: unknown) => void;
  /** How often the connection was lost. */
  readonly losses: () => number;
  readonly close: () => Promise<void>;
}

export interface ConnectionOptions {
  /** `onBroken` is called when the client's stream of appends ends. */
  readonly open: (onBroken: (cause: unknown) => void) => Wire;
  readonly clock: Clock;
  readonly ids: Pick<Ids, 'chance'>;
  readonly log: Log;
}

/** Between two tries. All resumes within a second of the store's return. */
export const tryAgain: Backoff = { firstMs: 20, mostMs: 500 };
/** How long a try waits for its answer. */
export const probeMs = 2_000;
/** How long `close` waits for the client to let go. */
const closeMs = 1_000;

/** 8, 16, 32, ...: some twenty times in a year of tries. */
const isSeldom = (attempt: number): boolean => attempt >= 8 && (attempt & (attempt - 1)) === 0;

export const createConnection = ({ open, clock, ids, log }: ConnectionOptions): Connection => {
  let generation = 0;
  let losses = 0;
  let wire: Wire;
  let away: { readonly since: number; reason: string } | undefined;
  let closed = false;
  let retry: { readonly cancel: () => void } | undefined;
  const waiting = new Set<(back: boolean) => void>();

  const replace = (): void => {
    generation += 1;
    const mine = generation;
    wire = open((cause) => lost(mine, cause));
  };

  const letGo = (old: Wire): Promise<void> =>
    old.dispose().catch((cause: unknown) => {
      log.debug({ cause: String(cause) }, 'a client of EventStoreDB did not end cleanly');
    });

  const settle = (back: boolean): void => {
    const resolved = [...waiting];
    waiting.clear();
    for (const resolve of resolved) resolve(back);
  };

  const probe = async (attempt: number): Promise<void> => {
    const tried = wire;
    try {
      await tried.probe(probeMs);
    } catch (cause) {
      if (closed) return;
      const trouble = troubleOf(cause);
      const reason = 'message' in trouble ? trouble.message : trouble.kind;
      if (away !== undefined && away.reason !== reason) {
        log.warn({ trouble: trouble.kind }, `EventStoreDB is still away: ${reason}`);
        away.reason = reason;
      }
      // The client has turned to the leader by itself; a new one would turn to the first host again. And one that waits for
      // a silent peer cannot be made to let go of its socket, so new ones are tried ever more seldom.
      if (trouble.kind !== 'not-leader' && (!(cause instanceof Silence) || isSeldom(attempt))) {
        void letGo(tried);
        replace();
      }
      schedule(attempt + 1);
      return;
    }
    if (closed || away === undefined) return;
    log.info({ awayForMs: clock.now() - away.since }, 'EventStoreDB is back');
    away = undefined;
    settle(true);
  };

  const schedule = (attempt: number): void => {
    retry = clock.after(backoff(tryAgain, attempt, ids.chance), () => void probe(attempt));
  };

  const lost = (of: number, cause: unknown): void => {
    if (closed || of !== generation || away !== undefined) return;
    const trouble = troubleOf(cause);
    const reason = 'message' in trouble ? trouble.message : trouble.kind;
    away = { since: clock.now(), reason };
    losses += 1;
    log.warn({ trouble: trouble.kind }, `EventStoreDB is away: ${reason}`);
    if (trouble.kind !== 'not-leader') {
      const old = wire;
      replace();
      void letGo(old);
    }
    schedule(0);
  };

  replace();
  return {
    wire: () => (away === undefined && !closed ? wire : undefined),
    generation: () => generation,
    epoch: () => generation + losses,
    losses: () => losses,
    status: () =>
      closed ? { kind: 'closed' } : away === undefined ? { kind: 'connected' } : { kind: 'away', ...away },
    whenBack: (ms) => {
      if (closed || away === undefined) return Promise.resolve(!closed);
      return new Promise((resolve) => {
        const done = (back: boolean): void => {
          timer.cancel();
          waiting.delete(done);
          resolve(back);
        };
        const timer = clock.after(ms, () => done(false));
        waiting.add(done);
      });
    },
    lost,
    close: async () => {
      if (closed) return;
      closed = true;
      retry?.cancel();
      settle(false);
      await waitAtMost(clock, closeMs, letGo(wire), () => {});
    },
  };
};
