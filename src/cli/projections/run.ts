import { type EventStore, type StoredEvent, StoreError } from '../../ports/event-store.ts';
import { ProjectionFault, projectionLimits } from '../../projections/limits.ts';
import type { ProjectionEvent } from '../../projections/projection.ts';
import { openSandbox, type Sandbox } from '../../projections/sandbox.ts';
import { systemClock } from '../../runtime/clock.ts';
import { CliError, type Invocation } from '../invocation.ts';
import { openReader } from '../read/open-log.ts';
import { printable } from '../terminal/show.ts';
import type { ProjectionFile } from './file.ts';

const batchSize = 500;

/**
 * Runs a projection over the log, in a sandbox. One JSON object a line: `{"link":"3@room-x","stream":...,"metadata":...}` and
 * `{"emit":TYPE,"stream":...,"data":...,"metadata":...}` as they come, then `{"partition":...,"state":...,"result":...}`.
 *
 * Events are given as they were written, in whatever version: EventStoreDB gives them so to the same file, and both must come
 * to the same result. `metadata.version` tells a projection which form it has before it.
 */
export const runProjection = async (file: ProjectionFile, invocation: Invocation): Promise<number> => {
  const { options, out } = invocation;
  const memoryMiB = number('memory', options.memory, projectionLimits.memoryMiB, 16, 65_536);
  const seconds = number('time', options.time, 600, 1, 604_800);
  const store = await openReader(await invocation.config());
  let sandbox: Sandbox | undefined;
  let late = false;
  const timer = systemClock.after(seconds * 1000, () => {
    late = true;
    sandbox?.stop();
  });
  try {
    sandbox = await openSandbox(file.text, systemClock, { ...projectionLimits, memoryMiB });
    for await (const events of batches(eventsFor(store, sandbox.definition.source))) {
      for (const { stream, type, data, metadata } of await sandbox.feed(events)) {
        const written =
          type === '$>' ? { link: data, stream, metadata } : { emit: type, stream, data: parsed(data), metadata };
        await out(JSON.stringify(written));
      }
    }
    await sandbox.finish(async (outcomes) => {
      for (const outcome of outcomes) await out(JSON.stringify(outcome));
    });
    return 0;
  } catch (error) {
    if (late) throw new CliError(`the projection was ended after ${seconds} s; --time gives it more`);
    if (error instanceof ProjectionFault || error instanceof StoreError) throw new CliError(printable(error.message));
    throw error;
  } finally {
    timer.cancel();
    sandbox?.stop();
    await store.close();
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

const number = (name: string, given: string | true | undefined, usual: number, least: number, most: number): number => {
  if (given === undefined) return usual;
  const value = Number(given);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new CliError(`--${name} takes a whole number from ${least} to ${most}, not ${printable(String(given))}`, 2);
};
