import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Config } from '../../config/config.ts';
import { openLog, type RunningLog } from '../../runtime/log.ts';
import { type RunningServer, startServer } from '../../server/start.ts';
import type { StartFailure } from '../../server/starting.ts';
import { type CliError, type CliTask, cliError } from '../cli-error.ts';
import type { ConfigSources, Run } from '../invocation.ts';
import { notifySystemd } from '../serve/notify-systemd.ts';
import { reload } from '../serve/reload.ts';
import { progressLine } from '../terminal/progress.ts';

/** `imcd serve`: the server in the foreground, until SIGTERM or SIGINT, or until it cannot start. */

/** What is begun may take this long, in milliseconds, to finish after SIGTERM or SIGINT; the process ends with the second. */
const stopMs = 9_000;
const endMs = 10_000;

export const run: Run = (invocation) =>
  pipe(
    invocation.config,
    TE.bindTo('config'),
    TE.bind('log', ({ config }) => TE.fromTask(() => openLog(config.log.format, config.log.level))),
    TE.chain(({ config, log }) => serve(config, invocation.sources, log)),
  );

const serve =
  (config: Config, sources: ConfigSources, log: RunningLog): CliTask<number> =>
  async () => {
    // Listened for before the start: a stop during a long replay is a stop all the same.
    const asked = askedToStop();
    process.on('uncaughtException', (error) => dieOf(error, log));
    process.on('unhandledRejection', (error) => dieOf(error, log));
    const line = progressLine('replaying the log', 'events');
    try {
      const first = await Promise.race([startServer(config, { log, onProgress: line.update })(), asked]);
      line.end();
      if (typeof first === 'string') return stoppedEarly(first, log);
      if (E.isLeft(first)) return notStarted(first.left, config, log);
      const server = first.right;
      announce(server, log);
      notifySystemd('READY=1', log);
      process.on('SIGHUP', () => void reload(sources, config, { log, server }));
      await stop(server, await asked, log);
      return E.right(0);
    } finally {
      line.end();
      log.flush();
    }
  };

/** Nothing is answered yet, and the log's writer holds nothing that was acknowledged. */
const stoppedEarly = (signal: string, log: RunningLog): never => {
  log.info({ signal }, 'stopped before it was ready');
  log.flush();
  process.exit(0);
};

const notStarted = ({ message }: StartFailure, config: Config, log: RunningLog): E.Either<CliError, number> => {
  if (config.log.format === 'pretty') return E.left(cliError(message));
  log.error({}, `cannot start: ${message}`);
  return E.right(1);
};

const announce = ({ listeners, mi, replayed }: RunningServer, log: RunningLog): void => {
  for (const { transport, local } of listeners) log.info({ transport, ...local }, 'listening for SIP');
  if (mi !== undefined) log.info({ transport: 'http', ...mi }, 'listening for management');
  log.info({ ...replayed, ms: Math.round(replayed.ms) }, 'ready');
};

const askedToStop = (): Promise<string> =>
  new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => resolve(name));
  });

const stop = async (server: RunningServer, signal: string, log: RunningLog): Promise<void> => {
  log.info({ signal }, 'stopping');
  notifySystemd('STOPPING=1', log);
  process.once('SIGINT', () => process.exit(130)); // asked twice at a terminal: at once
  const late = setTimeout(() => {
    log.error({}, `not stopped within ${endMs / 1000} s: ends all the same; what was acknowledged is in the log`);
    log.flush();
    process.exit(1);
  }, endMs);
  await server.stop(stopMs);
  clearTimeout(late);
  log.info({}, 'stopped');
};

/** A defect that nobody caught: what is in memory cannot be trusted any more, and the log holds all that was acknowledged. */
const dieOf = (error: unknown, log: RunningLog): void => {
  log.error({ err: error }, 'a defect of imcd: it ends, and may be started again');
  log.flush();
  process.exit(70);
};
