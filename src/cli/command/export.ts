import * as E from 'fp-ts/lib/Either.js';
import type { EventStore, Position, StoredEvent } from '../../ports/event-store.ts';
import type { RoomKey } from '../../room/address.ts';
import { roomOfStream, transcriptOf } from '../../room/stream.ts';
import { CliError, type Invocation, type Run } from '../invocation.ts';
import { positionArgument } from '../read/filters.ts';
import { openReader } from '../read/open-log.ts';
import { progress } from '../terminal/progress.ts';

/**
 * `imcd export`: the log as NDJSON, rooms in the order of the log, then recorded messages by room. A line holds all that an
 * append needs, so that `--restore` brings the same events under the same ids. Data and metadata stand as they were written, in
 * whatever version: who reads the restored log brings them up, as who reads this one.
 */
export const run: Run = async (invocation) => {
  const { options } = invocation;
  if (options.restore !== undefined) {
    if (options.since !== undefined)
      throw new CliError('--since is for writing, --restore for reading: only one of them', 2);
    const { restore } = await import('./restore.ts');
    return restore(String(options.restore), invocation);
  }
  const store = await openReader(await invocation.config());
  try {
    return await write(store, positionArgument(store, 'since', options.since), invocation);
  } finally {
    await store.close();
  }
};

const write = async (store: EventStore, since: Position | undefined, { out, err }: Invocation): Promise<number> => {
  const end = await store.end();
  if (E.isLeft(end)) throw new CliError(end.left.message);
  const bar = progress('exporting', 'events');
  const rooms = new Set<RoomKey>();
  let events = 0;
  let last: Position | undefined;
  for await (const event of store.readAll(since)) {
    // What is appended while this runs belongs to the next export.
    if (end.right === undefined || store.comparePositions(event.position, end.right) > 0) break;
    await out(line(event));
    const room = roomOfStream(event.stream);
    if (room !== undefined) rooms.add(room);
    last = event.position;
    events += 1;
    bar.update(events);
  }
  let messages = 0;
  if (since === undefined) {
    for (const room of rooms) {
      for await (const event of store.readStream(transcriptOf(room))) {
        await out(line(event));
        messages += 1;
      }
    }
  }
  bar.end();
  const also = messages > 0 ? `, ${messages} recorded messages` : '';
  err(`${events} events${also}${last === undefined ? '' : `; the last position is ${last}`}`);
  return 0;
};

const line = ({ position, stream, revision, id, type, data, metadata }: StoredEvent): string =>
  JSON.stringify({ position, stream, revision: Number(revision), id, type, data, metadata });
