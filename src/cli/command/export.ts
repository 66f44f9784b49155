import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { EventStore, Position, StoredEvent } from '../../ports/event-store.ts';
import type { RoomKey } from '../../room/address.ts';
import { roomOfStream, transcriptOf } from '../../room/stream.ts';
import { because, type CliTask, readingLog, wrongUsage } from '../cli-error.ts';
import type { Invocation, Run } from '../invocation.ts';
import { optional, positionArgument } from '../read/filters.ts';
import { withReader } from '../read/open-log.ts';
import { withProgress } from '../terminal/progress.ts';

/**
 * `imcd export`: the log as NDJSON, rooms in the order of the log, then recorded messages by room. A line holds all that an
 * append needs, so that `--restore` brings the same events under the same ids.
 */
export const run: Run = (invocation) => {
  const { restore: file, since } = invocation.options;
  if (file === undefined) return exportLog(invocation);
  if (since !== undefined)
    return TE.left(wrongUsage('--since is for writing, --restore for reading: only one of them'));
  return pipe(
    TE.fromTask(() => import('./restore.ts')),
    TE.chain(({ restore }) => restore(String(file), invocation)),
  );
};

const exportLog = (invocation: Invocation): CliTask<number> =>
  pipe(
    invocation.config,
    TE.chain((config) =>
      withReader(config, (store) =>
        pipe(
          optional(positionArgument(store, 'since'))(invocation.options.since),
          TE.fromEither,
          TE.chain((since) => write(store, since, invocation)),
        ),
      ),
    ),
  );

const write = (store: EventStore, since: Position | undefined, { out, err }: Invocation): CliTask<number> =>
  pipe(
    store.end,
    TE.mapLeft(because),
    TE.chain((end) =>
      withProgress('exporting', 'events', ({ update }) =>
        readingLog(async () => {
          const { rooms, events, last } = await writeEvents(store, { since, end }, out, update);
          const messages = since === undefined ? await writeTranscripts(store, rooms, out) : 0;
          return { events, messages, last };
        }),
      ),
    ),
    TE.map(({ events, messages, last }) => {
      const also = messages > 0 ? `, ${messages} recorded messages` : '';
      err(`${events} events${also}${last === undefined ? '' : `; the last position is ${last}`}`);
      return 0;
    }),
  );

interface Stretch {
  readonly since: Position | undefined;
  /** What is appended while this runs belongs to the next export. */
  readonly end: Position | undefined;
}

const writeEvents = async (
  store: EventStore,
  { since, end }: Stretch,
  out: Invocation['out'],
  onProgress: (events: number) => void,
) => {
  const rooms = new Set<RoomKey>();
  let events = 0;
  let last: Position | undefined;
  for await (const event of store.readAll(since)) {
    if (end === undefined || store.comparePositions(event.position, end) > 0) break;
    await out(line(event));
    const room = roomOfStream(event.stream);
    if (room !== undefined) rooms.add(room);
    last = event.position;
    events += 1;
    onProgress(events);
  }
  return { rooms, events, last };
};

/** @returns how many messages there were */
const writeTranscripts = async (
  store: EventStore,
  rooms: Iterable<RoomKey>,
  out: Invocation['out'],
): Promise<number> => {
  let messages = 0;
  for (const room of rooms) {
    for await (const event of store.readStream(transcriptOf(room))) {
      await out(line(event));
      messages += 1;
    }
  }
  return messages;
};

/** Data and metadata stand as they were written, in whatever version: who reads the restored log brings them up, as who reads this one. */
const line = ({ position, stream, revision, id, type, data, metadata }: StoredEvent): string =>
  JSON.stringify({ position, stream, revision: Number(revision), id, type, data, metadata });
