import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An `imcd serve` of its own, in a folder of its own, on loopback. */
export interface Server {
  readonly pid: number;
  readonly sipPort: number;
  readonly stop: () => Promise<void>;
}

export interface ServerOptions {
  readonly domain: string;
  /** `sip:HOST:PORT` of the load tool. */
  readonly outboundProxy: string;
  /** `sqlite`: the embedded log, as an operator has it; `memory`: without a disk. */
  readonly store: 'sqlite' | 'memory';
  /** Pins the server to a processor, where `taskset` is there: the other one is the load's. */
  readonly processor?: number;
  /** Flags for node, for example `--cpu-prof`. */
  readonly nodeFlags: readonly string[];
}

const readyMs = 30_000;

export const startServer = async (options: ServerOptions): Promise<Server> => {
  const folder = mkdtempSync(join(tmpdir(), 'imcd-bench-'));
  const sipPort = await freePort();
  const settings: Record<string, string> = {
    IMCD_LISTEN: `udp:127.0.0.1:${sipPort}`,
    IMCD_DOMAINS: options.domain,
    IMCD_OUTBOUND_PROXY: options.outboundProxy,
    IMCD_DATA: join(folder, 'data'),
    IMCD_MI__HTTP: `127.0.0.1:${await freePort()}`,
    IMCD_DB_URL: 'none',
    IMCD_LOG__LEVEL: 'info',
    IMCD_LOG__FORMAT: 'json',
    ...(options.store === 'memory' ? { IMCD_STORE_URL: 'memory:' } : {}),
  };
  // As `npm start` does: V8 left alone takes 100 MB more before it collects, and no faster.
  const memory = ['--max-semi-space-size=8', '--heap-growing-percent=50'];
  const command = [
    process.execPath,
    ...memory,
    ...options.nodeFlags,
    join(import.meta.dirname, '..', '..', 'src', 'cli.ts'),
    'serve',
  ];
  const pinned = options.processor === undefined ? command : ['taskset', '-c', String(options.processor), ...command];
  const [program = '', ...args] = pinned;
  const child = spawn(program, args, { env: { ...process.env, ...settings }, stdio: ['ignore', 'ignore', 'pipe'] });
  await ready(child);
  if (child.pid === undefined) throw new Error('the server has no process id');
  return {
    pid: child.pid,
    sipPort,
    stop: async () => {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

/** Starts a server for as long as `use` takes. */
export const withServer = async <T>(options: ServerOptions, use: (server: Server) => Promise<T>): Promise<T> => {
  const server = await startServer(options);
  try {
    return await use(server);
  } finally {
    await server.stop();
  }
};

/** Waits for the line that says `ready`; what the server wrote until then is the error's text if it does not come. */
const ready = (child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    let written = '';
    const timer = setTimeout(() => fail('was not ready in time'), readyMs);
    const fail = (why: string): void => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`imcd serve ${why}:\n${written}`));
    };
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code) => fail(`ended with ${code}`));
    child.stderr?.on('data', (chunk: Buffer) => {
      if (written.length < 20_000) written += chunk.toString();
      if (!/"msg":"ready/.test(written)) return;
      clearTimeout(timer);
      child.removeAllListeners('exit');
      written = '';
      resolve();
    });
  });

/** A UDP port that nobody has at the moment. */
const freePort = async (): Promise<number> => {
  const socket = createSocket('udp4');
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  const { port } = socket.address();
  await new Promise<void>((done) => socket.close(done));
  return port;
};
