import { mkdirSync } from 'node:fs';
import * as E from 'fp-ts/lib/Either.js';
import type { Config } from '../config/config.ts';
import { createConference } from '../engine/create-conference.ts';
import { followLog } from '../engine/follow-log.ts';
import { historyOf } from '../engine/history.ts';
import { openSnapshots } from '../engine/snapshots.ts';
import { createUnknownOutcomes } from '../engine/unknown-outcomes.ts';
import { newMiCounters } from '../mi/counters.ts';
import { type HostPort, within as withinNetworks } from '../net/address.ts';
import type { Clock } from '../ports/clock.ts';
import type { Courier } from '../ports/courier.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { Ids } from '../ports/ids.ts';
import { createRooms } from '../read-models/rooms.ts';
import { systemClock } from '../runtime/clock.ts';
import { randomIds } from '../runtime/ids.ts';
import type { RunningLog } from '../runtime/log.ts';
import { version } from '../runtime/version.ts';
import type { Listener } from '../sip/transport/transport.ts';
import { openMetrics } from './metrics.ts';
import { openMi } from './open-mi.ts';
import { openMirror } from './open-mirror.ts';
import { bindingsOf, openSip } from './open-sip.ts';
import { openStore } from './open-store.ts';

/** The composition root: configuration, then adapters, then engine, then listeners. The only file that knows all. */

export interface World {
  readonly log: RunningLog;
  /** Default: the system's. */
  readonly clock?: Clock;
  readonly ids?: Ids;
  /** Stand between the engine and its store or courier: tests kill the process there. */
  readonly wrapStore?: (store: EventStore) => EventStore;
  readonly wrapCourier?: (courier: Courier) => Courier;
  /** Called while the log is replayed, with the events read so far. */
  readonly onProgress?: (events: number) => void;
}

export interface RunningServer {
  readonly listeners: readonly Listener[];
  /** Where the management interface is; undefined with `mi.http: none`. */
  readonly mi: HostPort | undefined;
  /** Rooms and events after the replay, and the milliseconds that it took. */
  readonly replayed: { readonly rooms: number; readonly events: number; readonly ms: number };
  /** Applies the options that can change while it runs (`trusted`); the others stay as they were at the start. */
  readonly reload: (config: Config) => void;
  /** Stops taking work, finishes and answers what is begun for at most `ms`, flushes. */
  readonly stop: (ms: number) => Promise<void>;
}

/** Why a server cannot start; `message` is a sentence for people. */
export class StartError extends Error {}

/** Starts a server. Rejects with `StartError`, and what was opened is closed again. */
export const startServer = async (config: Config, world: World): Promise<RunningServer> => {
  const closers: (() => Promise<unknown>)[] = [];
  try {
    return await start(config, world, (close) => closers.unshift(close));
  } catch (error) {
    for (const close of closers) await close();
    throw error instanceof StartError
      ? error
      : new StartError(error instanceof Error ? error.message : String(error), { cause: error });
  }
};

const start = async (
  config: Config,
  world: World,
  opened: (close: () => Promise<unknown>) => void,
): Promise<RunningServer> => {
  const { log } = world;
  const clock = world.clock ?? systemClock;
  const ids = world.ids ?? randomIds();
  const startedAt = clock.now();
  mkdirSync(config.data, { recursive: true, mode: 0o700 });

  const openedStore = await openStore(config, { clock, ids, log })();
  if (E.isLeft(openedStore)) throw new StartError(openedStore.left.message, { cause: openedStore.left.cause });
  const store = world.wrapStore?.(openedStore.right) ?? openedStore.right;
  opened(store.close);
  const identified = await store.identity();
  if (E.isLeft(identified)) throw new StartError(identified.left.message, { cause: identified.left.cause });
  const identity = identified.right;
  if (store.shared && config.outbound_proxy === undefined) {
    log.warn(
      {},
      'the log is shared with other nodes, but registrations are not: without outbound_proxy copies reach only those who registered at this node',
    );
  }

  let believed = withinNetworks(config.trusted);
  const trusted = (address: string): boolean => believed(address);
  const { stack, location } = openSip(config, { clock, ids, log, product: `imcd/${version()}`, trusted });
  opened(() => stack.close(0));
  const rooms = createRooms(config.hash_size);
  const unknown = createUnknownOutcomes();
  const kept = config.store_url.kind === 'memory' ? undefined : config.data;
  const snapshots = await openSnapshots({ store, rooms, clock, log, folder: kept });
  opened(snapshots.stop);
  const followed = followLog({
    store,
    rooms,
    unknown,
    clock,
    ids,
    log,
    from: snapshots.from,
    ...(world.onProgress && { onProgress: world.onProgress }),
  });
  opened(async () => followed.catchUp.stop());

  const conference = createConference({
    store,
    rooms,
    clock,
    ids,
    log,
    unknown,
    courier: world.wrapCourier?.(stack.courier) ?? stack.courier,
    policy: { createOnJoin: config.create_on_join, checkOnCreate: config.check_on_create },
    node: config.node,
    startChar: config.imc_cmd_start_char.charAt(0),
    notifyErrors: config.notify_errors,
    relayComposing: config.relay_composing,
    recordMessages: config.record_messages,
    isRoomName: (user) => config.rooms.test(user) && !config.manager.test(user),
    domains: new Set(config.domains.map((domain) => domain.toLowerCase())),
    lostSince: () => followed.catchUp.lost()?.since,
  });

  const openedMirror = await openMirror(config, { store, clock, ids, log });
  if (E.isLeft(openedMirror)) throw new StartError(openedMirror.left);
  const mirror = openedMirror.right;
  opened(async () => mirror?.stop());

  let listening = false;
  const lagSeconds = (): number => {
    const lost = followed.catchUp.lost();
    return lost === undefined ? 0 : (clock.now() - lost.since) / 1000;
  };
  const notReady = (): string | undefined => {
    const lost = followed.catchUp.lost();
    if (lost !== undefined) return `the log is not followed: ${lost.failure.message}`;
    if (!listening) return 'the log is being replayed';
    return undefined;
  };
  const counters = newMiCounters();
  const metrics = openMetrics({
    clock,
    startedAt,
    log,
    rooms,
    engine: conference,
    followed: { lagSeconds },
    sip: stack,
    mirror,
    mi: counters,
  });
  opened(async () => metrics.close());
  const mi = await openMi(config, {
    metrics,
    counters,
    rooms,
    conference,
    clock,
    ids,
    log,
    startedAt,
    notReady,
    history: historyOf(store),
    bindings: bindingsOf(location),
    storeStatus: () => ({
      store: config.store_url.kind,
      log: identity,
      reachable: followed.catchUp.lost() === undefined,
      lag_seconds: lagSeconds(),
      position: followed.catchUp.position() ?? null,
      events: followed.counters.seen,
      stopped_rooms: Object.fromEntries(rooms.stoppedRooms()),
    }),
    mirrorStatus: () => (mirror === undefined ? { state: 'none' } : { ...mirror.status() }),
  });
  opened(() => mi.close(0));

  const began = clock.monotonic();
  await followed.replayed;
  snapshots.keep(followed.catchUp.position, () => followed.counters.seen);
  const replayed = { rooms: rooms.size, events: followed.counters.seen, ms: clock.monotonic() - began };
  const listeners = await stack.listen(conference);
  listening = true;

  return {
    listeners,
    mi: mi.http?.address,
    replayed,
    reload: (next) => {
      believed = withinNetworks(next.trusted);
    },
    stop: async (ms) => {
      const deadline = clock.monotonic() + ms;
      const left = (): number => Math.max(0, deadline - clock.monotonic());
      listening = false;
      // What is new is refused and what is begun is answered; then announcements leave; then the rest lets go.
      await within(clock, left(), conference.idle());
      await stack.close(left());
      await mi.close(left());
      metrics.close();
      await mirror?.stop();
      followed.catchUp.stop();
      await snapshots.stop();
      await store.close();
    },
  };
};

/** Waits for what is under way, but not longer than `ms`; leaves no timer behind, which would keep the process alive. */
const within = (clock: Clock, ms: number, working: Promise<unknown>): Promise<void> =>
  new Promise((resolve) => {
    const late = clock.after(ms, resolve);
    void working.finally(() => {
      late.cancel();
      resolve();
    });
  });
