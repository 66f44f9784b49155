/**
 * `npm test`: types, lint, then every `*.test.ts` below `test/`. Ends with one line, `N passed, N failed` (`, N skipped`),
 * and before it names what was skipped and why. Arguments are parts of file names: `npm test -- room store`.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const root = join(import.meta.dirname, '..');
const wanted = process.argv.slice(2);
const bin = (name: string) => join(root, 'node_modules', '.bin', name);

let passed = 0;
let failed = 0;
const skipped: string[] = [];

for (const [name, ...args] of [
  ['tsc', '--noEmit'],
  ['biome', 'ci', '--error-on-warnings', process.stdout.isTTY ? '--colors=force' : '--colors=off'],
] as const) {
  const { status } = spawnSync(bin(name), args, { cwd: root, stdio: 'inherit' });
  if (status === 0) passed += 1;
  else failed += 1;
}

const files = globSync('test/**/*.test.ts', { cwd: root })
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort()
  .map((file) => join(root, file));
if (files.length === 0) {
  console.error(`no test file has ${wanted.join(' or ')} in its name`);
  failed += 1;
}

const tests = run({ files, concurrency: 2, timeout: 10 * 60_000, cwd: root });
tests.on('test:pass', (test) => {
  if (test.details.type === 'suite') return;
  if (test.skip === undefined && test.todo === undefined) passed += 1;
  else skipped.push(`${test.name}: ${test.skip || test.todo}`);
});
tests.on('test:fail', (test) => {
  // A suite fails with its tests, which are counted; it counts itself only where it failed by itself.
  const { error } = test.details;
  const ofItsTests = 'failureType' in error && error.failureType === 'subtestsFailed';
  if (test.details.type !== 'suite' || !ofItsTests) failed += 1;
});
tests
  .compose(new spec())
  .on('end', () => {
    for (const line of skipped) console.log(`skipped: ${line}`);
    const tail = skipped.length > 0 ? `, ${skipped.length} skipped` : '';
    console.log(`${passed} passed, ${failed} failed${tail}`);
    process.exitCode = failed === 0 ? 0 : 1;
  })
  .pipe(process.stdout);
