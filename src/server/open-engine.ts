import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type ConferenceOptions, createConference, type RunningConference } from '../engine/create-conference.ts';
import { feedRooms, type RoomsFeed } from '../engine/feed-rooms.ts';
import { openSnapshots, type Snapshots } from '../engine/snapshots.ts';
import { createUnknownOutcomes, type UnknownOutcomes } from '../engine/unknown-outcomes.ts';
import type { Courier } from '../ports/courier.ts';
import type { EventStore } from '../ports/event-store.ts';
import { createRooms, type Rooms } from '../read-models/rooms.ts';
import { addressedBy } from '../room/routing-rule.ts';
import { routingRuleOf } from './routing-rule.ts';
import type { Starting, Step } from './starting.ts';

/** The rooms, as the log tells them, and the conference that decides on them. */
export interface OpenedEngine {
  readonly rooms: Rooms;
  readonly snapshots: Snapshots;
  readonly feed: RoomsFeed;
  readonly conference: RunningConference;
}

/** Reads the snapshot of the rooms, and begins to follow the log from there on: the replay has not come to its end yet. */
export const beginEngine = (starting: Starting, store: EventStore, courier: Courier): Step<OpenedEngine> => {
  const { config, clock, log } = starting;
  const rooms = createRooms(config.hash_size);
  const unknown = createUnknownOutcomes();
  const folder = config.store_url.kind === 'memory' ? undefined : config.data;
  return pipe(
    openSnapshots({ store, rooms, clock, log, folder }),
    TE.map((snapshots) => {
      starting.closers.defer('the snapshot of the rooms', snapshots.stop);
      const feed = follow(starting, { store, rooms, unknown, snapshots });
      starting.closers.defer('the subscription to the log', feed.followed.stop);
      const lostSince = () => feed.followed.lost()?.since;
      const conference = createConference({ ...optionsOf(starting), store, rooms, courier, unknown, lostSince });
      return { rooms, snapshots, feed, conference };
    }),
  );
};

interface Replaying {
  readonly store: EventStore;
  readonly rooms: Rooms;
  readonly unknown: UnknownOutcomes;
  readonly snapshots: Snapshots;
}

const follow = (starting: Starting, { store, rooms, unknown, snapshots }: Replaying): RoomsFeed => {
  const { clock, ids, log, world } = starting;
  const { onProgress } = world;
  const from = snapshots.from;
  return feedRooms({ store, rooms, unknown, clock, ids, log, from, ...(onProgress && { onProgress }) });
};

type Given = 'store' | 'rooms' | 'courier' | 'unknown' | 'lostSince';

const optionsOf = ({ config, clock, ids, log }: Starting): Omit<ConferenceOptions, Given> => {
  const rule = routingRuleOf(config);
  return {
    clock,
    ids,
    log,
    policy: { createOnJoin: config.create_on_join, checkOnCreate: config.check_on_create },
    node: config.node,
    startChar: config.imc_cmd_start_char,
    notifyErrors: config.notify_errors,
    relayComposing: config.relay_composing,
    recordMessages: config.record_messages,
    isRoomName: (user) => addressedBy(rule, user) === 'room',
    domains: rule.domains,
  };
};
