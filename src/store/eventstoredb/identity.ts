import * as E from 'fp-ts/lib/Either.js';
import type { Clock } from '../../ports/clock.ts';
import { type EventStore, StoreError, type StoreFailure } from '../../ports/event-store.ts';
import type { Ids } from '../../ports/ids.ts';
import { eventTime } from '../../room/time.ts';
import type { Appender } from './append.ts';
import { identityStream } from './wire.ts';

/**
 * The log's identity in EventStoreDB, by which checkpoints, snapshots and mirrors know that they belong to it.
 * Found, or made by whoever comes first.
 */

const identityType = 'LogCreated';

/**
 * The log's identity: a UUID in the first event of a stream of its own, written by whoever comes first, so that every node
 * of a cluster finds the same one, and another database has another one.
 */
export const createIdentity = (
  readStream: EventStore['readStream'],
  append: Appender['append'],
  ids: Pick<Ids, 'uuid'>,
  clock: Clock,
): (() => Promise<string>) => {
  let known: string | undefined;

  const find = async (): Promise<string | undefined> => {
    for await (const { type, data } of readStream(identityStream, { limit: 1 })) {
      const identity = typeof data === 'object' && data !== null && 'identity' in data ? data.identity : undefined;
      if (type === identityType && typeof identity === 'string') return identity;
      const message = `stream ${identityStream} holds something else than the identity of a log of imcd`;
      throw new StoreError({ kind: 'StoreDamaged', message });
    }
    return undefined;
  };

  const make = async (): Promise<string | undefined> => {
    const identity = ids.uuid();
    const metadata = { time: eventTime(clock.now()) };
    const appended = await append(identityStream, 'no_stream', [
      { id: ids.uuid(), type: identityType, data: { identity }, metadata },
    ]);
    if (E.isRight(appended)) return identity;
    if (appended.left.kind === 'WrongExpectedRevision') return find();
    throw new StoreError(appended.left);
  };

  return async () => {
    known ??= (await find()) ?? (await make());
    if (known === undefined) throw new StoreError(lost);
    return known;
  };
};

const lost: StoreFailure = {
  kind: 'StoreDamaged',
  message: `stream ${identityStream}, which holds the log's identity, was deleted; it must never be`,
};
