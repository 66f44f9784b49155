import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Clock, Timer } from '../ports/clock.ts';
import { type Order, type Report, sandboxMain } from './child.ts';
import { createInterpreter, type Definition, type Emitted, type Outcome, type ProjectionEvent } from './interpreter.ts';

export type { Definition, ProjectionEvent };

/** What a projection may use. */
export interface ProjectionLimits {
  /** Most partitions, and characters of one state. */
  readonly partitions: number;
  readonly state: number;
  /** Most events and links that it may write, by one event and in all. */
  readonly emittedByOne: number;
  readonly emitted: number;
  /** Most bytes that it may give back, states and what it writes together. */
  readonly bytes: number;
  /** Heap, in MiB; the process may be twice as large and 100 MiB, with all that is no heap. */
  readonly memoryMiB: number;
  /** Milliseconds for one batch of events. */
  readonly batchMs: number;
}

export const projectionLimits: ProjectionLimits = {
  partitions: 200_000,
  state: 16 * 1024 * 1024,
  emittedByOne: 1_000,
  emitted: 5_000_000,
  bytes: 2 * 1024 * 1024 * 1024,
  memoryMiB: 256,
  batchMs: 10_000,
};

/** A projection in its sandbox. All reject with `ProjectionFault`, after which it is gone. */
export interface Sandbox {
  readonly definition: Definition;
  /** Feeds a batch, and gives what it made the projection write. */
  readonly feed: (events: readonly ProjectionEvent[]) => Promise<readonly Emitted[]>;
  /** States and results at the end; ends the process. */
  readonly finish: (take: (outcomes: readonly Outcome[]) => void | Promise<void>) => Promise<void>;
  /** Ends the process, also in the midst of work. */
  readonly stop: () => void;
}

/** The projection is wrong, or wants too much; `message` is a sentence. */
export class ProjectionFault extends Error {}

/** Starts a sandbox, and runs the projection's text in it, which defines it. */
export const openSandbox = async (
  text: string,
  clock: Clock,
  limits: ProjectionLimits = projectionLimits,
): Promise<Sandbox> => {
  const child = spawn(
    process.execPath,
    [
      '--permission',
      '--disallow-code-generation-from-strings',
      '--no-warnings',
      `--max-old-space-size=${limits.memoryMiB}`,
      '--eval',
      `(${sandboxMain.toString()})()`,
    ],
    { cwd: '/', env: {}, stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const talk = converse(child, clock, limits);
  const fault = ({ message, event }: Extract<Report, { kind: 'fault' }>): ProjectionFault =>
    new ProjectionFault(
      event === undefined
        ? `the projection does not run: ${message}`
        : `the projection broke at ${event.type}, ${event.revision}@${event.stream}: ${message}`,
    );
  const ask = async (order: Order): Promise<Report> => {
    const report = await talk.ask(order);
    if (report.kind !== 'fault') return report;
    talk.stop();
    throw fault(report);
  };
  let emittedInAll = 0;
  const defined = await ask({
    kind: 'define',
    text,
    limits: { partitions: limits.partitions, state: limits.state, emitted: limits.emittedByOne },
    interpreter: createInterpreter.toString(),
  });
  if (defined.kind !== 'defined') throw talk.nonsense();
  return {
    definition: defined.definition,
    feed: async (events) => {
      const report = await ask({ kind: 'feed', events });
      if (report.kind !== 'fed' || !Array.isArray(report.emitted)) throw talk.nonsense();
      emittedInAll += report.emitted.length;
      if (emittedInAll <= limits.emitted) return report.emitted;
      talk.stop();
      throw new ProjectionFault(`the projection writes more than ${limits.emitted} events and links`);
    },
    finish: async (take) => {
      for (let report = await ask({ kind: 'finish' }); report.kind !== 'finished'; report = await talk.next()) {
        if (report.kind === 'fault') throw fault(report);
        if (report.kind !== 'outcomes' || !Array.isArray(report.outcomes)) throw talk.nonsense();
        await take(report.outcomes);
      }
      talk.stop();
    },
    stop: talk.stop,
  };
};

/** How often the size of the process is looked at. */
const lookMs = 100;
const pageBytes = 4096;

/** Lines to a child and from it, within time, size and bytes. */
const converse = (child: ChildProcess, clock: Clock, limits: ProjectionLimits) => {
  const reports: Report[] = [];
  let waiting: { readonly resolve: (report: Report) => void; readonly reject: (error: Error) => void } | undefined;
  let failure: ProjectionFault | undefined;
  let bytes = 0;
  let complaint = '';
  let pieces: Buffer[] = [];
  let deadline: Timer | undefined;
  let watch: Timer | undefined;

  const end = (why: string): void => {
    if (failure !== undefined) return;
    failure = new ProjectionFault(why);
    deadline?.cancel();
    watch?.cancel();
    child.kill('SIGKILL');
    waiting?.reject(failure);
    waiting = undefined;
  };
  const nonsense = (): ProjectionFault => {
    end('the projection answers with something that is no answer');
    return failure ?? new ProjectionFault('the projection is gone');
  };
  const hand = (line: string): void => {
    let report: Report;
    try {
      report = JSON.parse(line);
    } catch {
      nonsense();
      return;
    }
    if (typeof report !== 'object' || report === null) {
      nonsense();
      return;
    }
    const reader = waiting;
    waiting = undefined;
    deadline?.cancel();
    if (reader === undefined) reports.push(report);
    else reader.resolve(report);
  };
  child.stdout?.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > limits.bytes) {
      end(`the projection gives back more than ${limits.bytes} bytes`);
      return;
    }
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      pieces.push(chunk.subarray(from, at));
      const line = Buffer.concat(pieces).toString('utf8');
      pieces = [];
      from = at + 1;
      hand(line);
    }
    if (from < chunk.length) pieces.push(chunk.subarray(from));
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    if (complaint.length < 4_096) complaint += chunk.toString('utf8');
  });
  child.stdin?.on('error', () => {}); // The child is gone: its exit says why.
  child.on('error', (error) => end(`the sandbox could not be started: ${error.message}`));
  child.on('exit', (code, signal) => {
    const why = /heap|memory/i.test(complaint)
      ? `the projection needs more memory than ${limits.memoryMiB} MiB`
      : `the projection's process ended by itself (${signal ?? `exit code ${code}`})`;
    end(why);
  });

  // The heap limit does not count buffers; what the process really uses is looked at from outside.
  const most = (limits.memoryMiB * 2 + 100) * 1024 * 1024;
  const look = (): void => {
    if (failure !== undefined) return;
    try {
      const pages = Number(readFileSync(`/proc/${child.pid}/statm`, 'utf8').split(' ')[1]);
      if (pages * pageBytes > most) end(`the projection needs more memory than ${limits.memoryMiB} MiB`);
    } catch {
      return; // No /proc on this system: the heap limit has to do.
    }
    watch = clock.after(lookMs, look);
  };
  look();

  const next = (): Promise<Report> => {
    const ready = reports.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    if (failure !== undefined) return Promise.reject(failure);
    deadline = clock.after(limits.batchMs, () =>
      end(`the projection has not finished a batch of events within ${limits.batchMs / 1000} s`),
    );
    return new Promise((resolve, reject) => {
      waiting = { resolve, reject };
    });
  };
  return {
    next,
    nonsense,
    ask: (order: Order): Promise<Report> => {
      if (failure === undefined) child.stdin?.write(`${JSON.stringify(order)}\n`);
      return next();
    },
    stop: () => end('the projection was stopped'),
  };
};
