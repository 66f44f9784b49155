import { spawnSync } from 'node:child_process';
import { closeSync, constants, fstatSync, lstatSync, openSync, unlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { Dispatch } from '../dispatch.ts';
import { createFraming, type FifoRequest } from './fifo-framing.ts';
import { replyByFifo } from './fifo-reply.ts';

export interface FifoOptions {
  /** Where the FIFO is made, mode 0660. */
  readonly path: string;
  /** Folder of the clients' reply FIFOs; opensips-cli and OpenSIPS agree on /tmp. */
  readonly replyFolder: string;
  readonly dispatch: Dispatch;
  readonly clock: Clock;
  readonly log: Log;
}

export interface MiFifo {
  readonly counters: FifoCounters;
  /** Stops reading and removes the FIFO. */
  readonly close: () => void;
}

export interface FifoCounters {
  /** Answers that nobody read in time. */
  fifoGivenUp: number;
  /** Reply names that were not a FIFO's. */
  fifoRefused: number;
  /** Requests beyond `mostAtOnce`, and bytes that were no request. */
  fifoDropped: number;
}

/** A request comes in pieces of 4 KiB at least; after this long without a piece it is taken as it is. */
const stallMs = 250;
const mostAtOnce = 32;

/** Throws a sentence where the FIFO cannot be made. */
export const openMiFifo = (options: FifoOptions): MiFifo => {
  const { path, clock, log } = options;
  const { fd, inode } = makeFifo(path);
  const counters: FifoCounters = { fifoGivenUp: 0, fifoRefused: 0, fifoDropped: 0 };
  const framing = createFraming(() => {
    counters.fifoDropped += 1;
  });
  let atOnce = 0;
  let stall = clock.after(0, () => undefined);
  // Open for writing too: otherwise every client that closes its end would end the stream for us.
  const input = new Socket({ fd, readable: true, writable: false });
  input.setEncoding('utf8');

  const answer = async ({ reply, json }: FifoRequest): Promise<void> => {
    const pieces = await options.dispatch(json, { source: 'mi:fifo' });
    if (pieces === undefined || reply === undefined) return;
    const outcome = await replyByFifo(options.replyFolder, reply, pieces, clock);
    if (outcome === 'written') return;
    if (outcome === 'refused') counters.fifoRefused += 1;
    else counters.fifoGivenUp += 1;
    log.warn({ reply, outcome }, 'a management answer could not be written to its FIFO');
  };

  const take = (requests: readonly FifoRequest[]): void => {
    for (const request of requests) {
      if (atOnce >= mostAtOnce) {
        counters.fifoDropped += 1;
        continue;
      }
      atOnce += 1;
      answer(request)
        .catch((error: unknown) => log.error({ error }, 'a management answer failed: a defect'))
        .finally(() => {
          atOnce -= 1;
        });
    }
  };

  input.on('data', (text: string) => {
    take(framing.push(text));
    stall.cancel();
    if (framing.waiting()) stall = clock.after(stallMs, () => take(framing.stalled()));
  });
  input.on('error', (error) => log.error({ path, error }, 'the management FIFO failed; it is not read any more'));

  return {
    counters,
    close: () => {
      stall.cancel();
      input.destroy();
      if (inodeOf(path) === inode) unlinkSync(path);
    },
  };
};

const inodeOf = (path: string): number | undefined => lstatSync(path, { throwIfNoEntry: false })?.ino;

/** Makes the FIFO, over one that a server which is gone left behind. */
const makeFifo = (path: string): { readonly fd: number; readonly inode: number } => {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found !== undefined) {
    if (!found.isFIFO())
      throw new Error(`mi.fifo: ${path} is there and is not a FIFO; remove it, or name another path`);
    if (hasReader(path)) throw new Error(`mi.fifo: another program reads ${path}; name another path`);
    unlinkSync(path);
  }
  const made = spawnSync('mkfifo', ['-m', '660', '--', path], { encoding: 'utf8' });
  if (made.error !== undefined) throw new Error(`mi.fifo: the program mkfifo cannot be run: ${made.error.message}`);
  if (made.status !== 0) throw new Error(`mi.fifo: ${made.stderr.trim()}`);
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  const stat = fstatSync(fd);
  if (stat.isFIFO()) return { fd, inode: stat.ino };
  closeSync(fd);
  throw new Error(`mi.fifo: ${path} was replaced by something else while it was made`);
};

const hasReader = (path: string): boolean => {
  try {
    closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW));
    return true;
  } catch {
    return false; // ENXIO: nobody reads
  }
};
