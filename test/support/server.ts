import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

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
  /** Folder that outlives the server. */
  readonly data?: string;
}

const main = join(import.meta.dirname, '..', '..', 'src', 'cli.ts');
/** Replay of a test's log and two cores that others use. */
const startMs = 30_000;

/** Resolves when the server is ready; rejects with what it said where it ends before. */
export const startTestServer = async ({ args = [], data }: TestServerOptions = {}): Promise<TestServer> => {
  const folder = data ?? mkdtempSync(join(tmpdir(), 'imcd-test-'));
  const fixed = ['--listen', 'udp:127.0.0.1:0,tcp:127.0.0.1:0', '--mi.http', '127.0.0.1:0', '--log.format', 'json'];
  const child = spawn(process.execPath, [main, 'serve', '--data', folder, ...fixed, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: cleanEnvironment(),
  });
  const exited = once(child, 'exit');
  const lines: LogLine[] = [];
  const said: string[] = [];
  const ready = new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`imcd serve is not ready within ${startMs} ms`)), startMs);
    const done = (settle: () => void): void => {
      clearTimeout(late);
      settle();
    };
    createInterface({ input: child.stderr }).on('line', (line) => {
      const parsed = logLine(line);
      if (parsed === undefined) said.push(line);
      else lines.push(parsed);
      if (parsed?.msg === 'ready') done(resolve);
    });
    // After `close` all of stderr has been read.
    child.once('close', (code) => done(() => reject(new Error(`imcd serve ended with ${code}`))));
  });
  try {
    await ready;
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`${String(error)}. It said: ${said.join('\n')}${JSON.stringify(lines)}`, { cause: error });
  }
  const port = (transport: string): number => Number(lines.find((line) => line.transport === transport)?.port ?? 0);
  return {
    udp: port('udp'),
    tcp: port('tcp'),
    mi: port('http'),
    pid: child.pid ?? 0,
    data: folder,
    lines,
    stop: async () => {
      const code = await end(child, exited, 'SIGTERM');
      if (data === undefined) rmSync(folder, { recursive: true, force: true });
      return code;
    },
    kill: async () => void (await end(child, exited, 'SIGKILL')),
  };
};

const end = async (child: ChildProcess, exited: Promise<unknown[]>, signal: NodeJS.Signals): Promise<number | null> => {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  await exited;
  return child.exitCode;
};

/** The person's own IMCD_ variables are none of the test's business. */
const cleanEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('IMCD_')));

const logLine = (line: string): LogLine | undefined => {
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed !== 'object' || parsed === null || !('msg' in parsed)) return undefined;
    return { ...parsed, level: 'level' in parsed ? String(parsed.level) : '', msg: String(parsed.msg) };
  } catch {
    return undefined; // not a line of the log
  }
};
