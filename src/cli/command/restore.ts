import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import * as E from 'fp-ts/lib/Either.js';
import type { AppendFailure, EventStore, NewEvent } from '../../ports/event-store.ts';
import { streamName } from '../../room/stream.ts';
import { systemClock } from '../../runtime/clock.ts';
import { randomIds } from '../../runtime/ids.ts';
import { openStore } from '../../server/open-store.ts';
import { CliError, type Invocation } from '../invocation.ts';
import { progress } from '../terminal/progress.ts';
import { silentLog } from '../terminal/silent-log.ts';

/** One event of an export, with the line that it stands in. */
interface Line extends NewEvent {
  readonly stream: string;
  readonly revision: number;
  readonly line: number;
}

/** Appends under way at once: the embedded log commits a group of them with one fsync. */
const window = 256;
/** Events of one append at most. */
const most = 100;

/** `imcd export --restore FILE`: the events of an export into an empty log, in their order, under their ids. */
export const restore = async (file: string, invocation: Invocation): Promise<number> => {
  const config = await invocation.config();
  const opened = await openStore(config, { clock: systemClock, ids: randomIds(), log: silentLog })();
  if (E.isLeft(opened)) throw new CliError(opened.left.message);
  const store = opened.right;
  try {
    const end = await store.end();
    if (E.isLeft(end)) throw new CliError(end.left.message);
    if (end.right !== undefined) {
      throw new CliError(
        'the log is not empty: a restore would mix two histories. Name an empty one (store_url, or data)',
      );
    }
    const events = await restoreInto(store, file);
    invocation.err(`${events} events restored`);
    return 0;
  } finally {
    await store.close();
  }
};

/** Consecutive events of one stream are one append; `window` appends are under way, begun in the order of the file. */
const restoreInto = async (store: EventStore, file: string): Promise<number> => {
  const bar = progress('restoring', 'events');
  const next = new Map<string, number>();
  const underWay = new Set<Promise<void>>();
  let failed: CliError | undefined;
  let group: Line[] = [];
  let events = 0;

  const send = async (): Promise<void> => {
    const [first] = group;
    if (first === undefined) return;
    const { stream, revision, line } = first;
    const expected = revision === 0 ? 'no_stream' : BigInt(revision - 1);
    const append = store
      .append(stream, expected, group)()
      .then((result) => {
        underWay.delete(append);
        if (E.isLeft(result)) failed ??= new CliError(`line ${line} of ${file}: ${wording(result.left)}`);
      });
    underWay.add(append);
    group = [];
    if (underWay.size >= window) await Promise.race(underWay);
    if (failed !== undefined) throw failed;
  };

  try {
    for await (const event of lines(file)) {
      const { stream, revision, line } = event;
      const wanted = next.get(stream) ?? 0;
      if (revision !== wanted) {
        throw new CliError(
          `line ${line} of ${file}: revision ${revision} of ${stream}, but ${wanted} is the next. Only an export of the whole log can be restored`,
        );
      }
      next.set(stream, revision + 1);
      if (group[0]?.stream !== stream || group.length >= most) await send();
      group.push(event);
      events += 1;
      bar.update(events);
    }
    await send();
    await Promise.all(underWay);
    if (failed !== undefined) throw failed;
    return events;
  } finally {
    bar.end();
    await Promise.all(underWay);
  }
};

async function* lines(file: string): AsyncGenerator<Line> {
  const input: NodeJS.ReadableStream = file === '-' ? process.stdin : createReadStream(file);
  const problem = new Promise<never>((_resolve, reject) => {
    input.on('error', (error: Error) => reject(new CliError(`${file} cannot be read: ${error.message}`)));
  });
  problem.catch(() => undefined);
  let whole = true;
  input.on('data', (part: Buffer) => {
    whole = part.at(-1) === 0x0a;
  });
  const reader = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
  for (let line = 1; ; line += 1) {
    const text = await Promise.race([reader.next(), problem]);
    if (text.done === true) break;
    if (text.value !== '') yield parseLine(text.value, line, file);
  }
  if (!whole) throw new CliError(`${file} ends in the middle of a line: it is not whole`);
}

const parseLine = (text: string, line: number, file: string): Line => {
  const wrong = (why: string) => new CliError(`line ${line} of ${file} is no event of an export: ${why}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong('it is no JSON');
  }
  if (typeof value !== 'object' || value === null) throw wrong('it is no object');
  const { stream, revision, id, type, data, metadata }: Readonly<Record<string, unknown>> = { ...value };
  if (typeof stream !== 'string' || !streamName.test(stream)) throw wrong('its stream is none of imcd');
  if (typeof revision !== 'number' || !Number.isSafeInteger(revision) || revision < 0)
    throw wrong('it has no revision');
  if (typeof id !== 'string' || typeof type !== 'string') throw wrong('it has no id or no type');
  if (data === undefined || metadata === undefined) throw wrong('it has no data or no metadata');
  return { stream, revision, id, type, data, metadata, line };
};

const wording = (failure: AppendFailure): string =>
  failure.kind === 'WrongExpectedRevision'
    ? `somebody else writes ${failure.stream}: it is at revision ${failure.actual} already`
    : failure.message;
