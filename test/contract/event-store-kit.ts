import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import type {
  EventStore,
  NewEvent,
  Position,
  StoredEvent,
  StoreFailure,
  Subscription,
} from '../../src/ports/event-store.ts';
import { roomPrefix } from '../../src/room/stream.ts';

/**
 * A store for one test. Its log may be new, or one that other tests have written to: the suite looks only at streams of its
 * own. Whoever makes it closes it and clears up (`t.after`).
 */
export type MakeStore = (t: TestContext) => Promise<EventStore>;

/** A room's stream that no other test uses. */
export const newStream = (): string => `${roomPrefix}chat-${randomUUID()}@contract.test`;

/** An event as the engine writes it, with `n` in its data. */
export const newEvent = (n: number, more: Readonly<Record<string, unknown>> = {}): NewEvent => ({
  id: randomUUID(),
  type: 'MemberJoined',
  data: { room: 'sip:chat-1@contract.test', member: `sip:user-${n}@contract.test`, n, ...more },
  metadata: {
    $correlationId: `call-${n}`,
    $causationId: `call-${n}`,
    version: 1,
    actor: `sip:user-${n}@contract.test`,
    source: 'udp:192.0.2.1:5060',
    node: 'contract',
    time: '2026-11-23T12:00:00.000Z',
  },
});

export const newEvents = (count: number): NewEvent[] => Array.from({ length: count }, (_, n) => newEvent(n));

/** What the task gave; a failure fails the test with its sentence. */
export const right = <A>(either: Either<{ readonly kind: string }, A>): A => {
  if (E.isRight(either)) return either.right;
  assert.fail(
    `failed: ${JSON.stringify(either.left, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))}`,
  );
};

/** The failure; its kind must be the one named. */
export const left = <L extends { readonly kind: string }, K extends L['kind']>(
  either: Either<L, unknown>,
  kind: K,
): Extract<L, { kind: K }> => {
  assert.ok(E.isLeft(either), `${kind} was to be expected, but it succeeded`);
  const isExpected = (failure: L): failure is Extract<L, { kind: K }> => failure.kind === kind;
  const failure = either.left;
  if (isExpected(failure)) return failure;
  assert.fail(`${kind} was to be expected, but it is ${failure.kind}`);
};

export const all = async (events: AsyncIterable<StoredEvent>): Promise<StoredEvent[]> => {
  const list: StoredEvent[] = [];
  for await (const event of events) list.push(event);
  return list;
};

/** `n` of the event's data. */
export const numberOf = (event: StoredEvent): unknown =>
  typeof event.data === 'object' && event.data !== null && 'n' in event.data ? event.data.n : undefined;

export const numbersOf = (events: readonly StoredEvent[]): unknown[] => events.map(numberOf);

/** The end of the log before a test begins: where its own events start. */
export const endOf = async (store: EventStore): Promise<Position | undefined> => right(await store.end());

/** A subscription whose events a test can wait for. */
export interface Follower {
  /** Events of the streams asked for, in the order they came. */
  readonly events: StoredEvent[];
  /** Sizes of all batches. */
  readonly batches: number[];
  readonly caughtUp: () => number;
  readonly stopped: () => StoreFailure | undefined;
  /** Resolves as soon as it holds; looked at after every callback. */
  readonly until: (holds: () => boolean) => Promise<void>;
  readonly subscription: Subscription;
}

interface FollowOptions {
  readonly after?: Position | undefined;
  readonly streams: readonly string[];
  /** Called with each batch, before it is noted. */
  readonly onEvents?: (events: readonly StoredEvent[]) => void | Promise<void>;
}

export const follow = (store: EventStore, { after, streams, onEvents }: FollowOptions): Follower => {
  const wanted = new Set(streams);
  const events: StoredEvent[] = [];
  const batches: number[] = [];
  const waiting = new Set<() => void>();
  let caughtUp = 0;
  let stopped: StoreFailure | undefined;
  const look = (): void => {
    for (const check of [...waiting]) check();
  };
  const note = (batch: readonly StoredEvent[]): void => {
    batches.push(batch.length);
    events.push(...batch.filter(({ stream }) => wanted.has(stream)));
    look();
  };
  const subscription = store.subscribe(after, {
    onEvents: (batch) => {
      const working = onEvents?.(batch);
      if (working === undefined) return note(batch);
      return working.then(() => note(batch));
    },
    onCaughtUp: () => {
      caughtUp += 1;
      look();
    },
    onStopped: (failure) => {
      stopped = failure;
      look();
    },
  });
  const until = (holds: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (!holds()) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
    });
  return { events, batches, caughtUp: () => caughtUp, stopped: () => stopped, until, subscription };
};
