import * as E from 'fp-ts/lib/Either.js';
import type { Appended, AppendFailure, StoreFailure } from '../ports/event-store.ts';

/** What every log counts of itself, by the same names in all of them. */
export interface StoreCounters {
  readonly operations: StoreOperations;
  /** Appends, reads and subscriptions that failed, by kind of failure. */
  readonly failures: Record<string, number>;
}

export interface StoreOperations {
  /** Appends that were asked for. */
  appends: number;
  /** Events that were written. */
  events: number;
  /** Pages, and single answers, that were read. */
  reads: number;
  /** Subscriptions that were begun. */
  subscriptions: number;
}

export const newStoreOperations = (): StoreOperations => ({ appends: 0, events: 0, reads: 0, subscriptions: 0 });

export const newStoreCounters = (): StoreCounters => ({ operations: newStoreOperations(), failures: {} });

/** Counts one more under a name. */
export const countIn = (table: Record<string, number>, name: string): void => {
  table[name] = (table[name] ?? 0) + 1;
};

/** Counts a failure, and gives it back. */
export const countFailure = <Failure extends StoreFailure>({ failures }: StoreCounters, failure: Failure): Failure => {
  countIn(failures, failure.kind);
  return failure;
};

/** Counts how an append ended, and gives that back. That somebody else was first is no failure. */
export const countOutcome = (
  counters: StoreCounters,
  outcome: E.Either<AppendFailure, Appended>,
): E.Either<AppendFailure, Appended> => {
  if (E.isLeft(outcome) && outcome.left.kind !== 'WrongExpectedRevision') countFailure(counters, outcome.left);
  return outcome;
};
