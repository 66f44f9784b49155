import type { Clock, Timer } from '../../ports/clock.ts';

/**
 * How many copies may be out by UDP at a moment. Their answers come back to one socket, whose receive buffer drops what it
 * cannot hold: with Linux's default net.core.rmem_max that is some 280 answers, and of a room of 1,000 a third would be sent
 * again. A copy is out until its answer is there, but 100 ms at most, so that copies that nobody answers do not hold up
 * the others.
 */
export interface UdpPace {
  /** Copies that may leave now. */
  readonly room: () => number;
  /** A copy left; what is returned goes with its answer. */
  readonly sent: () => number;
  readonly answered: (sent: number) => void;
  readonly close: () => void;
}

/** Copies are counted by the time they left, in so many steps of so many milliseconds. */
const steps = 8;
const stepMs = 12.5;
/** What an answer takes of the buffer, whatever its size: the kernel counts its own bookkeeping (1,280 bytes up to 700 or so). */
const answerBytes = 1_536;
const smallestBurst = 32;

/** Answers that fit into a socket's receive buffer of so many bytes. */
export const answersIn = (receiveBuffer: number): number =>
  Math.max(smallestBurst, Math.floor(receiveBuffer / answerBytes));

/**
 * @param burst answers that the receive buffer holds; asked again and again, as listeners come and go
 * @param opened called when there is room again after `room` was 0
 */
export const createUdpPace = (clock: Clock, burst: () => number, opened: () => void): UdpPace => {
  /** Copies out, by step. */
  const counts = new Int32Array(steps);
  let step = 0;
  let out = 0;
  let waiting = false;
  let timer: Timer | undefined;

  const open = (): void => {
    if (!waiting) return;
    waiting = false;
    opened();
  };
  const next = (): void => {
    step += 1;
    const oldest = step % steps;
    out -= counts[oldest] ?? 0;
    counts[oldest] = 0;
    timer = out > 0 ? clock.after(stepMs, next) : undefined;
    open();
  };

  return {
    room: () => {
      const room = Math.max(0, burst() - out);
      waiting = room === 0;
      return room;
    },
    sent: () => {
      out += 1;
      counts[step % steps] = (counts[step % steps] ?? 0) + 1;
      timer ??= clock.after(stepMs, next);
      return step;
    },
    answered: (sent) => {
      if (step - sent >= steps) return; // counted as gone already
      counts[sent % steps] = (counts[sent % steps] ?? 0) - 1;
      out -= 1;
      open();
    },
    close: () => timer?.cancel(),
  };
};
