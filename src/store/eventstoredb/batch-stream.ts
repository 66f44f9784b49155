import type { Appended } from '../../ports/event-store.ts';
import { broken } from './recorded.ts';

/**
 * The stream of BatchAppend calls, and who waits for which answer.
 * Knows of requests and answers only that they carry a correlation id; what they are made of is `client.ts`' affair.
 */

/** The client's stream of BatchAppend calls; what goes over it is its own affair. */
interface BatchCalls<Request, Response> {
  write(request: Request): unknown;
  cancel(): void;
  on(event: 'data', listener: (response: Response) => void): unknown;
  on(event: 'error', listener: (cause: unknown) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
}

/** An answer, by the correlation id of its request: what was appended, or the client's own error. */
export interface BatchAnswer {
  readonly correlationId: string;
  readonly result: Appended | Error;
}

interface Pending {
  readonly resolve: (appended: Appended) => void;
  readonly reject: (cause: unknown) => void;
}

/**
 * Appends that are on their way over one BatchAppend stream, by correlation id. They are kept here and not by the client, whose
 * table of them is shared by all clients of the process (docs/decisions/0005).
 */
export class BatchStream<Request, Response> {
  readonly #calls: BatchCalls<Request, Response>;
  readonly #pending = new Map<string, Pending>();
  readonly #onBroken: (cause: unknown) => void;

  /** @param onBroken the stream has ended; everything on it is rejected */
  constructor(
    calls: BatchCalls<Request, Response>,
    answerOf: (response: Response) => BatchAnswer,
    onBroken: (cause: unknown) => void,
  ) {
    this.#calls = calls;
    this.#onBroken = onBroken;
    calls.on('data', (response) => this.#answered(answerOf(response)));
    calls.on('error', (cause) => this.#end(cause));
    calls.on('end', () => this.#end(broken('the server ended the stream of appends')));
  }

  append(correlationId: string, request: Request): Promise<Appended> {
    return new Promise((resolve, reject) => {
      this.#pending.set(correlationId, { resolve, reject });
      this.#calls.write(request);
    });
  }

  cancel(): void {
    this.#calls.cancel();
  }

  #answered({ correlationId, result }: BatchAnswer): void {
    const waiting = this.#pending.get(correlationId);
    if (waiting === undefined) return; // Its deadline has passed; it is settled by reading.
    this.#pending.delete(correlationId);
    if (result instanceof Error) waiting.reject(result);
    else waiting.resolve(result);
  }

  #end(cause: unknown): void {
    this.#onBroken(cause);
    const rejected = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of rejected) reject(cause);
  }
}
