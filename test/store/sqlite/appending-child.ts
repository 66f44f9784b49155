/**
 * A process that appends until it is killed: `node appending-child.ts FILE SEED`. On stdout, each a line, written before
 * anything else happens: `begun STREAM EXPECTED ID...` when an append is handed to the store, `done STREAM REVISION ID...`
 * when the store has said that it is durable. A whole line ends with a full stop.
 */
import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import * as E from 'fp-ts/lib/Either.js';
import { newEvent } from '../../contract/event-store-kit.ts';
import { openLog } from './temporary-log.ts';

const [file = '', name = ''] = process.argv.slice(2);
const writers = 64;

/** Returns once the pipe has the whole line: `process.stdout` would keep what a full pipe does not take, and lose it at the kill. */
const say = (...words: readonly (string | bigint)[]): void => {
  let rest = Buffer.from(`${words.join(' ')} .\n`);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
    }
  }
};

const store = await openLog(file);
const write = async (n: number): Promise<void> => {
  const stream = n % 8 === 7 ? `transcript-${name}-${n}@kill.test` : `room-${name}-${n}@kill.test`;
  let expected: bigint | 'no_stream' = 'no_stream';
  for (let turn = 0; ; turn += 1) {
    const events = Array.from({ length: 1 + ((n + turn) % 3) }, (_, i) => ({ ...newEvent(i), id: randomUUID() }));
    const ids = events.map(({ id }) => id);
    say('begun', stream, String(expected), ...ids);
    const appended: E.Either<unknown, { readonly revision: bigint }> = await store.append(stream, expected, events)();
    if (E.isLeft(appended)) throw new Error('an append failed', { cause: appended.left });
    say('done', stream, appended.right.revision, ...ids);
    expected = appended.right.revision;
  }
};
await Promise.all(Array.from({ length: writers }, (_, n) => write(n)));
