import type { EventStore } from '../../../src/ports/event-store.ts';
import { randomIds } from '../../../src/runtime/ids.ts';
import { eventStoreDbMetrics } from '../../../src/store/eventstoredb/metrics.ts';
import type { EventStoreDb } from '../../../src/store/eventstoredb/store.ts';
import { createMemoryStore } from '../../../src/store/memory.ts';
import { type CountedStore, storeMetrics } from '../../../src/store/metrics.ts';
import { all, newEvent, newStream } from '../../contract/event-store-kit.ts';
import { openLog, temporaryFolder } from '../../store/sqlite/temporary-log.ts';
import { openOn } from '../../support/eventstoredb/open.ts';
import { type EventStoreDouble, startDouble } from '../../support/eventstoredb/server.ts';
import { until } from '../../support/until.ts';
import { readerOf, type Scene, type Story, story } from '../story.ts';
import { openPlace } from './place.ts';

type Counted = EventStore & CountedStore;

/** A log and how it ends. */
interface Stage {
  readonly store: Counted;
  readonly end: () => Promise<void>;
}

const memory = async (): Promise<Stage> => {
  const store = createMemoryStore(randomIds());
  return { store, end: store.close };
};

const sqlite = async (): Promise<Stage> => {
  const { folder, remove } = temporaryFolder();
  const store = await openLog(`${folder}/log.db`);
  return { store, end: () => store.close().then(remove) };
};

const eventStoreDb = async (): Promise<Stage & { readonly store: EventStoreDb; readonly double: EventStoreDouble }> => {
  const double = await startDouble();
  const store = await openOn(double.url, { times: { appendMs: 400, settleMs: 1_000, readMs: 400 } });
  await append(store);
  return { store, double, end: () => store.close().then(double.stop) };
};

const append = (store: EventStore): Promise<unknown> => store.append(newStream(), 'no_stream', [newEvent(1)])();

const on = async (open: () => Promise<Stage>, act: (store: EventStore) => unknown): Promise<Scene> => {
  const { store, end } = await open();
  return { read: readerOf(storeMetrics, store), act: () => act(store), end };
};

const nobody = { onEvents: () => {}, onStopped: () => {} };

/** What every log counts. */
const storeStories: readonly Story[] = [memory, sqlite, eventStoreDb].flatMap((open) => [
  story('store_operations_total{appends}', `an append to ${open.name}`, () => on(open, append)),
  story('store_operations_total{events}', `an append to ${open.name}`, () => on(open, append)),
  story('store_operations_total{reads}', `a stream is read from ${open.name}`, () =>
    on(open, (store) => all(store.readStream(newStream()))),
  ),
  story('store_operations_total{subscriptions}', `somebody follows ${open.name}`, () =>
    on(open, (store) => store.subscribe(undefined, nobody)),
  ),
  story('store_failures_total{StoreRefused}', `an append without an event to ${open.name}`, () =>
    on(open, (store) => store.append(newStream(), 'no_stream', [])()),
  ),
  story('store_failures_total{StoreClosed}', `a read of ${open.name} after its end`, () =>
    on(open, async (store) => {
      await store.close();
      await all(store.readStream(newStream())).catch(() => {});
    }),
  ),
  story('store_failures_total{StoreUnavailable}', `what follows ${open.name} throws`, () =>
    on(open, async (store) => {
      const onEvents = (): never => {
        throw new Error('a bug');
      };
      store.subscribe(undefined, { ...nobody, onEvents });
      await append(store);
    }),
  ),
]);

/** What those count that write for somebody else. */
const writerStories: readonly Story[] = [
  story('store_operations_total{commits}', 'an append to sqlite', () => on(sqlite, append)),
  ...[sqlite, eventStoreDb].map((open) =>
    story('store_appends_pending', `many appends to ${open.name}`, () =>
      on(open, (store) => {
        for (let i = 0; i < 1_000; i += 1) void append(store);
      }),
    ),
  ),
];

/** On EventStoreDB, whose server is a double. */
const served = async (act: (stage: Awaited<ReturnType<typeof eventStoreDb>>) => unknown): Promise<Scene> => {
  const stage = await eventStoreDb();
  return { read: readerOf(eventStoreDbMetrics, stage.store), act: () => act(stage), end: stage.end };
};

/** Of some appends under way one was written and none answered when the server was killed. */
const killed = async ({ store, double }: Awaited<ReturnType<typeof eventStoreDb>>): Promise<void> => {
  double.hold();
  for (let i = 0; i < 4; i += 1) void append(store);
  await double.held(4);
  double.kill({ written: 1 });
};

const eventStoreDbStories: readonly Story[] = [
  story('eventstoredb_connections_lost_total{lost}', 'the server is killed', () => served(killed)),
  story('eventstoredb_reconnections_tried_total', 'the server is killed', () => served(killed)),
  story('eventstoredb_connected', 'the server is back', async () => {
    const stage = await eventStoreDb();
    await killed(stage);
    await until('the loss is noticed', () => stage.store.status().kind === 'away');
    return { read: readerOf(eventStoreDbMetrics, stage.store), act: stage.double.start, end: stage.end };
  }),
  story('eventstoredb_outcomes_unknown_total{unknown}', 'the server is killed over an append', () => served(killed)),
  story('eventstoredb_outcomes_unknown_total{settled}', 'the server is killed over an append, and back', () =>
    served(async (stage) => {
      await killed(stage);
      await stage.double.start();
    }),
  ),
  story('eventstoredb_subscriptions_ended_total{lost}', 'the server is killed', () =>
    served(async (stage) => {
      await new Promise<void>((resolve) => stage.store.subscribe(undefined, { ...nobody, onCaughtUp: resolve }));
      stage.double.kill();
    }),
  ),
  story('eventstoredb_subscriptions_ended_total{broke}', 'what follows throws', () =>
    served(({ store }) => {
      const onEvents = (): never => {
        throw new Error('a bug');
      };
      store.subscribe(undefined, { ...nobody, onEvents });
    }),
  ),
];

/** Stories of the log. */
export const logStories: readonly Story[] = [
  ...storeStories,
  ...writerStories,
  ...eventStoreDbStories,
  story('subscription_lag_seconds', 'EventStoreDB is killed', async () => {
    const double = await startDouble();
    const place = await openPlace({ args: ['--store_url', double.url] });
    const end = async (): Promise<void> => {
      await place.close();
      await double.stop();
    };
    return { read: place.read, act: double.kill, end };
  }),
];
