import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, 'docs', 'contributing');

describe('the pages on how to add something', () => {
  for (const page of globSync('how-to-*.md', { cwd: folder })) {
    it(`${page} names files that are there, but for the one that is to be made`, () => {
      const text = readFileSync(join(folder, page), 'utf8');
      const made = /\bSay `(?<name>[\w-]+)`/.exec(text)?.groups?.name;
      const named = [...text.matchAll(/`((?:src|test|docs|schemas|scripts|projections)\/[\w./-]+\.\w+)`/g)].map(
        ([, path = '']) => path,
      );
      const missing = named.filter((path) => !existsSync(join(root, path)) && !(made && path.includes(made)));
      assert.deepEqual(missing, []);
    });
  }
});
