import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const cli = join(import.meta.dirname, '..', '..', 'src', 'cli');

describe('the error channel of the command line', () => {
  it('is the Left: nothing is thrown but what was caught, and what reading the log throws', () => {
    const files = globSync('**/*.ts', { cwd: cli });
    assert.ok(files.length > 30, `only ${files.length} files`);
    const thrown = files.flatMap((file) =>
      [
        ...readFileSync(join(cli, file), 'utf8').matchAll(/\bthrow\b(?! (?:error|cause);| new StoreError\()[^\n]*/g),
      ].map(([line]) => `${file}: ${line}`),
    );
    assert.deepEqual(thrown, []);
  });
});
