import * as E from 'fp-ts/lib/Either.js';
import { deadlineIn } from '../../bounds/deadline.ts';
import type { ExpectedRevision, NewEvent, StoredEvent, StoreFailure } from '../../ports/event-store.ts';
import { countOutcome } from '../counters.ts';
import { type EncodedEvent, encodeEvents } from '../encode.ts';
import { type AppendResult, type AttemptOptions, Attempts, type UnknownAttempt } from './attempt.ts';
import type { EventStoreDbCounters } from './counters.ts';
import { troubleOf } from './failures.ts';
import type { Wire, WireAppend } from './wire.ts';

/**
 * Appends to EventStoreDB as the port wants them: bounded, counted, and with an outcome that is known wherever it can be known.
 * What one try comes to is `attempt.ts`' affair; here it is settled what a try left unknown.
 */

export interface AppenderOptions extends AttemptOptions {
  /** Milliseconds in which an unknown outcome is to be settled. */
  readonly settleMs: number;
  readonly counters: EventStoreDbCounters;
  /** Reads the events that stand after a revision. */
  readonly readAfter: (
    wire: Wire,
    stream: string,
    after: ExpectedRevision,
    count: number,
  ) => Promise<readonly StoredEvent[]>;
}

/** Most appends in flight. */
const most = 10_000;
/** 1 MiB is the server's own bound of one append; larger ones never leave. */
const mostBytes = 1024 * 1024;
/** Milliseconds between two looks at an append whose outcome is unknown. */
const lookAgainMs = 20;

/**
 * Appends with an outcome that is known wherever it can be known. One that is unknown is looked for in its stream, and, where
 * it is not there and the place is still free, appended again: safe with the same ids and expected revision.
 */
export class Appender {
  readonly #options: AppenderOptions;
  readonly #attempts: Attempts;
  readonly #idlers: (() => void)[] = [];
  #inFlight = 0;

  constructor(options: AppenderOptions) {
    this.#options = options;
    this.#attempts = new Attempts(options);
  }

  /** As `EventStore.append`. */
  async append(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Promise<AppendResult> {
    const { counters } = this.#options;
    counters.operations.appends += 1;
    const encoded = this.#taken(stream, events);
    if (E.isLeft(encoded)) return countOutcome(counters, encoded);
    this.#inFlight += 1;
    try {
      const outcome = await this.#bring({ stream, expected, events: encoded.right });
      if (E.isRight(outcome)) counters.operations.events += events.length;
      return countOutcome(counters, outcome);
    } finally {
      this.#inFlight -= 1;
      if (this.#inFlight === 0) for (const resolve of this.#idlers.splice(0)) resolve();
    }
  }

  /** Appends that wait for an answer, or for the first one after a reconnection. */
  get pending(): number {
    return this.#inFlight;
  }

  /** Resolves when every append taken so far has its outcome. */
  idle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idlers.push(resolve));
  }

  /** What may leave; it has not left yet. */
  #taken(stream: string, events: readonly NewEvent[]): E.Either<StoreFailure, readonly EncodedEvent[]> {
    const encoded = encode(stream, events);
    if (E.isLeft(encoded)) return encoded;
    if (this.#options.connection.status().kind === 'closed')
      return E.left({ kind: 'StoreClosed', message: 'the store is closed' });
    if (this.#inFlight >= most)
      return E.left({ kind: 'StoreUnavailable', message: `more than ${most} appends wait for EventStoreDB` });
    return encoded;
  }

  async #bring(append: WireAppend): Promise<AppendResult> {
    const outcome = await this.#attempts.make(append);
    switch (outcome.kind) {
      case 'done':
        return outcome.result;
      case 'unknown':
        return this.#settle(append, outcome);
      case 'not-sent':
        return E.left({ kind: 'StoreUnavailable', message: outcome.message, cause: outcome.cause });
    }
  }

  /** Looks and repeats until it is known; what cannot be settled in time stays unknown. */
  async #settle(append: WireAppend, unknown: UnknownAttempt): Promise<AppendResult> {
    const { connection, clock, settleMs, counters } = this.#options;
    counters.unknown += 1;
    const deadline = deadlineIn(clock, settleMs);
    while (deadline.left() > 0) {
      if (!(await connection.whenBack(deadline.left()))) break;
      const wire = connection.wire();
      if (wire === undefined) continue;
      const generation = connection.generation();
      try {
        const result = (await this.#found(wire, append)) ?? (await this.#repeated(append));
        if (result !== undefined) {
          counters.settled += 1;
          return result;
        }
      } catch (cause) {
        if (troubleOf(cause).kind === 'refused') break;
        connection.lost(generation, cause);
      }
      if (deadline.left() === 0) break;
      await new Promise<void>((resolve) => void clock.after(lookAgainMs, resolve));
    }
    return E.left({
      kind: 'OutcomeUnknown',
      message: `it is not known whether EventStoreDB has written an append to ${append.stream}: ${unknown.message}`,
      cause: unknown.cause,
    });
  }

  /** The result of an append whose events are there. Rejects as the client does. */
  async #found(wire: Wire, { stream, expected, events }: WireAppend): Promise<AppendResult | undefined> {
    const there = await this.#options.readAfter(wire, stream, expected, events.length);
    const last = there[events.length - 1];
    if (last === undefined || !events.every(({ id }, i) => there[i]?.id === id)) return undefined;
    return E.right({ revision: last.revision, position: last.position });
  }

  /** The result of a second try; undefined where that is not known either. */
  async #repeated(append: WireAppend): Promise<AppendResult | undefined> {
    const again = await this.#attempts.make(append);
    return again.kind === 'done' ? again.result : undefined;
  }
}

/** As `encodeEvents`, within the server's bound. */
const encode = (stream: string, events: readonly NewEvent[]): E.Either<StoreFailure, readonly EncodedEvent[]> => {
  const encoded = encodeEvents(stream, events);
  if (E.isLeft(encoded)) return encoded;
  let bytes = 0;
  for (const { type, data, metadata } of encoded.right)
    bytes += Buffer.byteLength(data) + Buffer.byteLength(metadata) + type.length;
  if (bytes <= mostBytes) return encoded;
  const message = `an append to ${stream} of ${bytes} bytes is larger than EventStoreDB's 1 MiB`;
  return E.left({ kind: 'StoreRefused', message });
};
