import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd } from './at-end.ts';

export const cli = join(import.meta.dirname, '..', '..', 'src', 'cli.ts');

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
}

/** An `imcd` command that runs. */
export interface RunningImcd {
  /** What it has said so far. */
  readonly said: { readonly out: string; readonly err: string };
  /** Resolves when stdout is as asked; rejects when it has ended before. */
  readonly hears: (is: (out: string) => boolean) => Promise<void>;
  readonly type: (line: string) => void;
  /** Ends its input, with this as the last of it. */
  readonly leave: (input?: string) => Promise<Ended>;
  /** Asks it to end. */
  readonly kill: (signal: NodeJS.Signals) => Promise<Ended>;
  readonly ended: Promise<Ended>;
}

/** A command that takes longer hangs, and is ended. */
const hangMs = 120_000;

/** Starts `imcd` with no option from outside, in UTC unless told otherwise. It ends with the test file at the latest. */
export const startImcd = (args: readonly string[], { env = {}, cwd }: Omit<RunOptions, 'input'> = {}): RunningImcd => {
  const child: ChildProcessWithoutNullStreams = spawn(process.execPath, [cli, ...args], {
    env: { PATH: process.env.PATH, TZ: 'UTC', ...env },
    timeout: hangMs,
    ...(cwd === undefined ? {} : { cwd }),
  });
  const said = { out: '', err: '' };
  const heard = new EventEmitter();
  child.stdout.setEncoding('utf8').on('data', (part) => {
    said.out += part;
    heard.emit('more');
  });
  child.stderr.setEncoding('utf8').on('data', (part) => {
    said.err += part;
  });
  child.stdin.on('error', () => undefined); // it may end before it has read all
  atEnd(() => child.kill('SIGKILL'));
  const ended = once(child, 'close').then(([code]): Ended => {
    heard.emit('more');
    return { code, ...said };
  });
  return {
    said,
    ended,
    hears: async (is) => {
      while (!is(said.out)) {
        assert.ok(child.exitCode === null && child.signalCode === null, `ended with: ${said.out} ${said.err}`);
        await once(heard, 'more');
      }
    },
    type: (line) => void child.stdin.write(`${line}\n`),
    leave: (input = '') => {
      child.stdin.end(input);
      return ended;
    },
    kill: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
};

/** Runs `imcd` to its end. */
export const imcd = (args: readonly string[], { input, ...options }: RunOptions = {}): Promise<Ended> =>
  startImcd(args, options).leave(input);

/** A folder that goes away with the process. */
export const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'imcd-test-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

export const lines = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');
/** One JSON value a line. */
export const jsonLines = (text: string) => lines(text).map((line) => JSON.parse(line));
