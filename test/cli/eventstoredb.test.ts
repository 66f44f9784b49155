import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { stateJson } from '../../src/mi/event-json.ts';
import { createLog } from '../support/eventstoredb/log.ts';
import { openOn } from '../support/eventstoredb/open.ts';
import { startDouble } from '../support/eventstoredb/server.ts';
import { imcd, jsonLines, lines, temporaryFolder } from '../support/imcd.ts';
import { randomLog, type Step } from './random-log.ts';

/** The commands that read the log, on EventStoreDB: the same as on the embedded one. */

let double: Awaited<ReturnType<typeof startDouble>>;
let steps: readonly Step[] = [];
let where: readonly string[] = [];
const folder = temporaryFolder();
before(async () => {
  double = await startDouble();
  const store = await openOn(double.url);
  steps = await randomLog(store, 120, 5);
  await store.close();
  where = [
    '--store_url',
    double.url,
    '--domains',
    'example.org',
    '--mi.http',
    'none',
    '--db_url',
    'none',
    '--data',
    folder,
  ];
});
after(() => double.stop());

describe('on EventStoreDB', () => {
  it('history shows a room and a user', async () => {
    const room = await imcd(['history', 'chat-1', '--json', ...where]);
    assert.deepEqual(
      jsonLines(room.out).map(({ revision, type }) => [revision, type]),
      steps.filter(({ key }) => key === 'chat-1@example.org').map(({ revision, type }) => [revision, type]),
      room.err,
    );
    const bob = await imcd(['history', '--user', 'bob', '--json', ...where]);
    assert.deepEqual(
      jsonLines(bob.out).map(({ stream, revision }) => [stream, revision]),
      steps
        .filter(({ touched }) => touched.has('bob@example.org'))
        .map(({ key, revision }) => [`room-${key}`, revision]),
    );
  });

  it('history says that the log did not answer, not that it has no events of the room', async (t) => {
    const log = createLog();
    let reads = 0;
    // The stream is deleted between the read from a revision on, which finds nothing, and the question whether it exists.
    const stream = () => {
      reads += 1;
      return reads === 1 ? [] : 'deleted';
    };
    const other = await startDouble({ log: { ...log, stream } });
    t.after(() => other.stop());
    const { code, out, err } = await imcd(['history', 'chat-1', '--from', '99', ...where, '--store_url', other.url]);
    assert.deepEqual([code, out], [1, ''], err);
    assert.match(err, /^imcd: the stream was tombstoned/);
    assert.doesNotMatch(err, /no events/);
  });

  it('state shows rooms as they were', async () => {
    const time = steps[60]?.time ?? '';
    const last = new Map<string, Step>(steps.slice(0, 61).map((step) => [step.key, step]));
    const wanted = [...last.values()]
      .filter(({ after }) => after !== undefined)
      .map(({ after, revision }) => stateJson(BigInt(revision), after));
    const { out, err } = await imcd(['state', '--at', time, '--json', ...where]);
    const byRoom = (states: readonly unknown[]) =>
      states.map((one) => Object(one)).sort((a, b) => a.room.localeCompare(b.room));
    assert.deepEqual(byRoom(jsonLines(out)), byRoom(wanted), err);
    assert.equal((await imcd(['verify', ...where])).code, 0);
  });

  it('export moves a log to the embedded one and back, with the same events under the same ids', async (t) => {
    const exported = await imcd(['export', ...where]);
    assert.equal(lines(exported.out).length, 120, exported.err);
    const file = join(folder, 'log.ndjson');
    writeFileSync(file, exported.out);
    const embedded = ['--data', join(folder, 'embedded'), '--domains', 'example.org'];
    assert.equal((await imcd(['export', '--restore', file, ...embedded])).code, 0);
    const second = await startDouble();
    t.after(() => second.stop());
    const back = ['--store_url', second.url, '--data', folder];
    const again = await imcd(['export', '--restore', file, ...back]);
    assert.equal(again.code, 0, again.err);
    const content = (text: string) => jsonLines(text).map(({ position: _, ...event }) => event);
    for (const copy of [embedded, back])
      assert.deepEqual(content((await imcd(['export', ...copy])).out), content(exported.out));
  });

  it('a server that is not there is named, with no stack trace and no password', async () => {
    const { code, err } = await imcd(['history', 'chat-1', '--store_url', 'esdb://me:hunter2@127.0.0.1:1?tls=false']);
    assert.equal(code, 1);
    assert.match(err, /^imcd: .*127\.0\.0\.1:1/);
    assert.doesNotMatch(err, /hunter2|\n\s+at /);
  });
});
