import { type Backoff, backoff } from '../../bounds/backoff.ts';
import { waitAtMost } from '../../bounds/deadline.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Ids } from '../../ports/ids.ts';
import type { Log } from '../../ports/log.ts';
import { countIn } from '../counters.ts';
import type { EventStoreDbCounters } from './counters.ts';
import { troubleOf } from './failures.ts';
import { Silence } from './recorded.ts';
import type { Wire } from './wire.ts';

/**
 * Whether EventStoreDB is there, and the client to reach it with: the one place where clients are opened and thrown away.
 * All others ask it for the client of now, and tell it when they find that one lost.
 */

/** How the store is at the moment, for /readyz and the log. */
export type ConnectionStatus =
  | { readonly kind: 'connected' }
  /** `since`: milliseconds since 1970. `reason`: a sentence. */
  | { readonly kind: 'away'; readonly since: number; readonly reason: string }
  | { readonly kind: 'closed' };

export interface ConnectionOptions {
  /** `onBroken` is called when the client's stream of appends ends. */
  readonly open: (onBroken: (cause: unknown) => void) => Wire;
  readonly clock: Clock;
  readonly ids: Pick<Ids, 'chance'>;
  readonly log: Log;
  readonly counters: EventStoreDbCounters;
}

/** Between two tries. All resumes within a second of the store's return. */
export const tryAgain: Backoff = { firstMs: 20, mostMs: 500 };
/** How long a try waits for its answer. */
export const probeMs = 2_000;
/** How long `close` waits for the client to let go. */
const closeMs = 1_000;

/** 8, 16, 32, ...: some twenty times in a year of tries. */
const isSeldom = (attempt: number): boolean => attempt >= 8 && (attempt & (attempt - 1)) === 0;

/**
 * One client at a time. A client that has lost its connection is thrown away, because some kinds of loss poison it for ever
 * (a failed discovery is remembered), and others leave it waiting on a peer that does not answer; then a fresh one asks,
 * with bounded exponential back-off, until the store answers.
 */
export class EventStoreConnection {
  readonly #options: ConnectionOptions;
  #wire: Wire;
  #generation = 1;
  #losses = 0;
  #away: { readonly since: number; reason: string } | undefined;
  #closed = false;
  #retry: Timer | undefined;
  readonly #waiting = new Set<(back: boolean) => void>();

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#wire = this.#open();
  }

  /** The client of now; undefined while the store is away. */
  wire(): Wire | undefined {
    return this.#away === undefined && !this.#closed ? this.#wire : undefined;
  }

  /** Counts the clients: an append belongs to one. */
  generation(): number {
    return this.#generation;
  }

  /** Counts connections: rises with each loss too, also where the client stayed because it turned to another node by itself. */
  epoch(): number {
    return this.#generation + this.#losses;
  }

  /** How often the connection was lost. */
  losses(): number {
    return this.#losses;
  }

  status(): ConnectionStatus {
    if (this.#closed) return { kind: 'closed' };
    return this.#away === undefined ? { kind: 'connected' } : { kind: 'away', ...this.#away };
  }

  /** True when the store is there, at once or within `ms`; false when it is not, or when all is closed. */
  whenBack(ms: number): Promise<boolean> {
    if (this.#closed || this.#away === undefined) return Promise.resolve(!this.#closed);
    return new Promise((resolve) => {
      const done = (back: boolean): void => {
        timer.cancel();
        this.#waiting.delete(done);
        resolve(back);
      };
      const timer = this.#options.clock.after(ms, () => done(false));
      this.#waiting.add(done);
    });
  }

  /** Tells that generation's connection is lost; of an older one, it is old news. */
  lost(generation: number, cause: unknown): void {
    if (this.#closed || generation !== this.#generation || this.#away !== undefined) return;
    const { clock, log, counters } = this.#options;
    const trouble = troubleOf(cause);
    const reason = 'message' in trouble ? trouble.message : trouble.kind;
    this.#away = { since: clock.now(), reason };
    this.#losses += 1;
    countIn(counters.lost, trouble.kind);
    log.warn({ trouble: trouble.kind }, `EventStoreDB is away: ${reason}`);
    if (trouble.kind !== 'not-leader') {
      const old = this.#wire;
      this.#replace();
      void this.#letGo(old);
    }
    this.#schedule(0);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#retry?.cancel();
    this.#settle(false);
    await waitAtMost(this.#options.clock, closeMs, this.#letGo(this.#wire), () => {});
  }

  #open(): Wire {
    const mine = this.#generation;
    return this.#options.open((cause) => this.lost(mine, cause));
  }

  #replace(): void {
    this.#generation += 1;
    this.#wire = this.#open();
  }

  async #letGo(old: Wire): Promise<void> {
    try {
      await old.dispose();
    } catch (cause) {
      this.#options.log.debug({ cause: String(cause) }, 'a client of EventStoreDB did not end cleanly');
    }
  }

  #settle(back: boolean): void {
    const resolved = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of resolved) resolve(back);
  }

  #schedule(attempt: number): void {
    const { clock, ids } = this.#options;
    this.#retry = clock.after(backoff(tryAgain, attempt, ids.chance), () => void this.#probe(attempt));
  }

  async #probe(attempt: number): Promise<void> {
    const tried = this.#wire;
    this.#options.counters.tries += 1;
    try {
      await tried.probe(probeMs);
    } catch (cause) {
      if (!this.#closed) this.#stillAway(tried, attempt, cause);
      return;
    }
    if (this.#closed || this.#away === undefined) return;
    const { clock, log } = this.#options;
    log.info({ awayForMs: clock.now() - this.#away.since }, 'EventStoreDB is back');
    this.#away = undefined;
    this.#settle(true);
  }

  #stillAway(tried: Wire, attempt: number, cause: unknown): void {
    const trouble = troubleOf(cause);
    const reason = 'message' in trouble ? trouble.message : trouble.kind;
    if (this.#away !== undefined && this.#away.reason !== reason) {
      this.#options.log.warn({ trouble: trouble.kind }, `EventStoreDB is still away: ${reason}`);
      this.#away.reason = reason;
    }
    // The client has turned to the leader by itself; a new one would turn to the first host again. And one that waits for
    // a silent peer cannot be made to let go of its socket, so new ones are tried ever more seldom.
    if (trouble.kind !== 'not-leader' && (!(cause instanceof Silence) || isSeldom(attempt))) {
      void this.#letGo(tried);
      this.#replace();
    }
    this.#schedule(attempt + 1);
  }
}
