import type { Position, StoreFailure, Subscriber, Subscription } from '../../ports/event-store.ts';
import { countFailure, countIn } from '../counters.ts';
import type { EventStoreConnection } from './connection.ts';
import type { EventStoreDbCounters } from './counters.ts';
import { readFailure, troubleOf } from './failures.ts';
import type { WireFollower } from './wire.ts';

/**
 * Subscriptions to all rooms over EventStoreDB: how many there may be, and how each begins and ends.
 * One that ended does not resume by itself; whoever follows begins another from its own position.
 */

/** One subscription a node is the rule; readers of the whole log (verify, rebuild, export) come on top. */
const mostOpen = 16;
const closed: StoreFailure = { kind: 'StoreClosed', message: 'the store is closed' };
const hourMs = 3_600_000;

/** Subscriptions to all rooms, each until its end: it does not outlive the connection that it began on. */
export class Subscriptions {
  readonly #connection: EventStoreConnection;
  readonly #counters: EventStoreDbCounters;
  readonly #open = new Set<RoomsSubscription>();

  constructor(connection: EventStoreConnection, counters: EventStoreDbCounters) {
    this.#connection = connection;
    this.#counters = counters;
  }

  /** As `EventStore.subscribe`. */
  subscribe(after: Position | undefined, subscriber: Subscriber): Subscription {
    this.#counters.operations.subscriptions += 1;
    const one = new RoomsSubscription(this.#connection, this.#counters, subscriber, () => this.#open.delete(one));
    if (this.#open.size >= mostOpen) {
      const message = `more than ${mostOpen} subscriptions to EventStoreDB at once`;
      queueMicrotask(() => one.end({ kind: 'StoreUnavailable', message }));
    } else {
      this.#open.add(one);
      queueMicrotask(() => void one.begin(after));
    }
    return { stop: () => one.stop() };
  }

  close(): void {
    for (const one of [...this.#open]) one.end(closed);
  }
}

class RoomsSubscription {
  readonly #connection: EventStoreConnection;
  readonly #counters: EventStoreDbCounters;
  readonly #subscriber: Subscriber;
  readonly #onStopped: () => void;
  #stopped = false;
  #running: { readonly stop: () => void } | undefined;

  constructor(
    connection: EventStoreConnection,
    counters: EventStoreDbCounters,
    subscriber: Subscriber,
    onStopped: () => void,
  ) {
    this.#connection = connection;
    this.#counters = counters;
    this.#subscriber = subscriber;
    this.#onStopped = onStopped;
  }

  stop(): void {
    this.#stopped = true;
    this.#onStopped();
    this.#running?.stop();
  }

  end(failure: StoreFailure): void {
    if (this.#stopped) return;
    this.stop();
    this.#subscriber.onStopped(countFailure(this.#counters, failure));
  }

  /** While the store is away a new subscription waits for its return rather than for somebody's next try. */
  async begin(after: Position | undefined): Promise<void> {
    const connection = this.#connection;
    while (!this.#stopped && connection.wire() === undefined) {
      if (connection.status().kind === 'closed') return this.end(closed);
      await connection.whenBack(hourMs);
    }
    const wire = connection.wire();
    if (this.#stopped || wire === undefined) return;
    try {
      this.#running = wire.follow(after, this.#follower(connection.generation()));
    } catch (cause) {
      this.end(readFailure(cause));
    }
  }

  #follower(generation: number): WireFollower {
    const subscriber = this.#subscriber;
    return {
      onEvents: subscriber.onEvents,
      onCaughtUp: () => subscriber.onCaughtUp?.(),
      onEnd: (why, cause) => {
        countIn(this.#counters.ended, why === 'broke' ? 'broke' : troubleOf(cause).kind);
        this.end(why === 'broke' ? consumerBroke(cause) : this.#lost(generation, cause));
      },
    };
  }

  #lost(generation: number, cause: unknown): StoreFailure {
    if (troubleOf(cause).kind !== 'refused') this.#connection.lost(generation, cause);
    return this.#connection.status().kind === 'closed' ? closed : readFailure(cause);
  }
}

const consumerBroke = (cause: unknown): StoreFailure => ({
  kind: 'StoreUnavailable',
  message: `a consumer of the log broke: ${cause instanceof Error ? cause.message : String(cause)}`,
  cause,
});
