import type { Delivering } from './delivering.ts';
import type { Routes } from './routes.ts';

/**
 * Messages whose recipients have not all had their turn. Those of one room wait one behind the other, so that nobody gets
 * them in another order; rooms take turns.
 */

/** Recipients of one room before the next room has its turn. */
const turn = 16;

export class MessageQueues {
  /** By the sender in From. */
  readonly #queues = new Map<string, Delivering[]>();
  /** The same queues, the next one to have its turn first. */
  readonly #turns: Delivering[][] = [];
  #recipients = 0;

  get empty(): boolean {
    return this.#turns.length === 0;
  }

  /** Recipients that wait, over all messages. */
  get recipients(): number {
    return this.#recipients;
  }

  add(delivering: Delivering): void {
    this.#recipients += delivering.recipients.length;
    const { from } = delivering.message;
    const queue = this.#queues.get(from);
    if (queue !== undefined) {
      queue.push(delivering);
      return;
    }
    const alone = [delivering];
    this.#queues.set(from, alone);
    this.#turns.push(alone);
  }

  /** Begins the copies of at most `most` recipients. */
  begin(most: number, routes: Routes): void {
    let began = 0;
    while (began < most) {
      const queue = this.#turns.shift();
      if (queue === undefined) break;
      began += this.#turn(queue, Math.min(turn, most - began), routes);
      if (queue.length > 0) this.#turns.push(queue);
    }
    this.#recipients -= began;
  }

  #turn(queue: Delivering[], most: number, routes: Routes): number {
    let began = 0;
    let delivering = queue[0];
    while (delivering !== undefined && began < most) {
      began += delivering.beginSome(most - began, routes);
      if (!delivering.done) break;
      delivering.settled();
      queue.shift();
      if (queue.length === 0) this.#queues.delete(delivering.message.from);
      delivering = queue[0];
    }
    return began;
  }

  /** Gives up all that wait. */
  giveUp(reason: string): void {
    for (const queue of this.#turns.splice(0)) for (const delivering of queue) delivering.giveUp(reason);
    this.#queues.clear();
    this.#recipients = 0;
  }
}
