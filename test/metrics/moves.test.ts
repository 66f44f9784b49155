import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { components } from '../../src/server/metrics.ts';
import { newEventStoreDbCounters } from '../../src/store/eventstoredb/counters.ts';
import { eventStoreDbMetrics } from '../../src/store/eventstoredb/metrics.ts';
import { engineStories } from './stories/engine.ts';
import { fanOutStories } from './stories/fan-out.ts';
import { logStories } from './stories/log.ts';
import { miStories } from './stories/mi.ts';
import { mirrorStories } from './stories/mirror.ts';
import { openPlace } from './stories/place.ts';
import { processStories } from './stories/process.ts';
import { registrarStories } from './stories/registrar.ts';
import { roomStories } from './stories/rooms.ts';
import { sipStories } from './stories/sip.ts';
import { readerOf, type Story, story, tell } from './story.ts';

/** Each metric, and each value of a label that a server shows from its start, is moved by what it says it counts. */

const folder = mkdtempSync(join(tmpdir(), 'imcd-metrics-'));
const place = await openPlace({
  args: [
    ...['--db_url', `sqlite:${join(folder, 'mirror.db')}`],
    ...['--mi.fifo', join(folder, 'fifo')],
    ...['--mi.datagram', '127.0.0.1:0'],
  ],
});
const onEventStoreDb = readerOf(eventStoreDbMetrics, {
  counters: newEventStoreDbCounters(),
  status: () => ({ kind: 'away', since: 0, reason: 'it has not been asked yet' }),
});
const fresh = [...(await place.read()), ...(await onEventStoreDb())];
after(async () => {
  await place.close();
  rmSync(folder, { recursive: true });
});

const stories: readonly Story[] = [
  ...roomStories(place),
  ...engineStories(place),
  ...fanOutStories(place),
  ...sipStories(place),
  ...registrarStories(place),
  ...logStories,
  ...mirrorStories(place),
  ...miStories(place),
  ...processStories,
];

describe('a metric moves when', () => {
  for (const one of stories) it(`${one.told}: ${one.series}`, () => tell(one));
});

describe('the stories', () => {
  const told = new Set(stories.map(({ series }) => series));
  const namesTold = new Set([...told].map((series) => series.replace(/\{.*/, '')));

  it('are told of every metric', () => {
    const names = components.flatMap(({ metrics }) => metrics.map(({ name }) => name));
    assert.deepEqual(
      names.filter((name) => !namesTold.has(name)),
      [],
    );
  });
  it('are told of every value of a label that a server shows at its start, with nothing in it', () => {
    const empty = fresh.filter(([, value]) => value === 0).map(([series]) => series);
    assert.ok(empty.length > 30, `only ${empty}`);
    assert.deepEqual(
      empty.filter((series) => !told.has(series)),
      [],
    );
  });
  it('fail where nothing moves', async () => {
    const idle = story('rooms', 'nothing happens', () => ({ read: place.read, act: () => {} }));
    await assert.rejects(tell(idle, 100), /imcd_rooms was \d+ before and is \d+ after/);
  });
});
