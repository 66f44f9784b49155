import { deadlineIn } from '../bounds/deadline.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';

/** What has been opened and is to be closed again: the one way in which a start that failed, and a server that ends, let go. */
export interface Closers {
  /**
   * Registers what was just opened. `name` stands in the log where it cannot be closed. `close` gets the milliseconds that
   * are left for what is begun.
   */
  readonly defer: (name: string, close: (ms: number) => unknown) => void;
  /**
   * Closes the last opened first, one after the other, all within `ms`. One that fails is logged and keeps no other from
   * being closed; then this rejects with its failure, with a `SuppressedError` where there were several. Later calls end as
   * the first one does.
   */
  readonly close: (ms: number) => Promise<void>;
}

export const createClosers = (clock: Clock, log: Log): Closers => {
  const stack = new AsyncDisposableStack();
  let deadline = deadlineIn(clock, 0);
  let closing: Promise<void> | undefined;
  return {
    defer: (name, close) =>
      stack.defer(async () => {
        try {
          await close(deadline.left());
        } catch (error) {
          log.error({ err: error }, `${name} could not be closed`);
          throw error;
        }
      }),
    close: (ms) => {
      if (closing === undefined) {
        deadline = deadlineIn(clock, ms);
        closing = stack.disposeAsync();
      }
      return closing;
    },
  };
};
