import { Worker } from 'node:worker_threads';
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Appended, AppendFailure, ExpectedRevision, NewEvent, StoreFailure } from '../../ports/event-store.ts';
import type { Log } from '../../ports/log.ts';
import { encodeEvents } from '../encode.ts';
import { numberedPosition } from '../numbered-position.ts';
import type { Answers, EventRow, Fatal, Order, Orders, Outcome, WriterData } from './protocol.ts';
import { touchedUsers } from './touched-users.ts';

/** Appends that wait for the disk at most; beyond, they are refused at once. */
const mostInFlight = 50_000;
const mostCharactersInFlight = 64 * 1024 * 1024;
/** MB: a bound on the thread's heap. Its garbage is a millisecond old, so a small young generation is enough (rate and size as without). */
const writerMemory = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 512 };

type Result = E.Either<AppendFailure, Appended>;

interface InFlight {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly EventRow[];
  readonly resolve: (result: Result) => void;
}

/** Called for each append that was written, in log order. */
export type OnWritten = (stream: string, events: readonly EventRow[], first: number, revision: number) => void;

export interface AppenderOptions extends WriterData {
  readonly log: Pick<Log, 'error'> | undefined;
  readonly writer: URL;
  readonly onWritten: OnWritten;
  /** All answers of one commit have been given. */
  readonly onCommitted: () => void;
}

export interface Appender {
  readonly append: (
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ) => TaskEither<AppendFailure, Appended>;
  readonly close: () => Promise<void>;
}

const revisionNumber = (expected: ExpectedRevision): number =>
  expected === 'no_stream' ? -1 : expected < 0n ? -2 : Number(expected);

const revisionOf = (actual: number): ExpectedRevision => (actual === -1 ? 'no_stream' : BigInt(actual));

const encodeAll = (stream: string, events: readonly NewEvent[]): E.Either<StoreFailure, readonly EventRow[]> => {
  const encoded = encodeEvents(stream, events);
  if (E.isLeft(encoded)) return encoded;
  const room = stream.startsWith('room-');
  const rows = encoded.right.map(({ id, type, time, version, data, metadata }, i): EventRow => {
    const event = events[i];
    const users = room && event !== undefined ? touchedUsers(event.data, event.metadata) : [];
    return [id, type, time, version, data, metadata, users];
  });
  return E.right(rows);
};

const sizeOf = (events: readonly EventRow[]): number => {
  let size = 0;
  for (const [, , , , data, metadata] of events) size += data.length + metadata.length;
  return size;
};

/** The main thread's side of the writer: gathers a turn's appends into one message, and hands the answers back. */
export const createAppender = (options: AppenderOptions): Appender => {
  const { file, log } = options;
  const inFlight = new Map<number, InFlight>();
  let outbox: Order[] = [];
  let count = 0;
  let characters = 0;
  let worker: Worker | undefined;
  let exited: Promise<void> = Promise.resolve();
  let closing: Promise<void> | undefined;

  const failAll = (failure: StoreFailure): void => {
    const failed = [...inFlight.values()];
    inFlight.clear();
    characters = 0;
    outbox = [];
    for (const { resolve } of failed) resolve(E.left(failure));
  };

  const resultOf = ({ stream, expected, events }: InFlight, outcome: Outcome): Result => {
    switch (outcome.kind) {
      case 'written':
        options.onWritten(stream, events, outcome.first, outcome.revision);
        return E.right({
          revision: BigInt(outcome.revision),
          position: numberedPosition(outcome.first + events.length - 1),
        });
      case 'before':
        return E.right({ revision: BigInt(outcome.revision), position: numberedPosition(outcome.position) });
      case 'wrong':
        return E.left({ kind: 'WrongExpectedRevision', stream, expected, actual: revisionOf(outcome.actual) });
      case 'failed':
        return E.left(outcome.failure);
    }
  };

  const onMessage = (message: Answers | Fatal): void => {
    if ('fatal' in message) {
      log?.error({ file, failure: message.fatal.kind }, message.fatal.message);
      failAll(message.fatal);
      return;
    }
    for (const [number, outcome] of message.answers) {
      const waiting = inFlight.get(number);
      if (waiting === undefined) continue;
      inFlight.delete(number);
      characters -= sizeOf(waiting.events);
      waiting.resolve(resultOf(waiting, outcome));
    }
    options.onCommitted();
  };

  const start = (): Worker => {
    const data: WriterData = { file, mostBytes: options.mostBytes };
    const started = new Worker(options.writer, { workerData: data, resourceLimits: writerMemory });
    let cause: unknown;
    started.on('message', onMessage);
    started.on('error', (error) => {
      cause = error;
    });
    exited = new Promise((resolve) => {
      started.on('exit', (code) => {
        if (worker === started) worker = undefined;
        if (inFlight.size > 0 || cause !== undefined) {
          const reason = cause instanceof Error ? cause.message : `exit code ${code}`;
          const message = `the writer of the log ${file} ended (${reason}): what it was writing may or may not be there; the next append starts it again`;
          log?.error({ file, cause, lost: inFlight.size }, message);
          failAll({ kind: 'OutcomeUnknown', message, cause });
        }
        resolve();
      });
    });
    return started;
  };

  const flush = (): void => {
    if (outbox.length === 0) return;
    const message: Orders = { orders: outbox, close: false };
    outbox = [];
    worker ??= start();
    worker.postMessage(message);
  };

  const submit = (stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Promise<Result> => {
    if (closing !== undefined)
      return Promise.resolve(E.left({ kind: 'StoreClosed', message: `the log ${file} is closed` }));
    if (inFlight.size >= mostInFlight || characters >= mostCharactersInFlight)
      return Promise.resolve(
        E.left({
          kind: 'StoreUnavailable',
          message: `${inFlight.size} appends wait for the log ${file} already: the disk is too slow`,
        }),
      );
    const encoded = encodeAll(stream, events);
    if (E.isLeft(encoded)) return Promise.resolve(encoded);
    return new Promise((resolve) => {
      count += 1;
      characters += sizeOf(encoded.right);
      inFlight.set(count, { stream, expected, events: encoded.right, resolve });
      if (outbox.length === 0) setImmediate(flush);
      outbox.push([count, stream, revisionNumber(expected), encoded.right]);
    });
  };

  worker = start();
  return {
    append: (stream, expected, events) => () => submit(stream, expected, events),
    close: () => {
      closing ??= (async () => {
        flush();
        const message: Orders = { orders: [], close: true };
        worker?.postMessage(message);
        await exited;
      })();
      return closing;
    },
  };
};
