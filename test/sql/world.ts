import assert from 'node:assert/strict';
import * as E from 'fp-ts/lib/Either.js';
import type { EventStore } from '../../src/ports/event-store.ts';
import type { Log } from '../../src/ports/log.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { randomIds } from '../../src/runtime/ids.ts';
import { connect } from '../../src/sql/database/connect.ts';
import type { Session } from '../../src/sql/database/session.ts';
import { databaseSettings } from '../../src/sql/database/settings.ts';
import { type Comparison, compareMirror } from '../../src/sql/mirror/compare.ts';
import type { MirrorFailure } from '../../src/sql/mirror/failure.ts';
import { createMirror, type Mirror } from '../../src/sql/mirror/mirror.ts';
import { type Rebuilt, rebuildMirror } from '../../src/sql/mirror/rebuild.ts';
import type { MirrorStatus } from '../../src/sql/mirror/status.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { atEnd } from '../support/at-end.ts';
import { until } from '../support/until.ts';
import { databaseAt } from '../support/urls.ts';
import { quiet } from '../support/world.ts';

/** A log, a database and mirrors between them, all ended together. */
export interface World {
  readonly store: EventStore;
  readonly options: Parameters<typeof createMirror>[0];
  /** Lines that the mirrors logged at warn or above. */
  readonly lines: string[];
  readonly mirror: (change?: Partial<Parameters<typeof createMirror>[0]>) => Mirror;
  /** A session of the test's own. */
  readonly session: () => Promise<Session>;
  readonly compare: (change?: Partial<Parameters<typeof compareMirror>[0]>) => Promise<Comparison>;
  readonly rebuild: (change?: Partial<Parameters<typeof rebuildMirror>[0]>) => Promise<Rebuilt>;
  /** Ends when the mirror has written all that the log holds. */
  readonly caughtUp: (mirror: Mirror) => Promise<void>;
  readonly end: () => Promise<void>;
}

export const createWorld = (url: string): World => {
  const database = databaseAt(url);
  const store = createMemoryStore(randomIds());
  const mirrors: Mirror[] = [];
  const sessions: Session[] = [];
  const lines: string[] = [];
  const line = (_: unknown, message: string) => void lines.push(message);
  const log: Log = { ...quiet, warn: line, error: line };
  const options = {
    store,
    clock: systemClock,
    ids: randomIds(),
    log,
    database,
    roomsTable: 'imc_rooms',
    membersTable: 'imc_members',
    tableVersion: 2,
  } as const;
  const world: World = {
    store,
    options,
    lines,
    mirror: (change = {}) => {
      const mirror = right(createMirror({ ...options, ...change }));
      mirrors.push(mirror);
      return mirror;
    },
    session: async () => {
      const session = await connect(databaseSettings(database));
      sessions.push(session);
      return session;
    },
    compare: async (change = {}) => right(await compareMirror({ ...options, ...change })()),
    rebuild: async (change = {}) => right(await rebuildMirror({ ...options, ...change })()),
    caughtUp: async (mirror) => {
      const end = await store.end();
      assert.ok(E.isRight(end));
      await untilStatus(mirror, ({ state, position }) => state === 'live' && position === end.right);
    },
    end: async () => {
      for (const mirror of mirrors) await mirror.stop();
      for (const session of sessions) await session.close();
      await store.close();
    },
  };
  atEnd(world.end);
  return world;
};

/** What has come about. Throws an error with the failure's sentence where it has not. */
export const right = <A>(outcome: E.Either<MirrorFailure, A>): A => {
  if (E.isRight(outcome)) return outcome.right;
  throw new Error(outcome.left.message, { cause: outcome.left.cause });
};

/** Ends when the mirror's status is as asked; its last one is in the failure. */
export const untilStatus = (mirror: Mirror, is: (status: MirrorStatus) => boolean): Promise<void> =>
  until(
    () => JSON.stringify(mirror.status()),
    () => is(mirror.status()),
  );
