import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import type { RunningLog } from '../../src/runtime/log.ts';
import { beginEngine } from '../../src/server/open-engine.ts';
import { beginMi } from '../../src/server/open-mi.ts';
import { beginMirror } from '../../src/server/open-mirror.ts';
import { beginSip, type OpenedSip } from '../../src/server/open-sip.ts';
import { beginStore } from '../../src/server/open-store.ts';
import { listen, type RunningServer, type Steps, startServer, startWith } from '../../src/server/start.ts';
import type { StartFailure, Starting } from '../../src/server/starting.ts';
import { openSipClient } from '../support/sip-client.ts';
import { recordingLog } from '../support/world.ts';

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'imcd-start-'));
  folders.push(folder);
  return folder;
};

const config = async (options: Readonly<Record<string, string>> = {}): Promise<Config> => {
  const fixed = { listen: 'udp:127.0.0.1:0', domains: 'localhost', 'mi.http': '127.0.0.1:0', data: temporaryFolder() };
  const loaded = await loadConfig({ environment: {}, commandLine: { ...fixed, ...options } })();
  if (E.isLeft(loaded)) throw new Error(JSON.stringify(loaded.left));
  return loaded.right;
};

const runningLog = (): RunningLog & ReturnType<typeof recordingLog> => ({
  ...recordingLog(),
  level: () => 'debug',
  setLevel: () => {},
  flush: () => {},
  counters: { linesDropped: 0 },
});

const running = (started: E.Either<StartFailure, RunningServer>): RunningServer => {
  if (E.isLeft(started)) throw new Error(started.left.message, { cause: started.left.cause });
  return started.right;
};

/** The real steps, with a record of what was opened and closed, in order. */
const watched = () => {
  const opened: string[] = [];
  const closed: string[] = [];
  const watching = (starting: Starting): Starting => ({
    ...starting,
    closers: {
      ...starting.closers,
      defer: (name, close) => {
        opened.push(name);
        starting.closers.defer(name, async (ms) => {
          await close(ms);
          closed.push(name);
        });
      },
    },
  });
  const steps: Steps = {
    beginStore: (starting) => beginStore(watching(starting)),
    beginSip: (starting) => beginSip(watching(starting)),
    beginEngine: (starting, ...rest) => beginEngine(watching(starting), ...rest),
    beginMirror: (starting, store) => beginMirror(watching(starting), store),
    beginMi: (starting, parts) => beginMi(watching(starting), parts),
    listen: (starting, opened) => listen(watching(starting), opened),
  };
  return { opened, closed, steps };
};

/** What each step opens, in the order of the start. */
const table: readonly (readonly [keyof Steps, readonly string[]])[] = [
  ['beginStore', ['the log']],
  ['beginSip', ['SIP']],
  ['beginEngine', ['the snapshot of the rooms', 'the subscription to the log']],
  ['beginMirror', ['the mirror']],
  ['beginMi', ['mi.datagram', 'mi.fifo', 'mi.http']],
  ['listen', ['announcements', 'commands', 'listeners']],
];
const fronts = async () => ({ 'mi.datagram': '127.0.0.1:0', 'mi.fifo': join(temporaryFolder(), 'fifo') });

describe('a start that fails', () => {
  for (const [step, opens] of table) {
    const before = table
      .slice(
        0,
        table.findIndex(([name]) => name === step),
      )
      .flatMap(([, names]) => names);

    it(`at ${step} closes exactly what had been opened, the last first`, async () => {
      const { opened, closed, steps } = watched();
      const failing = { ...steps, [step]: () => TE.left({ message: `${step} cannot be done` }) };
      const started = await startWith(failing)(await config(await fronts()), { log: runningLog() })();
      assert.deepEqual(started, E.left({ message: `${step} cannot be done` }));
      assert.deepEqual(opened, before);
      assert.deepEqual(closed, before.toReversed());
    });

    it(`by a defect after ${step} closes what that has opened too, and is a defect still`, async () => {
      const { opened, closed, steps } = watched();
      const broken = (...args: readonly never[]) =>
        TE.map(() => {
          throw new TypeError('a defect');
        })((steps[step] as (...args: readonly unknown[]) => TE.TaskEither<StartFailure, unknown>)(...args));
      const start = startWith({ ...steps, [step]: broken })(await config(await fronts()), { log: runningLog() });
      await assert.rejects(start(), { name: 'TypeError', message: 'a defect' });
      assert.deepEqual(opened, [...before, ...opens]);
      assert.deepEqual(closed, [...before, ...opens].toReversed());
    });
  }

  it('between the fronts of the management interface closes those that were there', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    after(() => taken.close());
    await new Promise((resolve) => taken.once('listening', resolve));
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { closed, steps } = watched();
    const options = await config({ ...(await fronts()), 'mi.http': `127.0.0.1:${port}` });
    const started = await startWith(steps)(options, { log: runningLog() })();
    assert.match(E.isLeft(started) ? started.left.message : '', /cannot listen on .*mi\.http.*: another program/);
    assert.deepEqual(closed.slice(0, 3), ['mi.fifo', 'mi.datagram', 'the mirror']);
  });

  it('leaves nothing behind that keeps the next one from starting', async () => {
    const options = await config();
    const failing = { ...watched().steps, listen: () => TE.left({ message: 'no' }) };
    assert.ok(E.isLeft(await startWith(failing)(options, { log: runningLog() })()));
    await running(await startServer(options, { log: runningLog() })()).stop(0);
  });

  it('says why it failed, not what could not be closed then: that is in the log', async () => {
    const log = runningLog();
    const wrapStore = (store: EventStore): EventStore => ({
      ...store,
      close: async () => {
        await store.close();
        throw new Error('the disk is gone');
      },
    });
    const failing = { ...watched().steps, beginSip: () => TE.left({ message: 'no bindings' }) };
    const started = await startWith(failing)(await config(), { log, wrapStore })();
    assert.deepEqual(started, E.left({ message: 'no bindings' }));
    assert.ok(log.lines.some(({ level, message }) => level === 'error' && message === 'the log could not be closed'));
  });
});

describe('a server that stops', () => {
  it('lets go in the reverse order of its start', async () => {
    const { opened, closed, steps } = watched();
    const server = running(await startWith(steps)(await config(await fronts()), { log: runningLog() })());
    assert.deepEqual(
      opened,
      table.flatMap(([, names]) => names),
    );
    await server.stop(1_000);
    assert.deepEqual(closed, opened.toReversed());
  });

  it('closes all the rest where something cannot be closed, and says what that was', async () => {
    const log = runningLog();
    const { opened, closed, steps } = watched();
    const broken: Steps = {
      ...steps,
      beginMirror: (starting, store) => {
        starting.closers.defer('a stone', () => Promise.reject(new Error('it is a stone')));
        return steps.beginMirror(starting, store);
      },
    };
    const server = running(await startWith(broken)(await config(), { log })());
    await assert.rejects(server.stop(0), /it is a stone/);
    assert.deepEqual(closed, opened.toReversed());
    assert.ok(log.lines.some(({ level, message }) => level === 'error' && message === 'a stone could not be closed'));
  });

  it('says once what of SIP could not be closed, though it is closed before the rest and again at the end', async () => {
    const log = runningLog();
    const { steps } = watched();
    const broken: Steps = {
      ...steps,
      beginSip: (starting) =>
        TE.map((sip: OpenedSip) => {
          const { close } = sip.location;
          const failing = (): void => {
            close();
            throw new Error('the disk is gone');
          };
          Object.assign(sip.location, { close: failing });
          return sip;
        })(steps.beginSip(starting)),
    };
    const server = running(await startWith(broken)(await config(), { log })());
    await assert.rejects(server.stop(0), { message: 'the disk is gone' });
    const said = log.lines.filter(({ message }) => message.includes('could not be closed'));
    assert.deepEqual(
      said.map(({ message }) => message),
      ['SIP could not be closed'],
    );
  });

  it('refuses what is new, answers what is begun, and lets its announcements leave', async (t) => {
    const gate = Promise.withResolvers<void>();
    let waits = (): void => {};
    const waiting = new Promise<void>((resolve) => {
      waits = resolve;
    });
    const wrapStore = (store: EventStore): EventStore => ({
      ...store,
      append:
        (...args) =>
        async () => {
          waits();
          await gate.promise;
          return store.append(...args)();
        },
    });
    const users = await openSipClient();
    t.after(() => users.close());
    const options = await config({ outbound_proxy: `sip:127.0.0.1:${users.port}` });
    const server = running(await startServer(options, { log: runningLog(), wrapStore })());
    users.aim(server.listeners[0]?.local);
    const joins = (from: string, uri: string) => users.request({ from, uri, body: '#join', contentType: 'text/plain' });
    const begun = joins('sip:alice@localhost', 'sip:chat-1@localhost');
    await waiting;
    const stopped = server.stop(5_000);
    assert.equal((await joins('sip:bob@localhost', 'sip:chat-2@localhost')).status, 503);
    gate.resolve();
    assert.equal((await begun).status, 200);
    const told = await users.next();
    assert.equal(told.headers.to, '<sip:alice@localhost>');
    assert.match(told.body.toString(), /room was created/);
    await stopped;
  });
});
