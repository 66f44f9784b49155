import type { Socket } from 'node:net';
import type { SendFailure } from '../transport.ts';

/** A reader so slow that this much waits for it loses what comes after. */
const queueLimit = 4 * 1024 * 1024;
/** The same over all connections: many slow readers together must not fill the memory. */
const queuesLimit = 48 * 1024 * 1024;

/** Told where the bytes of a send did not leave. */
export type OnFailure = (reason: SendFailure) => void;

/** Bytes that go out in one write. */
interface Batch {
  readonly parts: Buffer[];
  readonly failures: OnFailure[];
  bytes: number;
}
const emptyBatch = (): Batch => ({ parts: [], failures: [], bytes: 0 });

export interface TcpQueueOptions {
  readonly socket: Socket;
  /** What waits over all connections; kept by their queues together. */
  readonly total: { bytes: number };
  readonly now: () => number;
  /** Bytes have left. */
  readonly left: () => void;
}

/** What waits to be written to one connection, bounded. What is sent in one turn of the loop goes out in one write. */
export class TcpQueue {
  /** Monotonic: since when nothing of what was written has left; undefined: all has. */
  stalledSince: number | undefined;

  readonly #options: TcpQueueOptions;
  #gathering = emptyBatch();
  readonly #writing = new Set<Batch>();
  #scheduled = false;
  #bytes = 0;
  #ended = false;

  constructor(options: TcpQueueOptions) {
    this.#options = options;
  }

  /** Copies the bytes and writes them at the end of this turn; false where too much waits already. */
  push(head: Uint8Array, tail: Uint8Array | undefined, onFailure: OnFailure | undefined): boolean {
    const { total } = this.#options;
    const bytes = head.length + (tail?.length ?? 0);
    if (this.#bytes + bytes > queueLimit || total.bytes + bytes > queuesLimit) return false;
    this.#bytes += bytes;
    total.bytes += bytes;
    const batch = this.#gathering;
    batch.bytes += bytes;
    const whole = Buffer.allocUnsafe(bytes);
    whole.set(head);
    if (tail !== undefined) whole.set(tail, head.length);
    batch.parts.push(whole);
    if (onFailure !== undefined) batch.failures.push(onFailure);
    if (!this.#scheduled) {
      this.#scheduled = true;
      queueMicrotask(this.flush);
    }
    return true;
  }

  /** Writes what was gathered. */
  readonly flush = (): void => {
    this.#scheduled = false;
    if (this.#ended || this.#gathering.bytes === 0) return;
    const { socket, now, left } = this.#options;
    const batch = this.#gathering;
    this.#gathering = emptyBatch();
    this.#writing.add(batch);
    this.stalledSince ??= now();
    const [first] = batch.parts;
    socket.write(batch.parts.length === 1 && first !== undefined ? first : Buffer.concat(batch.parts), (error) => {
      if (error !== null && error !== undefined) return; // the connection's end tells the senders
      this.#forget(batch);
      this.stalledSince = this.#writing.size > 0 ? now() : undefined;
      left();
    });
    batch.parts.length = 0;
  };

  /** Writes nothing more. Returns whom to tell that their bytes did not leave. */
  end(): readonly OnFailure[] {
    this.#ended = true;
    const batches = [...this.#writing, this.#gathering];
    for (const batch of this.#writing) this.#forget(batch);
    this.#options.total.bytes -= this.#gathering.bytes;
    this.#gathering = emptyBatch();
    return batches.flatMap(({ failures }) => failures);
  }

  #forget(batch: Batch): void {
    if (!this.#writing.delete(batch)) return;
    this.#bytes -= batch.bytes;
    this.#options.total.bytes -= batch.bytes;
  }
}
