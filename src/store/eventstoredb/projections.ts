import * as E from 'fp-ts/lib/Either.js';
import type { Clock } from '../../ports/clock.ts';
import type { StoreFailure } from '../../ports/event-store.ts';
import { explain } from './failures.ts';

/** How a projection on the server is. `status` as the server says it: `Running`, `Stopped`, `Faulted (Enabled)`. */
export interface ProjectionStatus {
  readonly name: string;
  readonly status: string;
  /** The error of a faulted one. */
  readonly reason: string;
  readonly position: string;
  /** Percent of the log. */
  readonly progress: number;
}

/** The calls of the client that are used; each rejects with the client's own errors. */
export interface ProjectionCalls {
  readonly create: (name: string, query: string, emits: boolean) => Promise<void>;
  readonly update: (name: string, query: string, emits: boolean) => Promise<void>;
  readonly enable: (name: string) => Promise<void>;
  readonly disable: (name: string) => Promise<void>;
  readonly reset: (name: string) => Promise<void>;
  readonly remove: (name: string) => Promise<void>;
  readonly status: (name: string) => Promise<ProjectionStatus | undefined>;
  readonly state: (name: string, partition: string) => Promise<unknown>;
  readonly result: (name: string, partition: string) => Promise<unknown>;
  readonly close: () => Promise<void>;
}

/** Projections on the server. Failures are sentences. Asked for by name, each: one that does not parse breaks the list of all. */
export interface Projections {
  /** Creates or updates, enables, and waits until it has read all there is. */
  readonly deploy: (
    name: string,
    query: string,
    options: { readonly emits: boolean; readonly reset: boolean },
  ) => Promise<E.Either<StoreFailure, ProjectionStatus>>;
  /** Undefined: there is none of that name. */
  readonly status: (name: string) => Promise<E.Either<StoreFailure, ProjectionStatus | undefined>>;
  readonly result: (
    name: string,
    partition: string,
  ) => Promise<E.Either<StoreFailure, { readonly state: unknown; readonly result: unknown }>>;
  /** False: there was none. */
  readonly remove: (name: string) => Promise<E.Either<StoreFailure, boolean>>;
  readonly close: () => Promise<void>;
}

/** How long `deploy` waits for a projection to have read the log. */
const readyMs = 60_000;
/** How long a projection may take to stop before it is deleted. */
const stopMs = 10_000;
const lookMs = 100;

const typeOf = (cause: unknown): unknown =>
  typeof cause === 'object' && cause !== null && 'type' in cause ? cause.type : undefined;
const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

/** A handler that could not be made of the projection's text: its status cannot be asked for any more. */
const isUnparsed = (cause: unknown): boolean => typeOf(cause) === 'unknown' && /thrown by handler/i.test(textOf(cause));

const failureOf = (name: string, cause: unknown): StoreFailure => {
  if (isUnparsed(cause))
    return {
      kind: 'StoreRefused',
      message: `EventStoreDB cannot compile projection ${name}; until it is removed (imcd projections remove ${name}) the server cannot list its projections`,
      cause,
    };
  if (typeOf(cause) === 'access-denied')
    return {
      kind: 'StoreRefused',
      message: 'EventStoreDB lets this user manage no projections: it needs the group $ops',
      cause,
    };
  if (typeOf(cause) === 'not-found')
    return { kind: 'StoreRefused', message: `there is no projection ${name} on the server`, cause };
  if (/UNIMPLEMENTED/.test(textOf(cause)))
    return {
      kind: 'StoreRefused',
      message: 'EventStoreDB runs without projections: start it with --run-projections=All',
      cause,
    };
  return { kind: 'StoreUnavailable', message: `projection ${name}: ${explain(textOf(cause))}`, cause };
};

export const createProjections = (calls: ProjectionCalls, clock: Clock): Projections => {
  const pause = (): Promise<void> => new Promise((resolve) => void clock.after(lookMs, resolve));
  const attempt = async <A>(name: string, work: () => Promise<A>): Promise<E.Either<StoreFailure, A>> => {
    try {
      return E.right(await work());
    } catch (cause) {
      return E.left(failureOf(name, cause));
    }
  };
  const statusOf = async (name: string): Promise<ProjectionStatus | undefined> => {
    try {
      return await calls.status(name);
    } catch (cause) {
      if (typeOf(cause) === 'not-found') return undefined;
      throw cause;
    }
  };

  const ready = async (name: string): Promise<E.Either<StoreFailure, ProjectionStatus>> => {
    const until = clock.monotonic() + readyMs;
    for (;;) {
      const status = await statusOf(name);
      if (status?.status.startsWith('Faulted'))
        return E.left({ kind: 'StoreRefused', message: `projection ${name} is faulted: ${status.reason}` });
      if (status?.status.startsWith('Running') && status.progress >= 100) return E.right(status);
      if (clock.monotonic() > until) {
        const how = status === undefined ? 'does not appear' : `is ${status.status}, ${status.progress}%`;
        return E.left({ kind: 'StoreUnavailable', message: `projection ${name} ${how} after ${readyMs / 1000} s` });
      }
      await pause();
    }
  };

  const remove = async (name: string): Promise<boolean> => {
    let found = true;
    try {
      await calls.disable(name);
    } catch (cause) {
      if (typeOf(cause) === 'not-found') found = false;
      else throw cause;
    }
    if (!found) return false;
    // It stops in its own time, and one that runs is not deleted ("OperationFailed").
    const until = clock.monotonic() + stopMs;
    for (;;) {
      try {
        await calls.remove(name);
        return true;
      } catch (cause) {
        if (!/OperationFailed/.test(textOf(cause)) || clock.monotonic() > until) throw cause;
        await pause();
      }
    }
  };

  return {
    deploy: async (name, query, { emits, reset }) => {
      const done = await attempt(name, async () => {
        if ((await statusOf(name)) === undefined) await calls.create(name, query, emits);
        else {
          await calls.update(name, query, emits);
          if (reset) await calls.reset(name);
          await calls.enable(name);
        }
        return ready(name);
      });
      return E.isLeft(done) ? done : done.right;
    },
    status: (name) => attempt(name, () => statusOf(name)),
    result: (name, partition) =>
      attempt(name, async () => {
        const status = await calls.status(name);
        if (status?.status.startsWith('Faulted')) throw new Error(`it is faulted: ${status.reason}`);
        return { state: await calls.state(name, partition), result: await calls.result(name, partition) };
      }),
    remove: (name) => attempt(name, () => remove(name)),
    close: calls.close,
  };
};
