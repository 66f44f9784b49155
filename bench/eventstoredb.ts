import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { EventStoreDBClient, jsonEvent, streamNameFilter } from '@eventstore/db-client';
import * as E from 'fp-ts/lib/Either.js';
import type { NewEvent } from '../src/ports/event-store.ts';
import { roomPrefix } from '../src/room/stream.ts';
import { anEvent, openOn } from '../test/support/eventstoredb/open.ts';

/**
 * The adapter against the bare client, on the same server in the same run: appends with many in flight over distinct
 * streams, and a catch-up of all events. On EVENTSTORE_URL where it is set, else on the double, as a process of its own.
 * Rounds alternate, so that a machine that others use too slows both.
 *
 * `npm run bench -- eventstoredb [--appends 20000] [--flight 256] [--rounds 3] [--catch-up 200000]`
 */
export const run = async (args: readonly string[]): Promise<unknown> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      appends: { type: 'string', default: '20000' },
      flight: { type: 'string', default: '256' },
      rounds: { type: 'string', default: '3' },
      'catch-up': { type: 'string', default: '200000' },
    },
  });
  const server = await serverAt(process.env.EVENTSTORE_URL);
  try {
    const appends = await appendRates(server.url, Number(values.appends), Number(values.flight), Number(values.rounds));
    const catchUp = await catchUpRates(server.url, Number(values['catch-up']), Number(values.rounds));
    return { server: server.kind, appends, catchUp };
  } finally {
    server.stop();
  }
};

const serverAt = async (url: string | undefined) => {
  if (url !== undefined && url !== '') return { kind: 'EVENTSTORE_URL', url, stop: () => {} };
  const main = join(import.meta.dirname, '..', 'test', 'support', 'eventstoredb', 'main.ts');
  const child = spawn(process.execPath, [main], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { kind: 'the double', url: String(line), stop: () => void child.kill() };
};

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

/** Appends one event to each of `count` streams, `flight` at a time; events a second. */
const timed = async (count: number, flight: number, append: (stream: string, event: NewEvent) => Promise<unknown>) => {
  const prefix = randomUUID();
  await append(`${roomPrefix}chat-${prefix}-first@bench`, anEvent());
  let next = 0;
  const began = performance.now();
  const worker = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await append(`${roomPrefix}chat-${prefix}-${next}@bench`, anEvent(next));
    }
  };
  await Promise.all(Array.from({ length: flight }, worker));
  return Math.round((count * 1000) / (performance.now() - began));
};

const appendRates = async (url: string, count: number, flight: number, rounds: number) => {
  const client = EventStoreDBClient.connectionString(url);
  const store = await openOn(url);
  const bare: number[] = [];
  const adapter: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    bare.push(
      await timed(count, flight, (stream, { id, type, data, metadata }) =>
        client.appendToStream(stream, jsonEvent({ id, type, data: Object(data), metadata: Object(metadata) }), {
          expectedRevision: 'no_stream',
        }),
      ),
    );
    adapter.push(
      await timed(count, flight, async (stream, event) => {
        const appended = await store.append(stream, 'no_stream', [event])();
        if (E.isLeft(appended)) throw new Error(JSON.stringify(appended.left));
      }),
    );
  }
  await store.close();
  await client.dispose();
  return { flight, perSecond: { bare, adapter }, adapterOfBare: median(adapter) / median(bare) };
};

const catchUpRates = async (url: string, count: number, rounds: number) => {
  const store = await openOn(url, { times: { appendMs: 30_000 } });
  const client = EventStoreDBClient.connectionString(url);
  const stream = `${roomPrefix}chat-${randomUUID()}@bench`;
  for (let from = 0; from < count; from += 1000) {
    const events = Array.from({ length: Math.min(1000, count - from) }, (_, n) => anEvent(from + n));
    const appended = await store.append(stream, from === 0 ? 'no_stream' : BigInt(from - 1), events)();
    if (E.isLeft(appended)) throw new Error(JSON.stringify(appended.left));
  }
  const bare: number[] = [];
  const adapter: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    let seen = 0;
    let began = performance.now();
    const filter = streamNameFilter({ prefixes: [roomPrefix], maxSearchWindow: 1000, checkpointInterval: 100 });
    const subscription = client.subscribeToAll({ filter });
    subscription.on('data', () => {
      seen += 1;
    });
    await once(subscription, 'caughtUp');
    bare.push(Math.round((seen * 1000) / (performance.now() - began)));
    await subscription.unsubscribe();

    seen = 0;
    began = performance.now();
    await new Promise<void>((resolve, reject) => {
      const following = store.subscribe(undefined, {
        onEvents: (events) => {
          seen += events.length;
        },
        onCaughtUp: () => {
          following.stop();
          resolve();
        },
        onStopped: ({ message }) => reject(new Error(message)),
      });
    });
    adapter.push(Math.round((seen * 1000) / (performance.now() - began)));
  }
  await store.close();
  await client.dispose();
  return { events: count, perSecond: { bare, adapter }, adapterOfBare: median(adapter) / median(bare) };
};
