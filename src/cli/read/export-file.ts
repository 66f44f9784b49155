import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { NewEvent } from '../../ports/event-store.ts';
import { streamName } from '../../room/stream.ts';
import { type CliError, cliError } from '../cli-error.ts';

/** Reads what `imcd export` wrote: NDJSON, an event a line. */

/** One event of an export, with the line that it stands in. */
export interface ExportedEvent extends NewEvent {
  readonly stream: string;
  readonly revision: number;
  readonly line: number;
}

/** The events of a file (`-`: of stdin), up to the first line that is none, or to where it cannot be read. */
export async function* exportedEvents(file: string): AsyncGenerator<E.Either<CliError, ExportedEvent>> {
  const input: NodeJS.ReadableStream = file === '-' ? process.stdin : createReadStream(file);
  const broken = new Promise<Error>((resolve) => void input.on('error', resolve));
  let whole = true;
  input.on('data', (part: Buffer) => {
    whole = part.at(-1) === 0x0a;
  });
  const reader = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
  for (let line = 1; ; line += 1) {
    const text = await Promise.race([reader.next(), broken]);
    if (text instanceof Error) {
      yield E.left(cliError(`${file} cannot be read: ${text.message}`));
      return;
    }
    if (text.done === true) break;
    if (text.value !== '') yield parseLine(text.value, line, file);
  }
  if (!whole) yield E.left(cliError(`${file} ends in the middle of a line: it is not whole`));
}

const parseLine = (text: string, line: number, file: string): E.Either<CliError, ExportedEvent> =>
  pipe(
    E.tryCatch(
      (): unknown => JSON.parse(text),
      () => 'it is no JSON',
    ),
    E.chain(eventOf),
    E.bimap(
      (why) => cliError(`line ${line} of ${file} is no event of an export: ${why}`),
      (event) => ({ ...event, line }),
    ),
  );

const eventOf = (value: unknown): E.Either<string, Omit<ExportedEvent, 'line'>> => {
  if (typeof value !== 'object' || value === null) return E.left('it is no object');
  const { stream, revision, id, type, data, metadata }: Readonly<Record<string, unknown>> = { ...value };
  if (typeof stream !== 'string' || !streamName.test(stream)) return E.left('its stream is none of imcd');
  if (typeof revision !== 'number' || !Number.isSafeInteger(revision) || revision < 0)
    return E.left('it has no revision');
  if (typeof id !== 'string' || typeof type !== 'string') return E.left('it has no id or no type');
  if (data === undefined || metadata === undefined) return E.left('it has no data or no metadata');
  return E.right({ stream, revision, id, type, data, metadata });
};
