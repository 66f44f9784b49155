/**
 * `imcd serve` that kills itself with SIGKILL at a named point: `startTestServer({ crash })` starts it as a child process.
 * CRASH_AT=POINT:N names the point and how often it is reached before. Options and lines are those of `imcd serve`.
 */
import * as E from 'fp-ts/lib/Either.js';
import { loadConfig } from '../../src/config/load.ts';
import { describeProblem } from '../../src/config/problems.ts';
import type { Courier } from '../../src/ports/courier.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import { openLog } from '../../src/runtime/log.ts';
import { startServer } from '../../src/server/start.ts';
import type { CrashPoint } from './crash-points.ts';

const [point, times = '1'] = (process.env.CRASH_AT ?? '').split(':');
let left = Number(times);

const reach = (here: CrashPoint): void => {
  if (here !== point) return;
  left -= 1;
  if (left <= 0) process.kill(process.pid, 'SIGKILL');
};

const crashingStore = (store: EventStore): EventStore => ({
  ...store,
  append: (stream, expected, events) => async () => {
    reach('before the append');
    const appended = await store.append(stream, expected, events)();
    reach('between fsync and answer');
    return appended;
  },
  subscribe: (after, subscriber) =>
    store.subscribe(after, {
      ...subscriber,
      onEvents: (events) => {
        reach('in replay');
        return subscriber.onEvents(events);
      },
    }),
});

const crashingCourier = (courier: Courier): Courier => ({
  send: (message) => {
    reach('between answer and announcement');
    courier.send(message);
  },
});

/** `--name value`, as on the command line of `imcd serve`. */
const args = process.argv.slice(2);
const commandLine = Object.fromEntries(
  args.flatMap((arg, i) => (arg.startsWith('--') ? [[arg.slice(2), args[i + 1] ?? '']] : [])),
);
const config = await loadConfig({ environment: process.env, commandLine })();
if (E.isLeft(config)) throw new Error(config.left.map(describeProblem).join('\n'));
const log = await openLog('json', 'info');
const started = await startServer(config.right, { log, wrapStore: crashingStore, wrapCourier: crashingCourier })();
if (E.isLeft(started)) throw new Error(started.left.message);
const server = started.right;
for (const { transport, local } of server.listeners) log.info({ transport, ...local }, 'listening for SIP');
log.info({}, 'ready');
process.on('SIGTERM', () => void server.stop(5_000).then(() => process.exit(0)));
