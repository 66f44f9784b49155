import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../../ports/clock.ts';

/** How an answer ended: `given up` where nobody read it in time, `refused` where the name is not a FIFO's. */
export type ReplyOutcome = 'written' | 'given up' | 'refused';

/** Some clients open their end only after they have written the request: how long, and how often, they are waited for. */
const openMs = 2_000;
const againMs = 20;
/** An answer that is not read to its end within this is given up. */
const writeMs = 5_000;

/**
 * Writes an answer into a client's FIFO. It blocks nobody: opened without waiting for a reader. Nothing else is written
 * through: a symlink is not followed, a plain file or a device is refused.
 */
export const replyByFifo = async (
  folder: string,
  name: string,
  pieces: AsyncIterable<string>,
  clock: Clock,
): Promise<ReplyOutcome> => {
  const fd = await openFifo(join(folder, name), clock);
  if (typeof fd === 'string') return fd;
  const socket = new Socket({ fd, readable: false, writable: true });
  const late = clock.after(writeMs, () => socket.destroy(new Error('not read in time')));
  try {
    await pipeline(Readable.from(pieces, { objectMode: false }), socket);
    return 'written';
  } catch {
    return 'given up'; // EPIPE, or not in time: the client has gone
  } finally {
    late.cancel();
  }
};

const openFifo = async (path: string, clock: Clock): Promise<number | 'given up' | 'refused'> => {
  const until = clock.monotonic() + openMs;
  for (;;) {
    try {
      const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
      if (fstatSync(fd).isFIFO()) return fd;
      closeSync(fd);
      return 'refused';
    } catch (error) {
      const noReaderYet = error instanceof Error && 'code' in error && error.code === 'ENXIO';
      if (!noReaderYet) return 'refused';
      if (clock.monotonic() >= until) return 'given up';
      await new Promise<void>((resolve) => clock.after(againMs, resolve));
    }
  }
};
