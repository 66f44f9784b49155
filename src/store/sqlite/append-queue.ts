import * as E from 'fp-ts/lib/Either.js';
import type { Appended, AppendFailure, ExpectedRevision, NewEvent, StoreFailure } from '../../ports/event-store.ts';
import type { Log } from '../../ports/log.ts';
import { categoryOf } from '../../room/stream.ts';
import { touchedUsers } from '../../room/touched-users.ts';
import { countOutcome, type StoreCounters, type StoreOperations } from '../counters.ts';
import { encodeEvents } from '../encode.ts';
import { numberedPosition } from '../numbered-position.ts';
import type { Answers, Append, AppendOutcome, EventRow, Fatal, WriterData } from './protocol.ts';
import { WriterThread } from './writer-thread.ts';

/**
 * The main thread's side of the embedded log's appends, up to the message to the writer thread and from its answer on.
 * Bounds what waits for the disk.
 */

/** Appends that wait for the disk at most; beyond, they are refused at once. */
const mostInFlight = 50_000;
const mostCharactersInFlight = 64 * 1024 * 1024;

type Result = E.Either<AppendFailure, Appended>;

interface InFlight {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly EventRow[];
  readonly resolve: (result: Result) => void;
}

export interface SqliteCounters extends StoreCounters {
  readonly operations: StoreOperations & {
    /** Transactions, each of all appends that came while the one before was written. */
    commits: number;
  };
}

export interface AppendQueueOptions extends WriterData {
  readonly log: Pick<Log, 'error'> | undefined;
  /** The writer thread's program. */
  readonly writer: URL;
  readonly counters: SqliteCounters;
  /** Called for each append that was written, in log order. */
  readonly onWritten: (stream: string, events: readonly EventRow[], first: number, revision: number) => void;
  /** All answers of one commit have been given. */
  readonly onCommitted: () => void;
}

/**
 * Appends on their way to the disk: gathers a turn's appends into one message to the writer thread, and hands the answers back.
 * Where the thread dies, what was in flight is unknown, and the next append starts it again.
 */
export class AppendQueue {
  readonly #options: AppendQueueOptions;
  readonly #thread: WriterThread;
  readonly #inFlight = new Map<number, InFlight>();
  #outbox: Append[] = [];
  #count = 0;
  #characters = 0;
  #closing: Promise<void> | undefined;

  constructor(options: AppendQueueOptions) {
    this.#options = options;
    this.#thread = new WriterThread({
      program: options.writer,
      data: { file: options.file, mostBytes: options.mostBytes },
      onMessage: (message) => this.#take(message),
      onExit: (code, cause) => this.#exited(code, cause),
    });
  }

  /** As `EventStore.append`. */
  append(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Promise<Result> {
    const { counters } = this.#options;
    counters.operations.appends += 1;
    const refusal = this.#full();
    if (refusal !== undefined) return Promise.resolve(countOutcome(counters, E.left(refusal)));
    const encoded = encodeRows(stream, events);
    if (E.isLeft(encoded)) return Promise.resolve(countOutcome(counters, encoded));
    const rows = encoded.right;
    return new Promise((resolve) => {
      this.#count += 1;
      this.#characters += sizeOf(rows);
      this.#inFlight.set(this.#count, { stream, expected, events: rows, resolve });
      if (this.#outbox.length === 0) setImmediate(() => this.#flush());
      this.#outbox.push([this.#count, stream, revisionNumber(expected), rows]);
    });
  }

  /** Appends that wait for their outcome. */
  get pending(): number {
    return this.#inFlight.size;
  }

  /** Takes nothing more; resolves when all that was taken has its answer, and the thread has let go of the file. */
  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#flush();
      this.#closing = this.#thread.close();
    }
    return this.#closing;
  }

  #full(): StoreFailure | undefined {
    const { file } = this.#options;
    if (this.#closing !== undefined) return { kind: 'StoreClosed', message: `the log ${file} is closed` };
    if (this.#inFlight.size < mostInFlight && this.#characters < mostCharactersInFlight) return undefined;
    const message = `${this.#inFlight.size} appends wait for the log ${file} already: the disk is too slow`;
    return { kind: 'StoreUnavailable', message };
  }

  #flush(): void {
    if (this.#outbox.length === 0) return;
    const appends = this.#outbox;
    this.#outbox = [];
    this.#thread.post({ appends, close: false });
  }

  #take(message: Answers | Fatal): void {
    const { file, log, counters, onCommitted } = this.#options;
    if ('fatal' in message) {
      log?.error({ file, failure: message.fatal.kind }, message.fatal.message);
      this.#failAll(message.fatal);
      return;
    }
    counters.operations.commits += 1;
    for (const [number, outcome] of message.answers) {
      const append = this.#inFlight.get(number);
      if (append === undefined) continue;
      this.#inFlight.delete(number);
      this.#characters -= sizeOf(append.events);
      append.resolve(countOutcome(counters, this.#resultOf(append, outcome)));
    }
    onCommitted();
  }

  #resultOf({ stream, expected, events }: InFlight, outcome: AppendOutcome): Result {
    switch (outcome.kind) {
      case 'written': {
        const { first, revision } = outcome;
        this.#options.counters.operations.events += events.length;
        this.#options.onWritten(stream, events, first, revision);
        return E.right({ revision: BigInt(revision), position: numberedPosition(first + events.length - 1) });
      }
      case 'before':
        return E.right({ revision: BigInt(outcome.revision), position: numberedPosition(outcome.position) });
      case 'wrong':
        return E.left({ kind: 'WrongExpectedRevision', stream, expected, actual: revisionOf(outcome.actual) });
      case 'failed':
        return E.left(outcome.failure);
    }
  }

  #exited(code: number, cause: unknown): void {
    if (this.#inFlight.size === 0 && cause === undefined) return;
    const { file, log } = this.#options;
    const reason = cause instanceof Error ? cause.message : `exit code ${code}`;
    const message = `the writer of the log ${file} ended (${reason}): what it was writing may or may not be there; the next append starts it again`;
    log?.error({ file, cause, lost: this.#inFlight.size }, message);
    this.#failAll({ kind: 'OutcomeUnknown', message, cause });
  }

  #failAll(failure: StoreFailure): void {
    const failed = [...this.#inFlight.values()];
    this.#inFlight.clear();
    this.#characters = 0;
    this.#outbox = [];
    for (const { resolve } of failed) resolve(countOutcome(this.#options.counters, E.left(failure)));
  }
}

const revisionNumber = (expected: ExpectedRevision): number =>
  expected === 'no_stream' ? -1 : expected < 0n ? -2 : Number(expected);

const revisionOf = (actual: number): ExpectedRevision => (actual === -1 ? 'no_stream' : BigInt(actual));

const encodeRows = (stream: string, events: readonly NewEvent[]): E.Either<StoreFailure, readonly EventRow[]> => {
  const encoded = encodeEvents(stream, events);
  if (E.isLeft(encoded)) return encoded;
  const room = categoryOf(stream) === 'room';
  const rows = encoded.right.map(({ id, type, time, version, data, metadata }, i): EventRow => {
    const event = events[i];
    const users = room && event !== undefined ? touchedUsers(event) : [];
    return [id, type, time, version, data, metadata, users];
  });
  return E.right(rows);
};

const sizeOf = (events: readonly EventRow[]): number => {
  let size = 0;
  for (const [, , , , data, metadata] of events) size += data.length + metadata.length;
  return size;
};
