import * as TE from 'fp-ts/lib/TaskEither.js';
import { StoreError, type StoreFailure } from '../../ports/event-store.ts';
import { sentenceOf, sqlFailure } from '../database/failures.ts';
import { UnreadableFile } from '../database/settings.ts';

/**
 * Why work on a mirror ended: the one channel of building, comparing and keeping it.
 * What happens inside a transaction is thrown, so that it is rolled back, and becomes a failure where the work began.
 */

export interface MirrorFailure {
  readonly kind:
    | ThrownKind
    /** The database is gone, or was busy too often: all may be well later. */
    | 'DatabaseUnavailable'
    /** The same statement will always fail. */
    | 'DatabaseRefused'
    /** The log could not be read. */
    | 'LogFailed'
    /** A mistake of ours. */
    | 'Defect';
  /** A sentence for people. */
  readonly message: string;
  /** What was thrown, or the log's failure. */
  readonly cause: unknown;
}

type ThrownKind =
  /** A file that the URL names, or a table's name, that cannot be used. */
  | 'UnusableOption'
  /** A table is not what the mirror needs. It was left as it is. */
  | 'ForeignTable'
  /** The checkpoint is not where this process left it: another leads, or the tables were built anew. */
  | 'Fenced'
  /** It cannot go on by itself; the message says what a person should do. */
  | 'Stopped';

/** What the mirror itself throws: a failure that crosses a transaction. */
export class MirrorError extends Error {
  override readonly name = 'MirrorError';
  readonly kind: ThrownKind;
  constructor(kind: ThrownKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** The failure in what was thrown: by the mirror, by the log, or by the database's driver. */
export const mirrorFailure = (cause: unknown): MirrorFailure => ({
  kind: kindOf(cause),
  message: sentenceOf(cause),
  cause,
});

const kindOf = (cause: unknown): MirrorFailure['kind'] => {
  if (cause instanceof MirrorError) return cause.kind;
  if (cause instanceof UnreadableFile) return 'UnusableOption';
  if (cause instanceof StoreError) return 'LogFailed';
  if (cause instanceof TypeError || cause instanceof RangeError || cause instanceof ReferenceError) return 'Defect';
  return sqlFailure(cause) === 'permanent' ? 'DatabaseRefused' : 'DatabaseUnavailable';
};

/** A step of the work: what it rejects with becomes the failure. */
export const step = <A>(work: () => Promise<A>): TE.TaskEither<MirrorFailure, A> => TE.tryCatch(work, mirrorFailure);

/** A step that asks the log. */
export const askLog: <A>(question: TE.TaskEither<StoreFailure, A>) => TE.TaskEither<MirrorFailure, A> = TE.mapLeft(
  (failure) => ({ kind: 'LogFailed', message: failure.message, cause: failure }),
);
