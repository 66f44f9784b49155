import { sequenceS } from 'fp-ts/lib/Apply.js';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type EventStore, type StoredEvent, StoreError } from '../../ports/event-store.ts';
import { ProjectionFault, projectionLimits } from '../../projections/limits.ts';
import type { ProjectionEvent } from '../../projections/projection.ts';
import { openSandbox, type Sandbox } from '../../projections/sandbox.ts';
import { systemClock } from '../../runtime/clock.ts';
import { because, type CliError, type CliTask, cliError, wrongUsage } from '../cli-error.ts';
import type { Invocation, OptionValue } from '../invocation.ts';
import { withReader } from '../read/open-log.ts';
import { printable } from '../terminal/show.ts';
import type { ProjectionFile } from './file.ts';

/** `imcd projections run FILE`: a projection over any log, in a sandbox of this process's own. */

/** Events that go into the sandbox at once. */
const batchSize = 500;

interface RunLimits {
  readonly memoryMiB: number;
  readonly seconds: number;
}

/**
 * Runs a projection over the log, in a sandbox. One JSON object a line: `{"link":"3@room-x","stream":...,"metadata":...}` and
 * `{"emit":TYPE,"stream":...,"data":...,"metadata":...}` as they come, then `{"partition":...,"state":...,"result":...}`.
 *
 * Events are given as they were written, in whatever version: EventStoreDB gives them so to the same file, and both must come
 * to the same result. `metadata.version` tells a projection which form it has before it.
 */
export const runProjection = (file: ProjectionFile, invocation: Invocation): CliTask<number> =>
  pipe(
    sequenceS(E.Apply)({
      memoryMiB: limitOf('memory', invocation.options.memory, projectionLimits.memoryMiB, 16, 65_536),
      seconds: limitOf('time', invocation.options.time, 600, 1, 604_800),
    }),
    TE.fromEither,
    TE.bindTo('limits'),
    TE.bind('config', () => invocation.config),
    TE.chain(({ limits, config }) => withReader(config, (store) => project(file, limits, store, invocation.out))),
  );

const project = (
  file: ProjectionFile,
  { memoryMiB, seconds }: RunLimits,
  store: EventStore,
  out: Invocation['out'],
): CliTask<number> => {
  let late = false;
  return TE.tryCatch(
    async () => {
      let sandbox: Sandbox | undefined;
      const timer = systemClock.after(seconds * 1000, () => {
        late = true;
        sandbox?.stop();
      });
      try {
        sandbox = await openSandbox(file.text, systemClock, { ...projectionLimits, memoryMiB });
        await feed(sandbox, store, out);
        await sandbox.finish(async (outcomes) => {
          for (const outcome of outcomes) await out(JSON.stringify(outcome));
        });
        return 0;
      } finally {
        timer.cancel();
        sandbox?.stop();
      }
    },
    (error) => {
      if (late) return cliError(`the projection was ended after ${seconds} s; --time gives it more`);
      if (error instanceof ProjectionFault || error instanceof StoreError) return because(error);
      throw error;
    },
  );
};

/** Gives the projection all of its events, and prints what it writes. */
const feed = async (sandbox: Sandbox, store: EventStore, out: Invocation['out']): Promise<void> => {
  for await (const events of batches(eventsFor(store, sandbox.definition.source))) {
    for (const { stream, type, data, metadata } of await sandbox.feed(events)) {
      const written =
        type === '$>' ? { link: data, stream, metadata } : { emit: type, stream, data: parsed(data), metadata };
      await out(JSON.stringify(written));
    }
  }
};

/** A named stream is read by itself, so that transcripts can be projected too; everything else from the log of all rooms. */
const eventsFor = async function* (
  store: EventStore,
  source: Sandbox['definition']['source'],
): AsyncIterable<StoredEvent> {
  if (source.kind !== 'stream') yield* store.readAll();
  else if (source.names.length === 1) yield* store.readStream(source.names[0] ?? '');
  else {
    const names = new Set(source.names);
    for await (const event of store.readAll()) if (names.has(event.stream)) yield event;
  }
};

const batches = async function* (events: AsyncIterable<StoredEvent>): AsyncIterable<readonly ProjectionEvent[]> {
  let batch: ProjectionEvent[] = [];
  for await (const { id, type, stream, revision, data, metadata } of events) {
    batch.push({
      id,
      type,
      stream,
      revision: Number(revision),
      data: JSON.stringify(data) ?? 'null',
      metadata: JSON.stringify(metadata) ?? '',
    });
    if (batch.length < batchSize) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text; // The target of a stream link is no JSON.
  }
};

const limitOf = (
  name: string,
  given: OptionValue,
  usual: number,
  least: number,
  most: number,
): E.Either<CliError, number> => {
  if (given === undefined) return E.right(usual);
  const value = Number(given);
  return Number.isInteger(value) && value >= least && value <= most
    ? E.right(value)
    : E.left(wrongUsage(`--${name} takes a whole number from ${least} to ${most}, not ${printable(String(given))}`));
};
