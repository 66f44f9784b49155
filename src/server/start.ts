import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { Task } from 'fp-ts/lib/Task.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { waitAtMost } from '../bounds/deadline.ts';
import type { Config } from '../config/config.ts';
import { historyOf } from '../engine/history.ts';
import { newMiCounters } from '../mi/counters.ts';
import type { HostPort } from '../net/address.ts';
import type { Courier } from '../ports/courier.ts';
import { systemClock } from '../runtime/clock.ts';
import { randomIds } from '../runtime/ids.ts';
import type { Listener } from '../sip/transport/transport.ts';
import type { Mirror } from '../sql/mirror/mirror.ts';
import { createClosers } from './closers.ts';
import { openMetrics } from './metrics.ts';
import { beginEngine, type OpenedEngine } from './open-engine.ts';
import { beginMi, type OpenedMi } from './open-mi.ts';
import { beginMirror } from './open-mirror.ts';
import { beginSip, bindingsOf, type OpenedSip } from './open-sip.ts';
import { beginStore, type OpenedStore } from './open-store.ts';
import { attempt, type StartFailure, type Starting, type Step, type World } from './starting.ts';
import { createStatus, type Status } from './status.ts';

/** The composition root: configuration, then adapters, then engine, then listeners. Only this folder knows all. */

export interface RunningServer {
  readonly listeners: readonly Listener[];
  /** Where the management interface is; undefined with `mi.http: none`. */
  readonly mi: HostPort | undefined;
  readonly replayed: Replayed;
  /** Applies the options that can change while it runs (`trusted`); the others stay as they were at the start. */
  readonly reload: (config: Config) => void;
  /**
   * Stops taking work, answers what is begun, lets its announcements leave, and lets go, all within `ms`. Rejects where
   * something could not be closed; all else is closed then, too.
   */
  readonly stop: (ms: number) => Promise<void>;
}

/** Rooms and events after the replay, and the milliseconds that it took. */
export interface Replayed {
  readonly rooms: number;
  readonly events: number;
  readonly ms: number;
}

/** The steps that open something, each of which may fail. */
export interface Steps {
  readonly beginStore: typeof beginStore;
  readonly beginSip: typeof beginSip;
  readonly beginEngine: typeof beginEngine;
  readonly beginMirror: typeof beginMirror;
  readonly beginMi: typeof beginMi;
  readonly listen: typeof listen;
}

/** Starts a server. Left: why it cannot start; what was opened is closed again. */
export const startServer = (config: Config, world: World): TE.TaskEither<StartFailure, RunningServer> =>
  startWith({ beginStore, beginSip, beginEngine, beginMirror, beginMi, listen })(config, world);

/** As `startServer`, with steps that a test has put something around. */
export const startWith =
  (steps: Steps) =>
  (config: Config, world: World): TE.TaskEither<StartFailure, RunningServer> =>
  async () => {
    const { log, clock = systemClock, ids = randomIds() } = world;
    const closers = createClosers(clock, log);
    let started: E.Either<StartFailure, RunningServer> | undefined;
    try {
      started = await start(steps, { config, world, log, clock, ids, closers, startedAt: clock.now() })();
      return started;
    } finally {
      // A failure or a defect. What cannot be closed then is in the log, and does not stand before the reason.
      if (started === undefined || E.isLeft(started)) await closers.close(0).catch(() => {});
    }
  };

const start = (steps: Steps, starting: Starting): Step<RunningServer> =>
  pipe(
    openAll(steps, starting),
    TE.bind('replayed', ({ engine }) => TE.fromTask(replay(starting, engine))),
    TE.bind('listeners', (opened) => steps.listen(starting, opened)),
    TE.map(({ listeners, mi, replayed, sip }) => {
      return { listeners, mi, replayed, reload: sip.reload, stop: starting.closers.close };
    }),
  );

interface Opened extends OpenedStore {
  readonly sip: OpenedSip;
  readonly engine: OpenedEngine;
  readonly mirror: Mirror | undefined;
  readonly status: Status;
  readonly mi: OpenedMi;
}

/** All but the listeners of SIP. The management interface is there while the log is replayed. */
const openAll = (steps: Steps, starting: Starting): Step<Opened> =>
  pipe(
    steps.beginStore(starting),
    TE.bind('sip', () => steps.beginSip(starting)),
    TE.bind('engine', ({ store, sip }) => steps.beginEngine(starting, store, courierOf(starting, sip))),
    TE.bind('mirror', ({ store }) => steps.beginMirror(starting, store)),
    TE.let('status', ({ identity, engine }) => createStatus({ ...starting, ...engine, identity })),
    TE.bind('mi', (opened) => beginManagement(steps, starting, opened)),
  );

const courierOf = ({ world }: Starting, { stack }: OpenedSip): Courier =>
  world.wrapCourier?.(stack.courier) ?? stack.courier;

/** The metrics of all that was opened, and the management interface that shows them. */
const beginManagement = (steps: Steps, starting: Starting, opened: Omit<Opened, 'mi'>): Step<OpenedMi> => {
  const { clock, startedAt, log } = starting;
  const { store, counted, sip, engine, mirror, status } = opened;
  const { conference, rooms } = engine;
  const counters = newMiCounters();
  const counting = {
    rooms,
    engine: conference,
    followed: status,
    store: counted,
    sip: sip.stack,
    mirror,
    mi: counters,
  };
  const metrics = openMetrics({ clock, startedAt, log, ...counting });
  starting.closers.defer('metrics', metrics.close);
  return steps.beginMi(starting, {
    metrics,
    counters,
    rooms,
    conference,
    history: historyOf(store),
    bindings: bindingsOf(sip.location),
    storeStatus: status.storeStatus,
    mirrorStatus: () => (mirror === undefined ? { state: 'none' } : { ...mirror.status() }),
    notReady: status.notReady,
  });
};

const replay =
  ({ clock }: Starting, { feed, snapshots, rooms }: OpenedEngine): Task<Replayed> =>
  async () => {
    const began = clock.monotonic();
    await feed.replayed;
    snapshots.keep(feed.followed.position, () => feed.counters.seen);
    return { rooms: rooms.size, events: feed.counters.seen, ms: clock.monotonic() - began };
  };

/**
 * Takes SIP from now on. The last step, and so the first to be undone, from the last of its closers to the first: what is new
 * is refused, what is begun is answered, announcements leave.
 */
export const listen = ({ clock, closers }: Starting, { sip, engine, status }: Opened): Step<readonly Listener[]> => {
  const { stack } = sip;
  const { conference } = engine;
  // What `beginSip` registered closes again, and is told of a failure.
  closers.defer('announcements', (ms) => stack.close(ms).catch(() => {}));
  closers.defer('commands', (ms) => waitAtMost(clock, ms, conference.idle(), () => {}));
  closers.defer('listeners', () => {
    stack.refuse();
    status.is('stopping');
  });
  return pipe(
    attempt(() => stack.listen(conference)),
    TE.map((listeners) => {
      status.is('listening');
      return listeners;
    }),
  );
};
