import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Clock, Timer } from '../ports/clock.ts';
import { type Order, type Report, sandboxMain } from './child.ts';
import { ProjectionFault, type ProjectionLimits } from './limits.ts';

/**
 * The child process of a sandbox: starts it, speaks with it in lines, and ends it at its limits.
 * What is said in the lines is `sandbox.ts`' affair.
 */

/** How often the size of the process is looked at. */
const lookMs = 100;
const pageBytes = 4096;

const start = ({ memoryMiB }: ProjectionLimits): ChildProcessWithoutNullStreams =>
  spawn(
    process.execPath,
    [
      '--permission',
      '--disallow-code-generation-from-strings',
      '--no-warnings',
      `--max-old-space-size=${memoryMiB}`,
      '--eval',
      `(${sandboxMain.toString()})()`,
    ],
    { cwd: '/', env: {}, stdio: 'pipe' },
  );

/**
 * The child process that a projection runs in, held within time, size and bytes. Orders go to it as lines and are answered in
 * their order; it ends with the first limit that it passes, and everything asked of it afterwards rejects with why.
 */
export class SandboxProcess {
  readonly #clock: Clock;
  readonly #limits: ProjectionLimits;
  readonly #child: ChildProcessWithoutNullStreams;
  /** Answers that nobody has waited for yet. */
  readonly #reports: Report[] = [];
  #waiting: { readonly resolve: (report: Report) => void; readonly reject: (error: Error) => void } | undefined;
  #failure: ProjectionFault | undefined;
  #bytes = 0;
  /** Pieces of a line that has not come whole. */
  #pieces: Buffer[] = [];
  #complaint = '';
  #deadline: Timer | undefined;
  #watch: Timer | undefined;

  constructor(clock: Clock, limits: ProjectionLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#child = start(limits);
    const { stdin, stdout, stderr } = this.#child;
    stdout.on('data', (chunk: Buffer) => this.#read(chunk));
    stderr.on('data', (chunk: Buffer) => {
      if (this.#complaint.length < 4_096) this.#complaint += chunk.toString('utf8');
    });
    stdin.on('error', () => {}); // The child is gone: its exit says why.
    this.#child.on('error', (error) => this.#end(`the sandbox could not be started: ${error.message}`));
    this.#child.on('exit', (code, signal) => this.#exited(code, signal));
    this.#look();
  }

  /** Gives an order, and its first answer. Rejects with `ProjectionFault`. */
  ask(order: Order): Promise<Report> {
    if (this.#failure === undefined) this.#child.stdin.write(`${JSON.stringify(order)}\n`);
    return this.next();
  }

  /** The next answer to the same order. */
  next(): Promise<Report> {
    const ready = this.#reports.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const { batchMs } = this.#limits;
    this.#deadline = this.#clock.after(batchMs, () =>
      this.#end(`the projection has not finished a batch of events within ${batchMs / 1000} s`),
    );
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /** Ends the process for an answer that is none; gives the fault to throw. */
  nonsense(): ProjectionFault {
    this.#end('the projection answers with something that is no answer');
    return this.#failure ?? new ProjectionFault('the projection is gone');
  }

  stop(): void {
    this.#end('the projection was stopped');
  }

  #end(why: string): void {
    if (this.#failure !== undefined) return;
    this.#failure = new ProjectionFault(why);
    this.#deadline?.cancel();
    this.#watch?.cancel();
    this.#child.kill('SIGKILL');
    this.#waiting?.reject(this.#failure);
    this.#waiting = undefined;
  }

  #exited(code: number | null, signal: string | null): void {
    this.#end(
      /heap|memory/i.test(this.#complaint)
        ? this.#tooLarge()
        : `the projection's process ended by itself (${signal ?? `exit code ${code}`})`,
    );
  }

  #tooLarge(): string {
    return `the projection needs more memory than ${this.#limits.memoryMiB} MiB`;
  }

  /** Cuts what comes into lines. */
  #read(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#limits.bytes) {
      this.#end(`the projection gives back more than ${this.#limits.bytes} bytes`);
      return;
    }
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      this.#pieces.push(chunk.subarray(from, at));
      const line = Buffer.concat(this.#pieces).toString('utf8');
      this.#pieces = [];
      from = at + 1;
      this.#hand(line);
    }
    if (from < chunk.length) this.#pieces.push(chunk.subarray(from));
  }

  #hand(line: string): void {
    const report = reportIn(line);
    if (report === undefined) {
      this.nonsense();
      return;
    }
    const reader = this.#waiting;
    this.#waiting = undefined;
    this.#deadline?.cancel();
    if (reader === undefined) this.#reports.push(report);
    else reader.resolve(report);
  }

  /** The heap limit does not count buffers; what the process really uses is looked at from outside. */
  #look(): void {
    if (this.#failure !== undefined) return;
    const most = (this.#limits.memoryMiB * 2 + 100) * 1024 * 1024;
    try {
      const pages = Number(readFileSync(`/proc/${this.#child.pid}/statm`, 'utf8').split(' ')[1]);
      if (pages * pageBytes > most) this.#end(this.#tooLarge());
    } catch {
      return; // No /proc on this system: the heap limit has to do.
    }
    this.#watch = this.#clock.after(lookMs, () => this.#look());
  }
}

const reportIn = (line: string): Report | undefined => {
  try {
    const report: unknown = JSON.parse(line);
    return typeof report === 'object' && report !== null ? (report as Report) : undefined;
  } catch {
    return undefined;
  }
};
