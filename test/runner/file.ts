import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endAll, markName, type Started, startedBy } from './processes.ts';
import type { Line } from './reporter.ts';

/** One test file, in a process group of its own: run, watched, and ended with all that it started where it takes too long. */

export interface Outcome {
  readonly file: string;
  /** What it printed, for people. */
  readonly output: string;
  readonly seconds: number;
  readonly passed: number;
  /** What failed, by name; a file that was ended, with what it waited for. */
  readonly failed: readonly string[];
  /** Tests and whole suites that were skipped, by name, with the reason. */
  readonly skipped: readonly string[];
}

const reporter = join(import.meta.dirname, 'reporter.ts');
/** The files that run, by the process that leads their group. */
const running = new Map<number, string>();
let serial = 0;

/** Ends every file that runs, and all that it started. */
export const endRunning = (): void => {
  for (const [pid, mark] of running) endAll([...startedBy(pid, mark).map((one) => one.pid), pid]);
};

/**
 * @param file relative to `root`, where it runs
 * @param mostMs milliseconds that the whole file may take
 */
export const runFile = async (file: string, root: string, mostMs: number): Promise<Outcome> => {
  const folder = mkdtempSync(join(tmpdir(), 'imcd-run-'));
  const report = join(folder, 'report.ndjson');
  serial += 1;
  const mark = `${process.pid}-${serial}`;
  const began = performance.now();
  const toPeople = ['--test-reporter=spec', '--test-reporter-destination=stdout'];
  const toUs = [`--test-reporter=${reporter}`, `--test-reporter-destination=${report}`];
  const child = spawn(process.execPath, [...toPeople, ...toUs, join(root, file)], {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, [markName]: mark },
  });
  const pid = child.pid ?? 0;
  running.set(pid, mark);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  let late: string | undefined;
  const timer = setTimeout(() => {
    const started = startedBy(pid, mark);
    late = `ended after ${Math.round(mostMs / 1_000)} s; ${waitedFor(linesOf(report), started)}`;
    endAll([...started.map((one) => one.pid), pid]);
  }, mostMs);
  // `exit`, and not `close`: what it left behind may hold its pipes open.
  const [code, signal] = await once(child, 'exit');
  clearTimeout(timer);
  const left = startedBy(pid, mark);
  endAll(left.map((one) => one.pid));
  running.delete(pid);
  if (!child.stdout.readableEnded) await once(child, 'close');

  const lines = linesOf(report);
  rmSync(folder, { recursive: true, force: true });
  const failed = lines.filter((line) => line.did === 'failed' && line.byItsTests !== true).map(({ name }) => name);
  if (late !== undefined) failed.push(late);
  else if (code !== 0 && failed.length === 0) failed.push(`the file ended with ${code ?? signal}`);
  const skipped = lines.filter(({ did }) => did === 'skipped');
  return {
    file,
    output: left.length === 0 || late !== undefined ? output : `${output}${file} left running: ${commandsOf(left)}\n`,
    seconds: (performance.now() - began) / 1_000,
    passed: lines.filter(({ did, suite }) => did === 'passed' && !suite).length,
    failed: failed.map((what) => `${file}: ${what}`),
    skipped: skipped.map(({ name, why }) => `${file}: ${name}${why === undefined ? '' : `: ${why}`}`),
  };
};

const linesOf = (report: string): readonly Line[] => {
  if (!existsSync(report)) return [];
  const text = readFileSync(report, 'utf8');
  // The last line may be half written.
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
};

/** What a file was at, as a sentence. */
const waitedFor = (lines: readonly Line[], started: readonly Started[]): string => {
  const open: Line[] = [];
  for (const line of lines) {
    const same = open.findLastIndex(({ name, nesting }) => name === line.name && nesting === line.nesting);
    if (line.did === 'begun') open.push(line);
    else if (line.did === 'ended' && same >= 0) open.splice(same, 1);
  }
  const inside = open.map(({ name }) => name).join(' > ');
  const at = inside === '' ? 'every test that began has ended, and the file has not' : `it was in: ${inside}`;
  return started.length === 0 ? at : `${at}; it had running: ${commandsOf(started)}`;
};

const commandsOf = (started: readonly Started[]): string =>
  started
    .map(({ pid, command }) => `${pid} ${command.length > 160 ? `${command.slice(0, 157)}...` : command}`)
    .join('; ');
