import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it, type TestContext } from 'node:test';
import type { EventStore, StoredEvent } from '../../../src/ports/event-store.ts';
import { all, newEvent, right } from '../../contract/event-store-kit.ts';
import { openLog, openReader, temporaryFolder } from './temporary-log.ts';

const killCount = 8;
const child = join(import.meta.dirname, 'appending-child.ts');

interface Append {
  readonly stream: string;
  readonly expected: bigint | 'no_stream';
  readonly ids: readonly string[];
  /** Revision of the last event, where the store had answered. */
  acknowledged?: bigint;
}

/** Runs the child until `lines` of its output have come, kills it, and gives back all appends that it had begun. */
const killAfter = async (file: string, name: string, lines: number): Promise<Append[]> => {
  const process = spawn(globalThis.process.execPath, [child, file, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(process, 'exit');
  const appends = new Map<string, Append>();
  let count = 0;
  for await (const line of createInterface(process.stdout)) {
    if (!line.endsWith(' .')) continue; // Cut off by the kill: that append was not begun, or not heard to be done.
    const [what, stream = '', number = '', ...ids] = line.slice(0, -2).split(' ');
    const [first = ''] = ids;
    if (what === 'begun') {
      const expected = number === 'no_stream' ? number : BigInt(number);
      appends.set(first, { stream, expected, ids });
    } else {
      const append = appends.get(first);
      assert.ok(append, `answered without a beginning: ${line}`);
      append.acknowledged = BigInt(number);
    }
    count += 1;
    if (count === lines) process.kill('SIGKILL');
  }
  const [, signal] = await exited;
  assert.equal(signal, 'SIGKILL', 'the child ended by itself');
  return [...appends.values()];
};

const readStreams = async (store: EventStore, appends: readonly Append[]): Promise<Map<string, StoredEvent[]>> => {
  const streams = new Map<string, StoredEvent[]>();
  for (const { stream } of appends) if (!streams.has(stream)) streams.set(stream, await all(store.readStream(stream)));
  return streams;
};

/** Every stream is what its appends, taken in order, have made it: no hole, nothing twice, no half append. */
const check = (streams: Map<string, StoredEvent[]>, appends: readonly Append[], everyOne: boolean): void => {
  const expected = new Map<string, string[]>([...streams.keys()].map((stream) => [stream, []]));
  for (const { stream, ids, acknowledged } of appends) {
    const events = streams.get(stream) ?? [];
    const written = expected.get(stream) ?? [];
    const there = events.some(({ id }) => id === ids[0]);
    if (acknowledged !== undefined || everyOne) assert.ok(there, `an acknowledged append to ${stream} is gone`);
    if (there) written.push(...ids);
    if (acknowledged !== undefined) assert.equal(acknowledged, BigInt(written.length - 1));
  }
  for (const [stream, events] of streams) {
    assert.deepEqual(
      events.map(({ id }) => id),
      expected.get(stream),
    );
    assert.deepEqual(
      events.map(({ revision }) => revision),
      events.map((_, n) => BigInt(n)),
    );
  }
};

/** Closed at the test's end, however it ends: an open log keeps the process alive. */
const opened = async (t: TestContext, file: string): Promise<EventStore> => {
  const store = await openLog(file);
  t.after(() => store.close());
  return store;
};

describe('SQLite: kill -9', { timeout: 240_000 }, () => {
  it(`leaves all that was acknowledged, once, over ${killCount} kills of a process that appends to the same log`, async (t) => {
    const { folder, remove } = temporaryFolder();
    t.after(remove);
    const file = join(folder, 'log.db');
    const appends: Append[] = [];
    let unanswered = 0;
    for (let n = 0; n < killCount; n += 1) {
      // From the first line of output, when the log has hardly been made, to some thousand appends later.
      const killed = await killAfter(file, `kill-${n}`, n === 0 ? 1 : randomInt(2, 4_000));
      appends.push(...killed);
      unanswered += killed.filter(({ acknowledged }) => acknowledged === undefined).length;

      // A reader may be the first to look, with the dead writer's WAL still standing there.
      const reader = await openReader(file);
      const before = await readStreams(reader, killed);
      await reader.close();
      const store = await opened(t, file);
      check(before, killed, false);
      check(await readStreams(store, killed), killed, false);

      // Whoever repeats what was not answered has it written, once.
      for (const { stream, expected, ids } of killed)
        right(
          await store.append(
            stream,
            expected,
            ids.map((id) => ({ ...newEvent(0), id })),
          )(),
        );
      check(await readStreams(store, killed), killed, true);
      await store.close();
    }
    assert.ok(unanswered > 0, 'no kill came while an append was under way');

    const store = await opened(t, file);
    check(await readStreams(store, appends), appends, true);
    const rooms = appends.filter(({ stream }) => stream.startsWith('room-')).flatMap(({ ids }) => ids);
    const everything = await all(store.readAll());
    assert.deepEqual(new Set(everything.map(({ id }) => id)), new Set(rooms));
    assert.equal(everything.length, rooms.length);
  });
});
