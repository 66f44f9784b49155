import type { StoredEvent } from '../../ports/event-store.ts';
import type { WireFollower } from './wire.ts';

/**
 * Between a subscription's single events and a follower that takes batches.
 * Keeps their order, holds the subscription while the follower works, and says once how it ended.
 */

/** Most events of one batch. */
const batchSize = 1_000;

/** The stream that events come from: held while its consumer works. */
export interface Upstream {
  readonly pause: () => void;
  readonly resume: () => void;
  /** Events that have arrived and were not given out yet. */
  readonly waiting: () => number;
}

/**
 * Gathers what arrives in one turn of the event loop into batches, holds the upstream while the follower works, keeps the order of
 * events and `caughtUp`, and is silent after its end. Up to 50 events were seen to arrive after `unsubscribe()`.
 */
export class Feeder {
  readonly #upstream: Upstream;
  readonly #follower: WireFollower;
  #batch: StoredEvent[] = [];
  #atEnd = false;
  #working = false;
  #scheduled = false;
  #ended = false;

  constructor(upstream: Upstream, follower: WireFollower) {
    this.#upstream = upstream;
    this.#follower = follower;
  }

  event(event: StoredEvent): void {
    if (this.#ended) return;
    this.#batch.push(event);
    if (this.#batch.length >= batchSize && !this.#working) this.#flush();
    else this.#schedule();
  }

  caughtUp(): void {
    this.#atEnd = true;
    this.#schedule();
  }

  lost(cause: unknown): void {
    this.#end('lost', cause);
  }

  stop(): void {
    this.#ended = true;
    this.#batch = [];
  }

  #end(why: 'lost' | 'broke', cause: unknown): void {
    if (this.#ended) return;
    this.stop();
    this.#follower.onEnd(why, cause);
  }

  #schedule(): void {
    if (this.#scheduled || this.#ended) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#working || this.#ended) return;
    try {
      if (this.#batch.length > 0 && !this.#give()) return;
      // What the upstream still holds came before `caughtUp`.
      if (!this.#atEnd || this.#ended || this.#upstream.waiting() > 0) return;
      this.#atEnd = false;
      this.#follower.onCaughtUp();
    } catch (cause) {
      this.#end('broke', cause);
    }
  }

  /** Hands over a batch; true where all is given and done. Throws what the follower throws. */
  #give(): boolean {
    const all = this.#batch;
    const events = all.length <= batchSize ? all : all.slice(0, batchSize);
    this.#batch = all.length <= batchSize ? [] : all.slice(batchSize);
    const result = this.#follower.onEvents(events);
    if (result instanceof Promise) {
      this.#working = true;
      this.#upstream.pause();
      result.then(
        () => this.#finished(),
        (cause: unknown) => this.#end('broke', cause),
      );
      return false;
    }
    if (this.#batch.length === 0) return true;
    this.#schedule();
    return false;
  }

  #finished(): void {
    this.#working = false;
    if (this.#ended) return;
    this.#upstream.resume();
    if (this.#batch.length > 0 || this.#atEnd) this.#schedule();
  }
}
