/**
 * A process that appends until it is killed: `node appending-child.ts FILE SEED`. On stdout, each a line, written before
 * anything else happens: `begun STREAM EXPECTED ID...` when an append is handed to the store, `done STREAM REVISION ID...`
 * when the store has said that it is durable.
 */
import { randomUUID } from 'node:crypto';
import * as E from 'fp-ts/lib/Either.js';
import { newEvent } from '../contract/event-store-kit.ts';
import { openLog } from './temporary-log.ts';

const [file = '', name = ''] = process.argv.slice(2);
const WRITERS = 64;

/** A pipe takes what is written to it before `write` returns (Node on Linux). */
const say = (...words: readonly (string | bigint)[]): void => {
  process.stdout.write(`${words.join(' ')}\n`);
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
await Promise.all(Array.from({ length: WRITERS }, (_, n) => write(n)));
