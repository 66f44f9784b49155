import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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

/** Runs `imcd` with no option from outside, in UTC unless told otherwise. */
export const imcd = (args: readonly string[], { env = {}, cwd, input }: RunOptions = {}): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [cli, ...args], {
      env: { PATH: process.env.PATH, TZ: 'UTC', ...env },
      timeout: 60_000,
      ...(cwd === undefined ? {} : { cwd }),
    });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (part) => {
      out += part;
    });
    child.stderr.setEncoding('utf8').on('data', (part) => {
      err += part;
    });
    child.on('close', (code) => resolve({ code, out, err }));
    child.stdin.on('error', () => undefined); // it may end before it has read all
    child.stdin.end(input);
  });

/** A folder that goes away with the process. */
export const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'imcd-cli-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

export const lines = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');
/** One JSON value a line. */
export const jsonLines = (text: string) => lines(text).map((line) => JSON.parse(line));
