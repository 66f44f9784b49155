import * as E from 'fp-ts/lib/Either.js';
import { BoundedMap } from '../bounds/bounded-map.ts';
import type { EventStore, NewEvent, StoreFailure } from '../ports/event-store.ts';
import type { Ids } from '../ports/ids.ts';
import type { RoomKey } from '../room/address.ts';
import type { EventMetadata } from '../room/metadata.ts';
import { transcriptOf } from '../room/stream.ts';
import type { MessageSent } from '../room/transcript.ts';
import { mostRaces } from './handle-command.ts';
import { batchSize, createMailboxes, type Mailboxes } from './mailbox.ts';

/** A chat message to be recorded. `settle` is called once: undefined when it is durable. */
export interface Recording {
  readonly message: MessageSent;
  readonly metadata: EventMetadata;
  readonly settle: (failure: StoreFailure | undefined) => void;
}

/** Most room transcripts whose last revision is kept; it is read again where it is not. */
const mostRevisions = 10_000;

/** Writes recorded messages, in each room in the order of their arrival, many with one write. */
export const createTranscripts = (store: EventStore, ids: Ids, most: number): Mailboxes<RoomKey, Recording> => {
  const revisions = new BoundedMap<RoomKey, bigint>(mostRevisions);

  const write = async (key: RoomKey, events: readonly NewEvent[]): Promise<StoreFailure | undefined> => {
    const stream = transcriptOf(key);
    for (let tries = 0; tries < mostRaces; tries += 1) {
      let known = revisions.get(key);
      if (known === undefined) {
        const last = await store.lastRevision(stream)();
        if (E.isLeft(last)) return last.left;
        known = last.right;
      }
      const appended = await store.append(stream, known ?? 'no_stream', events)();
      if (E.isRight(appended)) {
        revisions.set(key, appended.right.revision);
        return undefined;
      }
      revisions.delete(key);
      if (appended.left.kind !== 'WrongExpectedRevision') return appended.left;
    }
    return {
      kind: 'StoreUnavailable',
      message: `the transcript ${stream} is written by so many nodes that this one found no place`,
    };
  };

  return createMailboxes({
    most,
    batch: batchSize,
    work: async (key, recordings) => {
      const events = recordings.map(({ message, metadata }) => ({ id: ids.uuid(), ...message, metadata }));
      const failure = await write(key, events);
      for (const { settle } of recordings) settle(failure);
    },
  });
};
