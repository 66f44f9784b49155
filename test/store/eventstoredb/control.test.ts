import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import * as E from 'fp-ts/lib/Either.js';
import { anEvent, aStream, idsOf, openOn } from '../../support/eventstoredb/open.ts';
import { startDouble } from '../../support/eventstoredb/server.ts';
import { until } from '../../support/until.ts';

/** What can be done to a server, the double or a real one. */
interface Control {
  readonly url: string;
  readonly kill: () => Promise<unknown>;
  readonly start: () => Promise<unknown>;
  readonly freeze: () => Promise<unknown>;
  readonly thaw: () => Promise<unknown>;
}

const double = async (t: TestContext): Promise<Control> => {
  const server = await startDouble();
  t.after(() => server.stop());
  return {
    url: server.url,
    kill: async () => server.kill(),
    start: server.start,
    freeze: async () => server.freeze(),
    thaw: async () => server.thaw(),
  };
};

/** EVENTSTORE_CONTROL names a program that takes `kill`, `start`, `freeze` or `thaw`, and does it to the server at EVENTSTORE_URL. */
const real = (): Promise<Control> => {
  const run = promisify(execFile);
  const program = process.env.EVENTSTORE_CONTROL ?? '';
  const act = (what: string) => () => run(program, [what]);
  const url = process.env.EVENTSTORE_URL ?? '';
  return Promise.resolve({ url, kill: act('kill'), start: act('start'), freeze: act('freeze'), thaw: act('thaw') });
};

const kinds = [
  ['double', double],
  ...(process.env.EVENTSTORE_URL && process.env.EVENTSTORE_CONTROL ? ([['real', real]] as const) : []),
] as const;

for (const [name, make] of kinds) {
  describe(`EventStoreDB adapter: a server that is killed and frozen under load (${name})`, {
    timeout: 120_000,
  }, () => {
    for (const [go, comeBack] of [
      ['kill', 'start'],
      ['freeze', 'thaw'],
    ] as const) {
      it(`${go}, ${comeBack}: what is said written is there once, what is said not written is not, and all goes on`, async (t) => {
        const control = await make(t);
        const store = await openOn(control.url, { times: { openMs: 30_000, appendMs: 1_000, settleMs: 1_000 } });
        t.after(() => store.close());
        const said = new Map<string, { readonly id: string; readonly outcome: string }>();
        let going = true;
        const worker = async (): Promise<void> => {
          while (going) {
            const [stream, event] = [aStream(), anEvent()];
            const outcome = await store.append(stream, 'no_stream', [event])();
            said.set(stream, { id: event.id, outcome: E.isRight(outcome) ? 'written' : outcome.left.kind });
            await new Promise((resolve) => setImmediate(resolve));
            if (E.isLeft(outcome)) await new Promise((resolve) => setTimeout(resolve, 20));
          }
        };
        const workers = Promise.all(Array.from({ length: 64 }, worker));
        await until('appends work', () => said.size > 500);
        await control[go]();
        await until('the loss is noticed', () => store.status().kind === 'away');
        const { tries } = store.counters;
        await until('it has tried in vain', () => store.counters.tries > tries + 1);
        await control[comeBack]();
        await until('the store is back', () => store.status().kind === 'connected');
        const then = said.size;
        await until('appends go on', () => said.size > then + 500);
        going = false;
        await workers;
        for (const [stream, { id, outcome }] of said) {
          const there = await idsOf(store, stream);
          if (outcome === 'written') assert.deepEqual(there, [id]);
          else if (outcome === 'StoreUnavailable') assert.deepEqual(there, []);
          else {
            assert.equal(outcome, 'OutcomeUnknown');
            assert.ok(there.length <= 1);
          }
        }
      });
    }
  });
}
