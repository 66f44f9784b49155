import { Worker } from 'node:worker_threads';
import type { Answers, Appends, Fatal, WriterData } from './protocol.ts';

/**
 * The thread that writes the embedded log, as the main thread starts, feeds and ends it.
 * `writer.ts` is what runs in it.
 */

/** MB: a bound on the thread's heap. Its garbage is a millisecond old, so a small young generation is enough (rate and size as without). */
const memory = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 512 };

export interface WriterThreadOptions {
  /** The thread's program. */
  readonly program: URL;
  readonly data: WriterData;
  readonly onMessage: (message: Answers | Fatal) => void;
  /** `cause`: what the thread threw; undefined where it threw nothing. */
  readonly onExit: (code: number, cause: unknown) => void;
}

/** The writer thread as the main thread has it: runs from the start, and is started again by the next message after it has ended. */
export class WriterThread {
  readonly #options: WriterThreadOptions;
  #worker: Worker | undefined;
  #exited: Promise<void> = Promise.resolve();

  constructor(options: WriterThreadOptions) {
    this.#options = options;
    this.#worker = this.#start();
  }

  post(message: Appends): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(message);
  }

  /** Lets it finish what it was given; resolves when it has ended. */
  async close(): Promise<void> {
    const last: Appends = { appends: [], close: true };
    this.#worker?.postMessage(last);
    await this.#exited;
  }

  #start(): Worker {
    const { program, data, onMessage, onExit } = this.#options;
    const worker = new Worker(program, { workerData: data, resourceLimits: memory });
    let cause: unknown;
    worker.on('message', onMessage);
    worker.on('error', (error) => {
      cause = error;
    });
    this.#exited = new Promise((resolve) => {
      worker.on('exit', (code) => {
        if (this.#worker === worker) this.#worker = undefined;
        onExit(code, cause);
        resolve();
      });
    });
    return worker;
  }
}
