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
  .map(({ file, target }) => ({ file, target: normalize(join(dirname(file), target)).replaceAll('\\', '/') }));

const layerOf = (file: string): string => (file.includes('/') ? (file.split('/')[0] ?? '') : file);

/**
 * What each layer may import of the others:
 * `room <- ports <- read-models <- engine <- {store, projections, sip, mi, metrics, sql} <- server, cli`.
 */
const allowed: Readonly<Record<string, readonly string[]>> = {
  room: [],
  ports: ['room'],
  'read-models': ['room', 'ports'],
  engine: ['room', 'ports', 'read-models'],
  store: ['room', 'ports', 'read-models', 'engine'],
  projections: ['room', 'ports', 'engine'],
  sip: ['room', 'ports', 'read-models', 'engine'],
  mi: ['room', 'ports', 'read-models', 'engine', 'metrics'],
  metrics: ['engine', 'mi/ports.ts'],
  sql: ['room', 'ports', 'read-models', 'engine'],
  config: [],
  runtime: ['ports', '../package.json'],
};

describe('the layers', () => {
  it('reads files at all', () => {
    assert.ok(files.length > 5, `only ${files.length} files under ${relative(root, src)}`);
    assert.ok(internal.length > 10, `only ${internal.length} relative imports`);
  });

  it('imports only downwards', () => {
    const wrong = internal.filter(({ file, target }) => {
      const from = layerOf(file);
      const may = allowed[from];
      if (may === undefined) return false; // server, cli: the composition
      const to = layerOf(target);
      return to !== from && !may.includes(to) && !may.includes(target);
    });
    assert.deepEqual(wrong, []);
  });

  it('imports npm sip, the EventStoreDB client and the configuration in one place each', () => {
    const importers = (name: string) => [
      ...new Set(imports.filter((i) => i.target.split('/')[0] === name || i.target === name).map((i) => i.file)),
    ];
    const one = (name: string, file: string) =>
      assert.deepEqual(
        importers(name).filter((f) => f !== file),
        [],
        `${name} is imported outside ${file}`,
      );
    one('sip', 'sip/message/grammar.ts');
    one('@eventstore/db-client', 'store/eventstoredb/client.ts');
    const config = internal.filter(
      ({ file, target }) =>
        target.startsWith('config/') && !['config', 'server', 'cli.ts', 'cli'].includes(layerOf(file)),
    );
    assert.deepEqual(config, []);
  });

  it('keeps the domain pure: no node:*, no clock, no chance', () => {
    for (const file of files.filter((f) => f.startsWith('room/'))) {
      const text = readFileSync(join(src, file), 'utf8');
      assert.doesNotMatch(text, /'node:|Date\.now|new Date\(\)|Math\.random|process\./, file);
    }
  });

  it('has no Promise and no fp-ts on the hot path', () => {
    const hot = files.filter((f) => /^(sip\/transport\/|sip\/transaction\/|sip\/fan-out\/|read-models\/)/.test(f));
    const wrong = imports.filter(({ file, target }) => hot.includes(file) && target.startsWith('fp-ts'));
    assert.deepEqual(wrong, []);
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
