import * as E from 'fp-ts/lib/Either.js';
import { historyOf } from '../../engine/history.ts';
import { eventJson } from '../../mi/event-json.ts';
import type { EventStore, Position, StoredEvent } from '../../ports/event-store.ts';
import type { MemberKey, RoomKey } from '../../room/address.ts';
import { streamOf } from '../../room/stream.ts';
import { touchedUsers } from '../../room/touched-users.ts';
import { CliError, type Invocation, type Run } from '../invocation.ts';
import { eventHeadings, eventRow } from '../read/event-row.ts';
import { eventFilter, numberArgument, roomArgument, userArgument } from '../read/filters.ts';
import { openReader } from '../read/open-log.ts';
import { ended } from '../terminal/ended.ts';
import { liveTable } from '../terminal/live-table.ts';

/** `imcd history ROOM` and `imcd history --user AOR`. */
export const run: Run = async (invocation) => {
  const { args, options } = invocation;
  const config = await invocation.config();
  const room = args[0] === undefined ? undefined : roomArgument(config, args[0]);
  const user = options.user === undefined ? undefined : userArgument(config, String(options.user));
  if (room === undefined && user === undefined) throw new CliError('name a room, or a user with --user AOR', 2);
  const wanted = await eventFilter(invocation, config);
  const store = await openReader(config);
  try {
    const from = numberArgument('from', options.from);
    return await history(store, { room: room?.key, user, from, wanted }, invocation);
  } finally {
    await store.close();
  }
};

interface Question {
  readonly room: RoomKey | undefined;
  readonly user: MemberKey | undefined;
  readonly from: bigint | undefined;
  readonly wanted: (event: StoredEvent) => boolean;
}

const history = async (store: EventStore, question: Question, { options, out, err }: Invocation): Promise<number> => {
  const { room, user, from, wanted } = question;
  const rows = liveTable(eventHeadings(room === undefined), out);
  const show = async (event: StoredEvent): Promise<void> => {
    if (!wanted(event)) return;
    if (options.json) await out(JSON.stringify(eventJson(event)));
    else await rows.add(eventRow(event, room === undefined));
  };
  // Where following begins: all up to here is read below, and what the reading meets beyond it is not shown twice.
  const end = await store.end();
  if (E.isLeft(end)) throw new CliError(end.left.message);
  let last: Position | undefined = end.right;
  let found = false;
  const { ofRoom, ofUser } = historyOf(store);
  const source = user !== undefined ? ofUser(user) : room !== undefined ? ofRoom(room, from ?? 0n) : store.readAll();
  for await (const event of source) {
    if (room !== undefined && event.stream !== streamOf(room)) continue;
    found = true;
    if (last === undefined || store.comparePositions(event.position, last) > 0) last = event.position;
    await show(event);
  }
  await rows.flush();
  if (options.follow) {
    const mine = (event: StoredEvent) =>
      (room === undefined || event.stream === streamOf(room)) &&
      (user === undefined || touchedUsers(event).includes(user));
    await follow(store, last, async (events) => {
      for (const event of events) if (mine(event)) await show(event);
      await rows.flush();
    });
    return 0;
  }
  if (found || (from !== undefined && room !== undefined && (await exists(store, room)))) return 0;
  err(room !== undefined ? `imcd: the log has no events of ${room}` : `imcd: the log has no events of ${user}`);
  return 1;
};

const exists = async (store: EventStore, room: RoomKey): Promise<boolean> => {
  const revision = await store.lastRevision(streamOf(room))();
  return E.isRight(revision) && revision.right !== undefined;
};

/** Live, until SIGINT or SIGTERM, or until the log is lost. */
const follow = (
  store: EventStore,
  after: Position | undefined,
  onEvents: (events: readonly StoredEvent[]) => Promise<void>,
): Promise<void> =>
  new Promise((resolve, reject) => {
    const subscription = store.subscribe(after, {
      onEvents,
      onStopped: (failure) => reject(new CliError(failure.message)),
    });
    void ended().then(() => {
      subscription.stop();
      resolve();
    });
  });
