import * as E from 'fp-ts/lib/Either.js';
import { waitAtMost } from '../../bounds/deadline.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Appended, AppendFailure } from '../../ports/event-store.ts';
import type { EventStoreConnection } from './connection.ts';
import { troubleOf } from './failures.ts';
import { broken } from './recorded.ts';
import type { Wire, WireAppend } from './wire.ts';

/**
 * One try of an append, and what it came to: written, refused, certainly not written, or unknown.
 * Holds the others back while the first append of a new connection is on its way.
 */

/** What an append came to, where it came to anything for certain. */
export type AppendResult = E.Either<AppendFailure, Appended>;

/** What one try of an append came to. */
export type Attempt =
  | { readonly kind: 'done'; readonly result: AppendResult }
  /** Certainly not written. */
  | { readonly kind: 'not-sent'; readonly message: string; readonly cause?: unknown }
  | UnknownAttempt;

/** Perhaps written. */
export interface UnknownAttempt {
  readonly kind: 'unknown';
  readonly message: string;
  readonly cause: unknown;
}

export interface AttemptOptions {
  readonly connection: EventStoreConnection;
  readonly clock: Clock;
  /** Milliseconds until an append without an answer counts as unknown. */
  readonly appendMs: number;
}

/**
 * Single tries of appends. The first one after a (re)connection is awaited alone: the others wait for it, in order, and fail
 * with it, so that a connection that does not work leaves one append unknown and not hundreds.
 */
export class Attempts {
  readonly #options: AttemptOptions;
  /** The epoch of the connection whose first append was answered. */
  #proven = 0;
  #first: { readonly epoch: number; readonly waiting: ((good: boolean) => void)[] } | undefined;

  constructor(options: AttemptOptions) {
    this.#options = options;
  }

  /** One try, behind the first append of this connection. */
  async make(append: WireAppend): Promise<Attempt> {
    const { connection } = this.#options;
    const wire = connection.wire();
    const generation = connection.generation();
    const epoch = connection.epoch();
    if (wire === undefined) return this.#notSent();
    const go = (): Promise<Attempt> => this.#send(wire, generation, append);
    if (this.#proven === epoch) return go();
    if (this.#first?.epoch !== epoch) return this.#goFirst(epoch, go);
    const { waiting } = this.#first;
    return new Promise((resolve) => waiting.push((good) => resolve(good ? go() : this.#notSent())));
  }

  async #goFirst(epoch: number, go: () => Promise<Attempt>): Promise<Attempt> {
    const waiting: ((good: boolean) => void)[] = [];
    const mine = { epoch, waiting };
    this.#first = mine;
    const outcome = await go();
    const good = outcome.kind === 'done' && epoch === this.#options.connection.epoch();
    if (good) this.#proven = epoch;
    if (this.#first === mine) this.#first = undefined;
    // In the order in which they came, and before anybody else.
    for (const next of waiting) next(good);
    return outcome;
  }

  async #send(wire: Wire, generation: number, append: WireAppend): Promise<Attempt> {
    const { connection, clock, appendMs } = this.#options;
    try {
      const answer = await waitAtMost(clock, appendMs, wire.append(append), () => undefined);
      if (answer !== undefined) return { kind: 'done', result: E.right(answer) };
    } catch (cause) {
      return this.#refused(generation, append, cause);
    }
    const message = `EventStoreDB has not answered an append within ${appendMs / 1000} s`;
    const cause = broken(message);
    connection.lost(generation, cause);
    return { kind: 'unknown', message, cause };
  }

  #refused(generation: number, { stream, expected }: WireAppend, cause: unknown): Attempt {
    const trouble = troubleOf(cause);
    switch (trouble.kind) {
      case 'wrong-revision': {
        const { actual } = trouble;
        return { kind: 'done', result: E.left({ kind: 'WrongExpectedRevision', stream, expected, actual }) };
      }
      case 'refused':
        return { kind: 'done', result: E.left({ kind: 'StoreRefused', message: trouble.message, cause }) };
      case 'not-now':
        this.#options.connection.lost(generation, cause);
        return { kind: 'not-sent', message: trouble.message, cause };
      case 'not-leader':
      case 'lost':
        return { kind: 'unknown', message: trouble.message, cause };
    }
  }

  #notSent(): Attempt {
    const status = this.#options.connection.status();
    return { kind: 'not-sent', message: status.kind === 'away' ? status.reason : 'EventStoreDB is not connected' };
  }
}
