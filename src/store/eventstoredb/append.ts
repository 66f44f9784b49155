import * as E from 'fp-ts/lib/Either.js';
import { waitAtMost } from '../../bounds/deadline.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  Appended,
  AppendFailure,
  ExpectedRevision,
  NewEvent,
  StoredEvent,
  StoreFailure,
} from '../../ports/event-store.ts';
import { encodeEvent } from '../encode.ts';
import type { Connection } from './connection.ts';
import { troubleOf } from './failures.ts';
import type { Wire, WireEvent } from './wire.ts';

/** What an append came to, where it came to anything for certain. */
export type AppendResult = E.Either<AppendFailure, Appended>;

export interface AppenderOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  /** Milliseconds until an append without an answer counts as unknown. */
  readonly appendMs: number;
  /** Milliseconds in which an unknown outcome is to be settled. */
  readonly settleMs: number;
  /** Reads the events that stand after a revision. */
  readonly readAfter: (
    wire: Wire,
    stream: string,
    after: ExpectedRevision,
    count: number,
  ) => Promise<readonly StoredEvent[]>;
}

export interface AppendCounters {
  /** Appends that wait for an answer, or for the first one after a reconnection. */
  inFlight: number;
  /** Appends whose outcome was unknown at first. */
  unknown: number;
  /** Those of them that were found written, were written by the retry, or were found lost to somebody else. */
  settled: number;
}

/** Most appends in flight. */
const most = 10_000;
/** 1 MiB is the server's own bound of one append; larger ones never leave. */
const mostBytes = 1024 * 1024;

type Attempt =
  | { readonly kind: 'done'; readonly result: AppendResult }
  /** Certainly not written. */
  | { readonly kind: 'not-sent'; readonly message: string; readonly cause?: unknown }
  /** Perhaps written. */
  | { readonly kind: 'unknown'; readonly message: string; readonly cause: unknown };

const encode = (stream: string, events: readonly NewEvent[]): E.Either<StoreFailure, readonly WireEvent[]> => {
  const refuse = (message: string): E.Either<StoreFailure, never> => E.left({ kind: 'StoreRefused', message });
  if (events.length === 0) return refuse(`an append to ${stream} holds no event`);
  const encoded: WireEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    const one = encodeEvent(event);
    if (E.isLeft(one)) return one;
    encoded.push({ type: event.type, ...one.right });
    bytes += Buffer.byteLength(one.right.data) + Buffer.byteLength(one.right.metadata) + event.type.length;
  }
  if (new Set(encoded.map(({ id }) => id)).size < encoded.length)
    return refuse(`an append to ${stream} has one event id twice`);
  if (bytes > mostBytes) return refuse(`an append to ${stream} of ${bytes} bytes is larger than EventStoreDB's 1 MiB`);
  return E.right(encoded);
};

/** Appends with an outcome that is known wherever it can be known. */
export const createAppender = ({ connection, clock, appendMs, settleMs, readAfter }: AppenderOptions) => {
  const counters: AppendCounters = { inFlight: 0, unknown: 0, settled: 0 };
  const idlers: (() => void)[] = [];
  /** The connection whose first append was answered. */
  let proven = 0;
  /** The first append after a (re)connection is awaited alone: the others wait for it, in order, and fail with it. */
  let first: { readonly epoch: number; readonly waiting: ((good: boolean) => void)[] } | undefined;

  const send = async (
    wire: Wire,
    generation: number,
    stream: string,
    expected: ExpectedRevision,
    events: readonly WireEvent[],
  ): Promise<Attempt> => {
    try {
      const answer = await waitAtMost(clock, appendMs, wire.append(stream, expected, events), () => undefined);
      if (answer !== undefined) return { kind: 'done', result: E.right(answer) };
      const message = `EventStoreDB has not answered an append within ${appendMs / 1000} s`;
      const cause = Object.assign(new Error(message), { code: 14 });
      connection.lost(generation, cause);
      return { kind: 'unknown', message, cause };
    } catch (cause) {
      const trouble = troubleOf(cause);
      switch (trouble.kind) {
        case 'wrong-revision':
          return {
            kind: 'done',
            result: E.left({ kind: 'WrongExpectedRevision', stream, expected, actual: trouble.actual }),
          };
        case 'refused':
          return { kind: 'done', result: E.left({ kind: 'StoreRefused', message: trouble.message, cause }) };
        case 'not-now':
          connection.lost(generation, cause);
          return { kind: 'not-sent', message: trouble.message, cause };
        case 'not-leader':
        case 'lost':
          return { kind: 'unknown', message: trouble.message, cause };
      }
    }
  };

  const notSent = (): Attempt => {
    const status = connection.status();
    return { kind: 'not-sent', message: status.kind === 'away' ? status.reason : 'EventStoreDB is not connected' };
  };

  /** One try, behind the first append of this connection. */
  const attempt = async (
    stream: string,
    expected: ExpectedRevision,
    events: readonly WireEvent[],
  ): Promise<Attempt> => {
    const wire = connection.wire();
    const generation = connection.generation();
    const epoch = connection.epoch();
    if (wire === undefined) return notSent();
    const go = (): Promise<Attempt> => send(wire, generation, stream, expected, events);
    if (proven === epoch) return go();
    if (first?.epoch === epoch) {
      const others = first.waiting;
      return new Promise((resolve) => others.push((good) => resolve(good ? go() : notSent())));
    }
    const waiting: ((good: boolean) => void)[] = [];
    const mine = { epoch, waiting };
    first = mine;
    const outcome = await go();
    const good = outcome.kind === 'done' && epoch === connection.epoch();
    if (good) proven = epoch;
    if (first === mine) first = undefined;
    // In the order in which they came, and before anybody else.
    for (const next of waiting) next(good);
    return outcome;
  };

  /**
   * Looks whether the events are there; where they are not and the place is still free, appends them again, which is safe
   * with the same ids and expected revision. Whatever cannot be settled in time stays unknown.
   */
  const settle = async (
    stream: string,
    expected: ExpectedRevision,
    events: readonly WireEvent[],
    unknown: { readonly message: string; readonly cause: unknown },
  ): Promise<AppendResult> => {
    counters.unknown += 1;
    const until = clock.monotonic() + settleMs;
    for (let left = settleMs; left > 0; left = until - clock.monotonic()) {
      if (!(await connection.whenBack(left))) break;
      const wire = connection.wire();
      if (wire === undefined) continue;
      const generation = connection.generation();
      try {
        const there = await readAfter(wire, stream, expected, events.length);
        const last = there[events.length - 1];
        if (last !== undefined && events.every(({ id }, i) => there[i]?.id === id)) {
          counters.settled += 1;
          return E.right({ revision: last.revision, position: last.position });
        }
        const again = await attempt(stream, expected, events);
        if (again.kind === 'done') {
          counters.settled += 1;
          return again.result;
        }
      } catch (cause) {
        if (troubleOf(cause).kind === 'refused') break;
        connection.lost(generation, cause);
      }
      if (clock.monotonic() >= until) break;
      await new Promise<void>((resolve) => void clock.after(20, resolve));
    }
    return E.left({
      kind: 'OutcomeUnknown',
      message: `it is not known whether EventStoreDB has written an append to ${stream}: ${unknown.message}`,
      cause: unknown.cause,
    });
  };

  const append = async (
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ): Promise<AppendResult> => {
    const encoded = encode(stream, events);
    if (E.isLeft(encoded)) return encoded;
    if (connection.status().kind === 'closed') return E.left({ kind: 'StoreClosed', message: 'the store is closed' });
    if (counters.inFlight >= most)
      return E.left({ kind: 'StoreUnavailable', message: `more than ${most} appends wait for EventStoreDB` });
    counters.inFlight += 1;
    try {
      const outcome = await attempt(stream, expected, encoded.right);
      if (outcome.kind === 'done') return outcome.result;
      if (outcome.kind === 'unknown') return await settle(stream, expected, encoded.right, outcome);
      return E.left({ kind: 'StoreUnavailable', message: outcome.message, cause: outcome.cause });
    } finally {
      counters.inFlight -= 1;
      if (counters.inFlight === 0) for (const resolve of idlers.splice(0)) resolve();
    }
  };

  /** Resolves when every append taken so far has its outcome. */
  const idle = (): Promise<void> =>
    counters.inFlight === 0 ? Promise.resolve() : new Promise((resolve) => idlers.push(resolve));

  return { append, counters, idle };
};
