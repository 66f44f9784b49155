import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { atEnd } from './at-end.ts';
import type { CrashPoint } from './crash-points.ts';
import { cli } from './imcd.ts';

/** `imcd serve` as a process of its own: on loopback, on free ports, in a temporary folder, ended by its pid. */
export interface TestServer {
  readonly udp: number;
  readonly tcp: number;
  /** Port of the management interface. */
  readonly mi: number;
  readonly pid: number;
  readonly data: string;
  /** Log lines so far. */
  readonly lines: readonly LogLine[];
  /** The first line of the log that is so, of those that have come or will come; rejects where it ends without. */
  readonly line: (is: (line: LogLine) => boolean) => Promise<LogLine>;
  /** All that it has written so far. */
  readonly said: () => string;
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Its exit code, when it has ended and all that it said is here; null where a signal has ended it. */
  readonly ended: Promise<number | null>;
  /** SIGTERM; resolves with the exit code. Removes the folder unless it was given. */
  readonly stop: () => Promise<number | null>;
  /** SIGKILL; the folder stays. */
  readonly kill: () => Promise<void>;
}

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface TestServerOptions {
  /** Options as on the command line, `--domains a,b`; they stand behind those that every test server has. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Folder that outlives the server. */
  readonly data?: string;
  /** It kills itself with SIGKILL when it comes to a point for the `times`th time. */
  readonly crash?: { readonly point: CrashPoint; readonly times: number };
}

/** It ended before it was ready: with this code, or by a signal. */
export class NotStarted extends Error {
  readonly code: number | null;
  constructor(code: number | null, said: string) {
    super(`imcd serve ended with ${code ?? 'a signal'}. It said: ${said}`);
    this.code = code;
  }
}

const crashing = join(import.meta.dirname, 'crashing-server.ts');
const fixed = ['--listen', 'udp:127.0.0.1:0,tcp:127.0.0.1:0', '--mi.http', '127.0.0.1:0'];

/** Resolves when the server is ready; rejects with what it said where it ends before. The server ends with the test file at the latest. */
export const startTestServer = async (options: TestServerOptions = {}): Promise<TestServer> => {
  const { args = [], env = {}, cwd, data, crash } = options;
  const folder = data ?? mkdtempSync(join(tmpdir(), 'imcd-test-'));
  const program = crash === undefined ? [cli, 'serve'] : [crashing];
  const crashAt = crash === undefined ? {} : { CRASH_AT: `${crash.point}:${crash.times}` };
  const child = spawn(process.execPath, [...program, ...fixed, '--data', folder, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...cleanEnvironment(), ...env, ...crashAt },
    ...(cwd === undefined ? {} : { cwd }),
  });
  const lines: LogLine[] = [];
  const told: string[] = [];
  const said = (): string => told.join('\n');
  const news = new EventEmitter().setMaxListeners(0);
  let running = true;
  createInterface({ input: child.stderr }).on('line', (text) => {
    told.push(text);
    const parsed = logLine(text);
    if (parsed !== undefined) lines.push(parsed);
    news.emit('some');
  });
  // After `close` all of stderr has been read.
  const ended = once(child, 'close').then(([code]): number | null => {
    running = false;
    news.emit('some');
    return code;
  });
  const line: TestServer['line'] = async (is) => {
    for (;;) {
      const found = lines.find(is);
      if (found !== undefined) return found;
      if (!running) throw new NotStarted(await ended, said());
      await once(news, 'some');
    }
  };
  const end = (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return ended;
  };
  atEnd(() => end('SIGKILL'));
  await line(({ msg }) => msg === 'ready');
  const port = (transport: string): number => Number(lines.find((one) => one.transport === transport)?.port ?? 0);
  return {
    udp: port('udp'),
    tcp: port('tcp'),
    mi: port('http'),
    pid: child.pid ?? 0,
    data: folder,
    lines,
    line,
    said,
    ended,
    signal: (signal) => void child.kill(signal),
    stop: async () => {
      const code = await end('SIGTERM');
      if (data === undefined) rmSync(folder, { recursive: true, force: true });
      return code;
    },
    kill: async () => void (await end('SIGKILL')),
  };
};

/** The person's own IMCD_ variables are none of the test's business. */
const cleanEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('IMCD_')));

const logLine = (text: string): LogLine | undefined => {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || !('msg' in parsed)) return undefined;
    return { ...parsed, level: 'level' in parsed ? String(parsed.level) : '', msg: String(parsed.msg) };
  } catch {
    return undefined; // not a line of the log
  }
};
