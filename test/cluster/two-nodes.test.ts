import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import type { EventStore } from '../../src/ports/event-store.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { randomIds } from '../../src/runtime/ids.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import { openOn } from '../support/eventstoredb/open.ts';
import { servers } from '../support/eventstoredb/servers.ts';
import { quiet } from '../support/world.ts';
import { twoNodes } from './two-nodes.ts';

/** Two nodes in one process may share a log that is not made for two: they are told that others write to it. */
const shared = (store: EventStore): EventStore => ({ ...store, shared: true });

for (const { name, url } of servers) {
  describe(`two nodes on one ${name}`, { timeout: 300_000 }, () => {
    twoNodes(async (t) => {
      const server = await url(t);
      const stores = [await openOn(server), await openOn(server)] as const;
      t.after(() => Promise.all(stores.map((store) => store.close())));
      return stores;
    }, 10_000);
  });
}

describe('two nodes on one log in memory', { timeout: 300_000 }, () => {
  twoNodes((t) => {
    const store = shared(createMemoryStore(randomIds()));
    t.after(() => store.close());
    return Promise.resolve([store, store] as const);
  }, 10_000);
});

describe('two nodes on one embedded log', { timeout: 300_000 }, () => {
  twoNodes(async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'imcd-two-nodes-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'log.db');
    const opened = await openSqliteStore({ file, clock: systemClock, ids: randomIds(), log: quiet })();
    if (E.isLeft(opened)) throw new Error(opened.left.message);
    t.after(() => opened.right.close());
    const store = shared(opened.right);
    return [store, store] as const;
  }, 10_000);
});
