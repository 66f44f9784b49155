/**
 * `npm run bench -- NAME [options]`: runs `bench/NAME.ts` and prints what its `run` measured as JSON, with the machine and
 * the commit, so that two outputs can be compared.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { basename, join } from 'node:path';

/** What every benchmark exports: options as they stand on the command line in, plain data out. */
type Run = (args: readonly string[]) => Promise<unknown>;

const [name, ...args] = process.argv.slice(2);
const names = globSync('*.ts', { cwd: import.meta.dirname })
  .map((file) => basename(file, '.ts'))
  .filter((one) => one !== 'bench')
  .sort();

const runOf = (module: unknown): Run | undefined => {
  if (typeof module !== 'object' || module === null || !('run' in module)) return undefined;
  const { run } = module;
  return typeof run === 'function' ? async (given) => run(given) : undefined;
};

const git = (...command: string[]): string =>
  spawnSync('git', command, { cwd: import.meta.dirname, encoding: 'utf8' }).stdout.trim();

if (name === undefined || !names.includes(name)) {
  console.error(`usage: npm run bench -- ${names.join('|')} [options]`);
  process.exit(2);
}
const run = runOf(await import(join(import.meta.dirname, `${name}.ts`)));
if (run === undefined) throw new Error(`bench/${name}.ts exports no function named run`);
const started = performance.now();
const result = await run(args);
const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
const machine = { processors: cpus().length, model: cpus()[0]?.model ?? 'unknown', memoryMb: totalmem() >> 20 };
console.log(
  JSON.stringify(
    {
      bench: name,
      commit: git('rev-parse', '--short', 'HEAD') + (changed ? ' with changes' : ''),
      node: process.version,
      machine: { ...machine, memoryMb: Math.round(totalmem() / 2 ** 20) },
      seconds: Number(((performance.now() - started) / 1_000).toFixed(1)),
      result,
    },
    undefined,
    2,
  ),
);
