/**
 * `npm test`: types, lint, then every `*.test.ts` below `test/`, two files at a time. Ends with one line, `N passed, N failed`
 * (`, N skipped`), and before it names what failed, and what was skipped and why. Arguments are parts of file names:
 * `npm test -- room store`.
 *
 * A file that takes longer than `TEST_FILE_MINUTES` (8) is ended with all that it started, and named with what it waited for.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { endRunning, type Outcome, runFile } from './runner/file.ts';

const root = join(import.meta.dirname, '..');
const wanted = process.argv.slice(2);
const minutes = Number(process.env.TEST_FILE_MINUTES ?? 8);
if (!(minutes > 0))
  throw new Error(`TEST_FILE_MINUTES is ${process.env.TEST_FILE_MINUTES}; a number of minutes is needed`);
const atOnce = 2;

let passed = 0;
const failed: string[] = [];
const skipped: string[] = [];

for (const [name, ...args] of [
  ['tsc', '--noEmit'],
  ['biome', 'ci', '--error-on-warnings', process.stdout.isTTY ? '--colors=force' : '--colors=off'],
] as const) {
  const { status } = spawnSync(join(root, 'node_modules', '.bin', name), args, { cwd: root, stdio: 'inherit' });
  if (status === 0) passed += 1;
  else failed.push(`${name} ${args.join(' ')}`);
}

const files = globSync('test/**/*.test.ts', { cwd: root })
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort();
if (files.length === 0) failed.push(`no test file has ${wanted.join(' or ')} in its name`);

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    endRunning();
    process.exit(1);
  });

const take = (outcome: Outcome): void => {
  passed += outcome.passed;
  failed.push(...outcome.failed);
  skipped.push(...outcome.skipped);
  // Node's own sums go: they are of one file.
  const told = outcome.output.replace(/^(?:\x1b\[\d+m)?ℹ .*\n/gm, '').trimEnd();
  console.log(`\n${outcome.file} (${outcome.seconds.toFixed(1)} s)\n${told}`);
};
const waiting = [...files];
const work = async (): Promise<void> => {
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift())
    take(await runFile(file, root, minutes * 60_000));
};
await Promise.all(Array.from({ length: atOnce }, work));

console.log();
for (const line of skipped) console.log(`skipped: ${line}`);
for (const line of failed) console.log(`failed: ${line}`);
console.log(`${passed} passed, ${failed.length} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`);
process.exitCode = failed.length === 0 ? 0 : 1;
