import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const src = join(import.meta.dirname, '..', '..', 'src');
const files = globSync('**/*.ts', { cwd: src }).map((file) => file.replaceAll('\\', '/'));
const textOf = (file: string): string => readFileSync(join(src, file), 'utf8');

describe('names', () => {
  it('of exports have one meaning each: none is exported by two files', () => {
    const places = new Map<string, Set<string>>();
    for (const file of files) {
      for (const [, name = ''] of textOf(file).matchAll(
        /^export (?:abstract |async )?(?:const|let|function|class|interface|type) (\w+)/gm,
      ))
        places.set(name, (places.get(name) ?? new Set()).add(file));
    }
    assert.ok(places.size > 400, `only ${places.size} exports were found`);
    places.delete('run'); // what every command of the CLI exports
    const twice = [...places].filter(([, at]) => at.size > 1).map(([name, at]) => `${name}: ${[...at].join(', ')}`);
    assert.deepEqual(twice, []);
  });

  it('of constants are in camel case', () => {
    const shouted = files.flatMap((file) =>
      [...textOf(file).matchAll(/^\s*(?:export )?(?:const|let) ([A-Z][A-Z0-9_]*)\b(?! = t\.)/gm)].map(
        ([, name]) => `${file}: ${name}`,
      ),
    );
    assert.deepEqual(shouted, []);
  });

  it('of a Left and a Right are asked for by E.isLeft and E.isRight', () => {
    assert.deepEqual(
      files.filter((file) => /\b_tag\b/.test(textOf(file))),
      [],
    );
  });
});
