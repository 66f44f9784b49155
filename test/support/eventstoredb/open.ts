import { randomUUID } from 'node:crypto';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NewEvent, StoredEvent, StoreFailure } from '../../../src/ports/event-store.ts';
import { roomPrefix } from '../../../src/room/stream.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { randomIds } from '../../../src/runtime/ids.ts';
import { type EventStoreDbOptions, openEventStoreDb } from '../../../src/store/eventstoredb/open.ts';
import type { EventStoreDb } from '../../../src/store/eventstoredb/store.ts';
import { atEnd } from '../at-end.ts';
import { eventStoreDbAt } from '../urls.ts';
import { quiet } from '../world.ts';

type OpenOptions = Omit<EventStoreDbOptions, 'server'> & {
  /** Of the user whom the URL names without one. */
  readonly password: string;
};

/** Opens the adapter on a server, with times for tests. Throws where it does not open. */
export const openOn = async (url: string, options: Partial<OpenOptions> = {}): Promise<EventStoreDb> => {
  const opened = await tryOpen(url, options);
  if (E.isLeft(opened)) throw new Error(opened.left.message, { cause: opened.left });
  atEnd(() => opened.right.close());
  return opened.right;
};

export const tryOpen = (
  url: string,
  { password, ...options }: Partial<OpenOptions> = {},
): Promise<E.Either<StoreFailure, EventStoreDb>> =>
  pipe(
    TE.fromEither(eventStoreDbAt(url, password)),
    TE.chain((server) =>
      openEventStoreDb({
        server,
        clock: systemClock,
        ids: randomIds(),
        log: quiet,
        ...options,
        times: { openMs: 1_000, ...options.times },
      }),
    ),
  )();

/** An event for a room's stream, as imcd writes them. */
export const anEvent = (n = 0): NewEvent => ({
  id: randomUUID(),
  type: 'MemberJoined',
  data: { room: 'sip:chat-1@example.org', member: `sip:user${n}@example.org` },
  metadata: {
    time: '2026-01-01T00:00:00.000Z',
    version: 1,
    actor: `sip:user${n}@example.org`,
    source: 'test',
    node: 'test',
    $correlationId: `call-${n}`,
    $causationId: `call-${n}`,
  },
});

/** A room's stream of its own, so that tests may share a server. */
export const aStream = (): string => `${roomPrefix}chat-${randomUUID()}@example.org`;

/** All of an async iteration. */
export const all = async <A>(items: AsyncIterable<A>): Promise<A[]> => {
  const taken: A[] = [];
  for await (const item of items) taken.push(item);
  return taken;
};

/** Ids of a stream's events. */
export const idsOf = async (store: EventStoreDb, stream: string): Promise<string[]> =>
  (await all<StoredEvent>(store.readStream(stream))).map(({ id }) => id);
