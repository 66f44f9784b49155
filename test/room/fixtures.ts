import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A stored event, as `test/fixtures/events` keeps it: never edited, to be decoded for ever. */
export interface Fixture {
  readonly file: string;
  readonly type: string;
  readonly data: unknown;
  readonly metadata: unknown;
}

const folder = join(import.meta.dirname, '..', 'fixtures', 'events');

const read = (file: string): Fixture => {
  const stored: unknown = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  assert.ok(
    typeof stored === 'object' && stored !== null && 'type' in stored && 'data' in stored && 'metadata' in stored,
  );
  assert.ok(typeof stored.type === 'string');
  return { file, type: stored.type, data: stored.data, metadata: stored.metadata };
};

export const fixtures: readonly Fixture[] = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map(read);
