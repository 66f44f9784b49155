import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Clock } from '../ports/clock.ts';
import { type EventStore, type ExpectedRevision, type NewEvent, StoreError } from '../ports/event-store.ts';
import type { Ids } from '../ports/ids.ts';
import { roomKey } from '../room/address.ts';
import { type ImportedEvent, importedBefore, importer, missingEvents, type PastEvent } from '../room/import.ts';
import type { FoundRoom, FoundRooms } from '../room/import-tables.ts';
import { streamOf } from '../room/stream.ts';
import { eventTime } from '../room/time.ts';
import { known } from './history.ts';
import { metadataOf } from './metadata.ts';

export interface ImportPorts {
  readonly store: EventStore;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Pick<Ids, 'uuid'>;
  /** This node's name, for the metadata. */
  readonly node: string;
  readonly onProgress?: (rooms: number, of: number) => void;
}

export interface Imported {
  /** Rooms that were made. */
  readonly rooms: number;
  /** Members and invitations that were made, owners included. */
  readonly members: number;
  /** Rows that are in the log already: from an earlier import, or by themselves. */
  readonly already: number;
  /** What was left alone, and why: a sentence each. */
  readonly left: readonly string[];
}

/** The import could not be done to its end: it may be repeated. `message` is a sentence. */
export interface ImportFailure {
  readonly message: string;
  readonly cause?: unknown;
}

/** Most events in one append: far below what EventStoreDB takes. */
const eventsAtOnce = 500;
/** How often a room is read anew that somebody changes meanwhile. */
const mostTries = 5;

/**
 * Writes what is missing of these rooms: events by the rule of `room/import.ts`, with the row that they came from in their
 * metadata. What the log has already is never changed or made again; so a second run adds nothing, and one after a run that was
 * broken off goes on from there.
 */
export const importRooms =
  (ports: ImportPorts, found: FoundRooms): TE.TaskEither<ImportFailure, Imported> =>
  async () => {
    const run = ports.ids.uuid();
    const left = [...found.left];
    let [rooms, members, already] = [0, 0, 0];
    for (const [n, room] of found.rooms.entries()) {
      const done = await importRoom(ports, run, room)();
      if (E.isLeft(done)) return done;
      const { written, notes } = done.right;
      const entered = written.filter(({ event }) => event.type !== 'RoleChanged').length;
      if (written.some(({ event }) => event.type === 'RoomCreated')) rooms += 1;
      members += entered;
      already += room.members.length - entered;
      left.push(...notes);
      ports.onProgress?.(n + 1, found.rooms.length);
    }
    return E.right({ rooms, members, already, left });
  };

interface RoomDone {
  readonly written: readonly ImportedEvent[];
  readonly notes: readonly string[];
}

/** Where somebody changes the room meanwhile, it is read again, and what is missing then is written. */
const importRoom =
  (ports: ImportPorts, run: string, found: FoundRoom): TE.TaskEither<ImportFailure, RoomDone> =>
  async () => {
    const stream = streamOf(roomKey(found.uri));
    const written: ImportedEvent[] = [];
    for (let tries = 0; tries < mostTries; tries += 1) {
      const past = await pastOf(ports.store, stream)();
      if (E.isLeft(past)) return past;
      const { events, notes } = missingEvents(found, importedBefore(past.right.events));
      const appended = await append(ports, run, stream, past.right.expected, events)();
      if (E.isLeft(appended)) return appended;
      written.push(...events.slice(0, appended.right));
      if (appended.right === events.length) return E.right({ written, notes });
    }
    return E.left({ message: `${found.uri} is being changed all the time; repeat the import.` });
  };

interface Past {
  readonly events: readonly PastEvent[];
  readonly expected: ExpectedRevision;
}

const pastOf = (store: EventStore, stream: string): TE.TaskEither<ImportFailure, Past> =>
  TE.tryCatch(async () => {
    const events: PastEvent[] = [];
    let expected: ExpectedRevision = 'no_stream';
    for await (const stored of store.readStream(stream)) {
      events.push({ event: known(stored), time: stored.time, origins: originsIn(stored.metadata) });
      expected = stored.revision;
    }
    return { events, expected };
  }, storeFailure);

const storeFailure = (error: unknown): ImportFailure => {
  if (error instanceof StoreError) return error.failure;
  throw error;
};

/** An event that stands for several rows has one a line. */
const originsIn = (metadata: unknown): readonly string[] =>
  typeof metadata === 'object' && metadata !== null && 'origin' in metadata ? String(metadata.origin).split('\n') : [];

/** @returns how many were written before somebody else changed the room: all of them, if nobody did */
const append =
  (
    { store, ids, clock, node }: ImportPorts,
    run: string,
    stream: string,
    expected: ExpectedRevision,
    events: readonly ImportedEvent[],
  ): TE.TaskEither<ImportFailure, number> =>
  async () => {
    const time = eventTime(clock.now());
    const stored = ({ event, origin }: ImportedEvent): NewEvent => {
      const from = { source: 'import', correlationId: run, importedFrom: origin };
      return {
        id: ids.uuid(),
        ...event,
        metadata: metadataOf(from, { type: event.type, actor: importer, node, time }),
      };
    };
    let revision = expected;
    for (let n = 0; n < events.length; n += eventsAtOnce) {
      const some = events.slice(n, n + eventsAtOnce).map(stored);
      const appended = await store.append(stream, revision, some)();
      if (E.isRight(appended)) revision = appended.right.revision;
      else if (appended.left.kind === 'WrongExpectedRevision') return E.right(n);
      else return E.left({ message: `${stream}: ${appended.left.message}`, cause: appended.left });
    }
    return E.right(events.length);
  };
