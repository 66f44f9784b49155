import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { deadlineIn } from '../bounds/deadline.ts';
import type { Clock } from '../ports/clock.ts';
import type { StoreFailure } from '../ports/event-store.ts';

/**
 * Projections that run on an EventStoreDB server: deploying, looking at and removing them, by name.
 * Knows no client; the calls are handed in by whoever puts the two together.
 */

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

/** The calls of the server that are used; each rejects with the client's own errors. */
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

export interface ManageOptions {
  readonly calls: ProjectionCalls;
  /** What is wrong with the connection, as a sentence, by the message of a call's error. */
  readonly explain: (message: string) => string;
  readonly clock: Clock;
}

export interface DeployOptions {
  /** Whether it may write events and links. */
  readonly emits: boolean;
  /** Whether one that is there begins again at the log's start. */
  readonly reset: boolean;
}

/** Projections on the server. Failures are sentences. Asked for by name, each: one that does not parse breaks the list of all. */
export interface Projections {
  /** Creates or updates, enables, and waits until it has read all there is. */
  readonly deploy: (
    name: string,
    query: string,
    options: DeployOptions,
  ) => TE.TaskEither<StoreFailure, ProjectionStatus>;
  /** Undefined: there is none of that name. */
  readonly status: (name: string) => TE.TaskEither<StoreFailure, ProjectionStatus | undefined>;
  readonly result: (
    name: string,
    partition: string,
  ) => TE.TaskEither<StoreFailure, { readonly state: unknown; readonly result: unknown }>;
  /** False: there was none. */
  readonly remove: (name: string) => TE.TaskEither<StoreFailure, boolean>;
  readonly close: () => Promise<void>;
}

/** How long `deploy` waits for a projection to have read the log. */
const readyMs = 60_000;
/** How long a projection may take to stop before it is deleted. */
const stopMs = 10_000;
const lookMs = 100;

export const manageProjections = (options: ManageOptions): Projections => {
  const { calls, explain } = options;
  const attempt = <A>(name: string, work: () => Promise<A>): TE.TaskEither<StoreFailure, A> =>
    TE.tryCatch(work, (cause) => failureOf(name, cause, explain));
  const status: Projections['status'] = (name) => attempt(name, () => statusOf(calls, name));
  return {
    deploy: (name, query, { emits, reset }) =>
      pipe(
        attempt(name, () => install(calls, name, query, emits, reset)),
        TE.chain(() => whenReady(options, name, status(name))),
      ),
    status,
    result: (name, partition) =>
      attempt(name, async () => {
        const found = await calls.status(name);
        if (found?.status.startsWith('Faulted')) throw new Error(`it is faulted: ${found.reason}`);
        return { state: await calls.state(name, partition), result: await calls.result(name, partition) };
      }),
    remove: (name) => attempt(name, () => remove(options, name)),
    close: calls.close,
  };
};

const statusOf = async (calls: ProjectionCalls, name: string): Promise<ProjectionStatus | undefined> => {
  try {
    return await calls.status(name);
  } catch (cause) {
    if (typeOf(cause) === 'not-found') return undefined;
    throw cause;
  }
};

const install = async (
  calls: ProjectionCalls,
  name: string,
  query: string,
  emits: boolean,
  reset: boolean,
): Promise<void> => {
  if ((await statusOf(calls, name)) === undefined) return calls.create(name, query, emits);
  await calls.update(name, query, emits);
  if (reset) await calls.reset(name);
  await calls.enable(name);
};

/** Waits until a projection has read the log; a Left where it is faulted, or takes too long. */
const whenReady =
  (
    { clock }: ManageOptions,
    name: string,
    ask: TE.TaskEither<StoreFailure, ProjectionStatus | undefined>,
  ): TE.TaskEither<StoreFailure, ProjectionStatus> =>
  async () => {
    const deadline = deadlineIn(clock, readyMs);
    for (;;) {
      const asked = await ask();
      if (E.isLeft(asked)) return asked;
      const found = asked.right;
      if (found?.status.startsWith('Faulted'))
        return E.left({ kind: 'StoreRefused', message: `projection ${name} is faulted: ${found.reason}` });
      if (found?.status.startsWith('Running') && found.progress >= 100) return E.right(found);
      if (deadline.left() === 0) {
        const how = found === undefined ? 'does not appear' : `is ${found.status}, ${found.progress}%`;
        return E.left({ kind: 'StoreUnavailable', message: `projection ${name} ${how} after ${readyMs / 1000} s` });
      }
      await pause(clock);
    }
  };

/** Stops a projection, and deletes it when it has stopped: one that runs is not deleted ("OperationFailed"). */
const remove = async ({ calls, clock }: ManageOptions, name: string): Promise<boolean> => {
  try {
    await calls.disable(name);
  } catch (cause) {
    if (typeOf(cause) === 'not-found') return false;
    throw cause;
  }
  const deadline = deadlineIn(clock, stopMs);
  for (;;) {
    try {
      await calls.remove(name);
      return true;
    } catch (cause) {
      if (!/OperationFailed/.test(textOf(cause)) || deadline.left() === 0) throw cause;
      await pause(clock);
    }
  }
};

const pause = (clock: Clock): Promise<void> => new Promise((resolve) => void clock.after(lookMs, resolve));

const typeOf = (cause: unknown): unknown =>
  typeof cause === 'object' && cause !== null && 'type' in cause ? cause.type : undefined;
const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

/** A handler that could not be made of the projection's text: its status cannot be asked for any more. */
const isUnparsed = (cause: unknown): boolean => typeOf(cause) === 'unknown' && /thrown by handler/i.test(textOf(cause));

const failureOf = (name: string, cause: unknown, explain: ManageOptions['explain']): StoreFailure => {
  const refuse = (message: string): StoreFailure => ({ kind: 'StoreRefused', message, cause });
  if (isUnparsed(cause))
    return refuse(
      `EventStoreDB cannot compile projection ${name}; until it is removed (imcd projections remove ${name}) the server cannot list its projections`,
    );
  if (typeOf(cause) === 'access-denied')
    return refuse('EventStoreDB lets this user manage no projections: it needs the group $ops');
  if (typeOf(cause) === 'not-found') return refuse(`there is no projection ${name} on the server`);
  if (/UNIMPLEMENTED/.test(textOf(cause)))
    return refuse('EventStoreDB runs without projections: start it with --run-projections=All');
  return { kind: 'StoreUnavailable', message: `projection ${name}: ${explain(textOf(cause))}`, cause };
};
