import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startDouble } from '../support/eventstoredb/server.ts';
import { samplesOf, scrape } from './scrape.ts';
import { openPlace, type Place } from './stories/place.ts';

/** A metric as the reference has it, or a scrape. */
interface Shown {
  readonly kind: string;
  readonly help: string;
}

interface Row extends Shown {
  readonly name: string;
  readonly labels: readonly string[];
}

/** A heading of the reference, the sentence that says when its metrics are there, and they. */
interface Section {
  readonly when: string | undefined;
  readonly rows: readonly Row[];
}

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'reference', 'metrics.md'), 'utf8');
const unquoted = (cell = ''): string => cell.replaceAll('`', '').replaceAll('\\|', '|');

const sections: readonly Section[] = page
  .split(/^## /m)
  .slice(1)
  .map((text) => ({
    when: /^(With .*)$/m.exec(text)?.[1],
    rows: [...text.matchAll(/^\| (`imcd_.*) \|$/gm)].map(([, row = '']) => {
      const [name, kind = '', labels, help = ''] = row.split(' | ').map(unquoted);
      return { name: name ?? '', kind, help, labels: (labels ?? '').split(', ').filter((label) => label !== '') };
    }),
  }));

/** What `# HELP` and `# TYPE` say, by name. */
const shownIn = (text: string): ReadonlyMap<string, Shown> => {
  const helps = new Map([...text.matchAll(/^# HELP (\w+) (.*)$/gm)].map(([, name = '', help = '']) => [name, help]));
  const kinds = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)];
  return new Map(kinds.map(([, name = '', kind = '']) => [name, { kind, help: helps.get(name) ?? '' }]));
};

/** Names of labels, by metric, where there are values. */
const labelsIn = (text: string): ReadonlyMap<string, readonly string[]> => {
  const histograms = new Set([...shownIn(text)].flatMap(([name, { kind }]) => (kind === 'histogram' ? [name] : [])));
  const found = new Map<string, readonly string[]>();
  for (const { name, labels } of samplesOf(text)) {
    const metric = name.replace(/_(bucket|sum|count)$/, '');
    const names = labels.map(([label]) => label);
    if (!histograms.has(metric)) found.set(name, names);
    else if (name.endsWith('_bucket')) found.set(metric, names);
  }
  return found;
};

/** @param conditions which of the reference's conditions hold */
const compares = (conditions: Readonly<Record<string, boolean>>, open: () => Promise<Place>): void => {
  let place: Place;
  let text: string;
  const documented = sections.flatMap(({ when, rows }) => (when === undefined || conditions[when] ? rows : []));
  before(async () => {
    place = await open();
    const ann = await place.user('ann');
    assert.equal((await ann.say(place.room(), '#join')).status, 200);
    assert.equal((await ann.request({ method: 'INFO', uri: 'sip:localhost' })).status, 405);
    text = await scrape(place.server.mi);
  });
  after(() => place.close());

  it('are all that the reference has, and no others', () => {
    for (const { when } of sections) assert.ok(when === undefined || when in conditions, when);
    assert.ok(documented.length > 45);
    assert.deepEqual([...shownIn(text).keys()].toSorted(), documented.map(({ name }) => name).toSorted());
  });
  it('have their types and help texts', () => {
    const wanted = documented.map(({ name, kind, help }) => [name, { kind, help }] as const);
    assert.deepEqual(new Map([...shownIn(text)].toSorted()), new Map(wanted.toSorted()));
  });
  it('have their labels, where there are values', () => {
    const found = labelsIn(text);
    assert.ok(found.size > 40, `only ${[...found.keys()]}`);
    for (const { name, labels } of documented) assert.deepEqual(found.get(name) ?? labels, labels, name);
  });
};

const withMirror = 'With `db_url`.';
const withEventStoreDb = 'With `store_url: esdb://...`.';

describe('the metrics of a server with its log in SQLite and a mirror', () => {
  const folder = mkdtempSync(join(tmpdir(), 'imcd-metrics-'));
  after(() => rmSync(folder, { recursive: true }));
  compares({ [withMirror]: true, [withEventStoreDb]: false }, () =>
    openPlace({ args: ['--db_url', `sqlite:${join(folder, 'mirror.db')}`] }),
  );
});

describe('the metrics of a server with its log on EventStoreDB', () => {
  let stop: () => Promise<void>;
  after(() => stop());
  compares({ [withMirror]: false, [withEventStoreDb]: true }, async () => {
    const double = await startDouble();
    stop = double.stop;
    return openPlace({ args: ['--store_url', double.url, '--db_url', 'none'] });
  });
});
