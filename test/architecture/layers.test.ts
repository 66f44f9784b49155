import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, it } from 'node:test';

const root = join(import.meta.dirname, '..', '..');
const src = join(root, 'src');
const files = globSync('**/*.{ts,d.ts}', { cwd: src }).map((file) => file.replaceAll('\\', '/'));

interface Import {
  readonly file: string;
  readonly target: string;
}

const importsOf = (file: string): readonly Import[] =>
  [...readFileSync(join(src, file), 'utf8').matchAll(/(?:from|import|new URL\()\s*\(?\s*'([^']+)'/g)].map((match) => ({
    file,
    target: match[1] ?? '',
  }));
const imports = files.flatMap(importsOf);
const internal = imports
  .filter(({ target }) => target.startsWith('.'))
  .map(({ file, target }) => ({ file, target: normalize(join(dirname(file), target)).replaceAll('\\', '/') }))
  .filter(({ target }) => !target.startsWith('..'));

const sip = (...inner: readonly string[]): readonly string[] => inner.map((one) => `sip/${one}`);
const low = ['room', 'ports', 'bounds', 'net'];

/**
 * What each room of the house may import, type imports included: `room <- ports <- bounds <- read-models <- engine <- {store,
 * projections, sip, sql, mi, metrics} <- server <- cli`. `net` imports nothing; adapters never import each other; inside
 * `sip`, `sql` and `store` the folders are rooms of their own. A folder that does not stand here fails the test.
 */
const allowed: Readonly<Record<string, readonly string[]>> = {
  room: [],
  net: [],
  ports: ['room'],
  bounds: ['ports'],
  'read-models': ['room', 'ports', 'bounds'],
  engine: ['room', 'ports', 'bounds', 'read-models'],
  store: low,
  'store/sqlite': [...low, 'store'],
  'store/eventstoredb': [...low, 'store'],
  projections: low,
  'sip/message': ['room', 'net'],
  'sip/transport': ['ports', 'bounds', 'net', ...sip('message')],
  'sip/transaction': ['ports', 'net', ...sip('message', 'transport')],
  'sip/registrar': [...low, ...sip('message', 'transport', 'transaction')],
  'sip/fan-out': [...low, ...sip('message', 'transport', 'transaction', 'registrar')],
  'sip/server': [...low, 'engine', ...sip('message', 'transport', 'transaction', 'registrar')],
  sip: [...low, 'engine', ...sip('message', 'transport', 'transaction', 'registrar', 'fan-out', 'server')],
  'sql/database': ['ports', 'net'],
  'sql/mirror': [...low, 'engine', 'sql/database'],
  sql: [...low, 'sql/database', 'sql/mirror'],
  mi: [...low, 'read-models', 'engine'],
  metrics: ['ports'],
  config: ['net'],
  runtime: ['ports'],
};
/** The composition: `server` knows all but `cli`, `cli` knows all. */
const composition = new Set(['server', 'cli', 'cli.ts']);
/** Folders whose inner folders are rooms of their own. */
const divided = new Set(['sip', 'sql', 'store']);

const roomOf = (file: string): string => {
  const [first = '', second] = file.split('/');
  return divided.has(first) && file.split('/').length > 2 ? `${first}/${second}` : first;
};
const arrows = internal
  .map(({ file, target }) => ({ file, target, from: roomOf(file), to: roomOf(target) }))
  .filter(({ from, to }) => from !== to);

describe('the layers', () => {
  it('reads files at all', () => {
    assert.ok(files.length > 200, `only ${files.length} files under ${relative(root, src)}`);
    assert.ok(internal.length > 500, `only ${internal.length} relative imports`);
  });

  it('knows every folder', () => {
    const unknown = files.map(roomOf).filter((room) => !(room in allowed) && !composition.has(room));
    assert.deepEqual([...new Set(unknown)], []);
  });

  it('imports only downwards', () => {
    const wrong = arrows.filter(({ from, to }) => !composition.has(from) && !allowed[from]?.includes(to));
    assert.deepEqual(
      wrong.map(({ file, target }) => `${file} -> ${target}`),
      [],
    );
    const upwards = arrows.filter(({ from, to }) => from === 'server' && to.startsWith('cli'));
    assert.deepEqual(upwards, []);
  });

  it('imports npm sip and the EventStoreDB client in one place each', () => {
    const importers = (name: string) => [
      ...new Set(imports.filter((i) => i.target === name || i.target.startsWith(`${name}/`)).map((i) => i.file)),
    ];
    assert.deepEqual(importers('sip'), ['sip/message/uri.ts']);
    assert.deepEqual(importers('@eventstore/db-client'), ['store/eventstoredb/client.ts']);
  });

  it('keeps the domain pure: no node:*, no clock, no chance', () => {
    for (const file of files.filter((f) => f.startsWith('room/'))) {
      const text = readFileSync(join(src, file), 'utf8');
      assert.doesNotMatch(text, /'node:|Date\.now|new Date\(\)|Math\.random|process\./, file);
    }
  });

  it('has no Promise and no fp-ts on the hot path', () => {
    const hot = new Set(['sip/transport', 'sip/transaction', 'sip/fan-out', 'read-models']);
    const wrong = imports.filter(({ file, target }) => hot.has(roomOf(file)) && target.startsWith('fp-ts'));
    assert.deepEqual(wrong, []);
    const fanOut = files.filter((file) => roomOf(file) === 'sip/fan-out');
    for (const file of fanOut)
      assert.doesNotMatch(readFileSync(join(src, file), 'utf8'), /\bPromise\b|\basync\b/, file);
  });

  it('has no cycles', () => {
    const edges = new Map<string, string[]>();
    for (const { file, target } of internal) edges.set(file, [...(edges.get(file) ?? []), target]);
    const state = new Map<string, 'open' | 'done'>();
    const visit = (file: string, path: readonly string[]): void => {
      if (state.get(file) === 'done') return;
      assert.notEqual(state.get(file), 'open', `cycle: ${[...path, file].join(' -> ')}`);
      state.set(file, 'open');
      for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
      state.set(file, 'done');
    };
    for (const file of edges.keys()) visit(file, []);
  });
});
