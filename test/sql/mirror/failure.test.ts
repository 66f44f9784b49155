import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Clock } from '../../../src/ports/clock.ts';
import { StoreError, type StoreFailure } from '../../../src/ports/event-store.ts';
import { SqliteError } from '../../../src/sql/database/failures.ts';
import { compareMirror } from '../../../src/sql/mirror/compare.ts';
import { MirrorError, mirrorFailure } from '../../../src/sql/mirror/failure.ts';
import { createMirror } from '../../../src/sql/mirror/mirror.ts';
import { rebuildMirror } from '../../../src/sql/mirror/rebuild.ts';
import { databaseAt } from '../../support/urls.ts';
import { createWorld, type World } from '../world.ts';

const kindOf = <A>(outcome: E.Either<{ readonly kind: string }, A>): string =>
  E.isLeft(outcome) ? outcome.left.kind : 'came about';

describe("a mirror's failures", () => {
  const folder = mkdtempSync(join(tmpdir(), 'imcd-mirror-failure-'));
  after(() => rmSync(folder, { recursive: true }));
  let world: World;
  let files = 0;
  beforeEach(() => {
    files += 1;
    world = createWorld(`sqlite:${join(folder, `${files}.db`)}`);
  });
  afterEach(() => world.end());

  it('an option that cannot be used is told at once, by whoever is asked', async () => {
    const database = databaseAt('mysql://me@db.example.org/x?ca=/nowhere.pem');
    for (const change of [{ database }, { membersTable: 'imc_rooms' }, { roomsTable: '' }]) {
      const options = { ...world.options, ...change };
      assert.equal(kindOf(createMirror(options)), 'UnusableOption');
      assert.equal(kindOf(await rebuildMirror(options)()), 'UnusableOption');
      assert.equal(kindOf(await compareMirror(options)()), 'UnusableOption');
    }
  });

  it('a log that is away, while its database is there', async () => {
    const failure: StoreFailure = { kind: 'StoreUnavailable', message: 'the log is away' };
    const store = { ...world.store, identity: TE.left(failure) };
    for (const work of [rebuildMirror, compareMirror]) {
      await world.rebuild();
      const outcome = await work({ ...world.options, store })();
      assert.deepEqual(outcome, E.left({ kind: 'LogFailed', message: 'the log is away', cause: failure }));
    }
    await world.rebuild(); // The session, and its lock, were let go.
  });

  it('a database that is away, which is tried again ever more seldom, by chance up to half as long', async () => {
    const database = databaseAt('mysql://me@127.0.0.1:1/x');
    const waits: number[] = [];
    const seen = Promise.withResolvers<void>();
    const { clock: real, ids } = world.options;
    const clock: Clock = {
      ...real,
      after: (ms, run) => {
        waits.push(ms);
        if (waits.length === 8) seen.resolve();
        return real.after(0, run);
      },
    };
    const mirror = world.mirror({ database, clock, ids: { ...ids, chance: () => 0 } });
    await seen.promise;
    assert.equal(mirror.status().state, 'connecting');
    await mirror.stop();
    assert.deepEqual(waits.slice(0, 8), [50, 100, 200, 400, 800, 1_600, 2_500, 2_500]);
  });

  it('a database that is none', async () => {
    const file = join(folder, 'text.db');
    writeFileSync(file, 'this is no database, however long one looks at it\n'.repeat(100));
    const outcome = await rebuildMirror({ ...world.options, database: databaseAt(`sqlite:${file}`) })();
    assert.ok(E.isLeft(outcome) && outcome.left.kind === 'DatabaseRefused', JSON.stringify(outcome));
    assert.match(outcome.left.message, /text\.db cannot be used/);
  });

  it('are read from whatever was thrown, which stays the cause', () => {
    const thrown = [
      [new MirrorError('Fenced', 'another leads'), 'Fenced'],
      [new StoreError({ kind: 'StoreDamaged', message: 'damaged' }), 'LogFailed'],
      [new SqliteError('database is locked', 5), 'DatabaseUnavailable'],
      [new SqliteError('no such column', 1), 'DatabaseRefused'],
      [Object.assign(new Error('gone'), { code: 'ECONNRESET' }), 'DatabaseUnavailable'],
      [new TypeError('x is not a function'), 'Defect'],
    ] as const;
    for (const [cause, kind] of thrown) assert.deepEqual(mirrorFailure(cause), { kind, message: cause.message, cause });
  });
});
