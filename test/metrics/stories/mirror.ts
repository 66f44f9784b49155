import { sql } from 'kysely';
import { type CountedMirror, mirrorMetrics } from '../../../src/sql/mirror/metrics.ts';
import type { Mirror } from '../../../src/sql/mirror/mirror.ts';
import { append, memberExited, memberJoined, memberUri, roomCreated, roomUri } from '../../sql/history.ts';
import { createWorld, type World } from '../../sql/world.ts';
import { startSqlite } from '../../support/sqlite-file.ts';
import { readerOf, type Scene, type Story, story } from '../story.ts';
import type { Place } from './place.ts';

const room = roomUri('sip:chat-1@imc.test');
const alice = memberUri('sip:alice@imc.test');
const bob = memberUri('sip:bob@imc.test');

interface Stage {
  readonly world: World;
  readonly server: Awaited<ReturnType<typeof startSqlite>>;
  readonly mirror: Mirror;
}

/** A mirror in SQLite that has written a room with one member. */
const mirroring = async (act: (stage: Stage) => unknown): Promise<Scene> => {
  const server = await startSqlite();
  const world = createWorld(await server.newDatabase());
  const mirror = world.mirror();
  await append(world.store, roomCreated(room, alice));
  await world.caughtUp(mirror);
  const end = async (): Promise<void> => {
    await server.restart();
    await world.end();
    await server.stop();
  };
  return { read: readerOf(mirrorMetrics, mirror), act: () => act({ world, server, mirror }), end };
};

/** Somebody else holds the database while another member joins. */
const held = ({ world, server }: Stage): Promise<void> =>
  server.kill().then(() => append(world.store, memberJoined(room, bob)).then(() => {}));

const change = async ({ world }: Stage, statement: ReturnType<typeof sql>): Promise<void> => {
  const { db } = await world.session();
  await statement.execute(db);
};

/** Stories of the mirror. */
export const mirrorStories = ({ read, user, room: aRoom }: Place): readonly Story[] => [
  story('mirror_events_total', 'a room is created', async () => {
    const ann = await user('ann');
    return { read, act: () => ann.say(aRoom(), '#join') };
  }),
  story('mirror_lag_seconds', 'the database is held by somebody else', () => mirroring(held)),
  story('mirror_pending_events', 'the database is held by somebody else', () => mirroring(held)),
  story('mirror_troubles_total{retried}', 'a row is locked by somebody else', () => mirroring(held)),
  story('mirror_troubles_total{missing_row}', 'somebody has deleted a row', () =>
    mirroring(async (stage) => {
      await append(stage.world.store, memberJoined(room, bob));
      await stage.world.caughtUp(stage.mirror);
      await change(stage, sql`DELETE FROM imc_members WHERE username = 'bob'`);
      await append(stage.world.store, memberExited(room, bob));
    }),
  ),
  story('mirror_troubles_total{stopped}', 'somebody has put a row where one belongs', () =>
    mirroring(async (stage) => {
      await change(
        stage,
        sql`INSERT INTO imc_members (username, domain, room, flag) VALUES ('bob', 'imc.test', ${room}, 0)`,
      );
      await append(stage.world.store, memberJoined(room, bob));
    }),
  ),
  story('mirror_troubles_total{connection_lost}', 'nothing listens at db_url', () => {
    const world = createWorld('mysql://imcd@127.0.0.1:1/opensips');
    let mirror: CountedMirror = {
      counters: { eventsWritten: 0, transactions: 0, retries: 0, connectionsLost: 0, missingRows: 0, stops: 0 },
      status: () => ({ lagSeconds: 0, pendingEvents: 0 }),
    };
    const current: CountedMirror = {
      get counters() {
        return mirror.counters;
      },
      status: () => mirror.status(),
    };
    const act = (): void => {
      mirror = world.mirror();
    };
    return { read: readerOf(mirrorMetrics, current), act, end: world.end };
  }),
];
