import { sequenceS } from 'fp-ts/lib/Apply.js';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Config } from '../../config/config.ts';
import { historyOf } from '../../engine/history.ts';
import { eventJson } from '../../mi/event-json.ts';
import type { EventStore, Position, StoredEvent } from '../../ports/event-store.ts';
import type { MemberKey, RoomKey } from '../../room/address.ts';
import { streamOf } from '../../room/stream.ts';
import { touchedUsers } from '../../room/touched-users.ts';
import { because, type CliTask, readingLog, wrongUsage } from '../cli-error.ts';
import type { Invocation, Run } from '../invocation.ts';
import { eventHeadings, eventRow } from '../read/event-row.ts';
import { type EventFilter, eventFilter, optional, roomArgument, userArgument } from '../read/filters.ts';
import { withReader } from '../read/open-log.ts';
import { ended } from '../terminal/ended.ts';
import { liveTable } from '../terminal/live-table.ts';

/** `imcd history ROOM` and `imcd history --user AOR`. */
export const run: Run = (invocation) =>
  pipe(
    invocation.config,
    TE.bindTo('config'),
    TE.bind('question', ({ config }) => questionOf(invocation, config)),
    TE.chain(({ config, question }) => withReader(config, (store) => history(store, question, invocation))),
  );

/** Of a room, or of a user, or of both. */
interface Question {
  readonly room: RoomKey | undefined;
  readonly user: MemberKey | undefined;
  readonly filter: EventFilter;
}

const questionOf = (invocation: Invocation, config: Config): CliTask<Question> =>
  pipe(
    sequenceS(E.Apply)({
      room: optional(roomArgument(config))(invocation.args[0]),
      user: optional(userArgument(config))(invocation.options.user),
    }),
    E.filterOrElse(
      ({ room, user }) => room !== undefined || user !== undefined,
      () => wrongUsage('name a room, or a user with --user AOR'),
    ),
    TE.fromEither,
    TE.bind('filter', () => eventFilter(invocation, config)),
    TE.map(({ room, user, filter }) => ({ room: room?.key, user, filter })),
  );

const history = (store: EventStore, question: Question, invocation: Invocation): CliTask<number> => {
  const printer = printerOf(question, invocation);
  // From the start on: Ctrl-C ends the following with 0, also while what there was is still being shown.
  const following = invocation.options.follow ? ended() : undefined;
  return pipe(
    // Where following begins: all up to here is read below, and what the reading meets beyond it is not shown twice.
    store.end,
    TE.mapLeft(because),
    TE.chain((end) => readingLog(() => showPast(store, question, end, printer, following))),
    TE.chain(({ last, found }) => {
      if (following !== undefined) return follow(store, last, question, printer, following);
      return found ? TE.right(0) : nothingFound(store, question, invocation);
    }),
  );
};

/** Shows events that are meant, one after the other: as JSON lines, or as rows of a table that may go on. */
interface Printer {
  readonly show: (event: StoredEvent) => Promise<void>;
  readonly flush: () => Promise<void>;
}

const printerOf = ({ room, filter }: Question, { options, out }: Invocation): Printer => {
  const withRoom = room === undefined;
  const rows = liveTable(eventHeadings(withRoom), out);
  return {
    show: async (event) => {
      if (!filter.matches(event)) return;
      if (options.json) await out(JSON.stringify(eventJson(event)));
      else await rows.add(eventRow(event, withRoom));
    },
    flush: rows.flush,
  };
};

interface Past {
  /** The later one of `end` and of the last event that was read. */
  readonly last: Position | undefined;
  /** There are events of this room or user, whether they are meant or not. */
  readonly found: boolean;
}

const showPast = async (
  store: EventStore,
  { room, user, filter }: Question,
  end: Position | undefined,
  { show, flush }: Printer,
  until: Promise<void> | undefined,
): Promise<Past> => {
  const { ofRoom, ofUser } = historyOf(store);
  const source =
    user !== undefined ? ofUser(user) : room !== undefined ? ofRoom(room, filter.from ?? 0n) : store.readAll();
  let last = end;
  let found = false;
  let over = false;
  void until?.then(() => {
    over = true;
  });
  for await (const event of source) {
    if (over) break;
    if (room !== undefined && event.stream !== streamOf(room)) continue;
    found = true;
    if (last === undefined || store.comparePositions(event.position, last) > 0) last = event.position;
    await show(event);
  }
  await flush();
  return { last, found };
};

/** A room whose events are all before `--from` is there all the same. */
const nothingFound = (store: EventStore, { room, user, filter }: Question, { err }: Invocation): CliTask<number> =>
  pipe(
    filter.from === undefined || room === undefined ? TE.right(undefined) : store.lastRevision(streamOf(room)),
    TE.bimap(because, (revision) => {
      if (revision !== undefined) return 0;
      err(`imcd: the log has no events of ${room ?? user}`);
      return 1;
    }),
  );

/** Live, until it is over, or until the log is lost. */
const follow =
  (
    store: EventStore,
    after: Position | undefined,
    { room, user }: Question,
    { show, flush }: Printer,
    over: Promise<void>,
  ): CliTask<number> =>
  () =>
    new Promise((resolve) => {
      const isOurs = (event: StoredEvent): boolean =>
        (room === undefined || event.stream === streamOf(room)) &&
        (user === undefined || touchedUsers(event).includes(user));
      const subscription = store.subscribe(after, {
        onEvents: async (events) => {
          for (const event of events) if (isOurs(event)) await show(event);
          await flush();
        },
        onStopped: (failure) => resolve(E.left(because(failure))),
      });
      void over.then(() => {
        subscription.stop();
        resolve(E.right(0));
      });
    });
