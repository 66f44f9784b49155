import { type RunningServer, StartError, startServer } from '../main.ts';
import { openLog, type RunningLog } from '../runtime/log.ts';
import { CliError, type Invocation } from './invocation.ts';

/** Longest time, in milliseconds, that a stop takes. */
const STOP_MS = 10_000;

/** `imcd serve`: runs until SIGTERM or SIGINT, or until it cannot start. */
export const run = async (invocation: Invocation): Promise<number> => {
  const config = await invocation.config();
  const log = await openLog(config.log.format, config.log.level);
  // Listened for before the start: a stop during a long replay is a stop all the same.
  const asked = askedToStop();
  process.on('uncaughtException', (error) => dieOf(error, log));
  process.on('unhandledRejection', (error) => dieOf(error, log));
  try {
    const started = startServer(config, { log, ...replayProgress() });
    const first = await Promise.race([started, asked]);
    if (typeof first === 'string') {
      // Nothing is answered yet, and the log's writer holds nothing that was acknowledged.
      log.info({ signal: first }, 'stopped before it was ready');
      log.flush();
      process.exit(0);
    }
    announce(first, log);
    log.info({ signal: await asked }, 'stopping');
    await first.stop(STOP_MS);
    log.info({}, 'stopped');
    return 0;
  } catch (error) {
    if (error instanceof StartError) throw new CliError(error.message);
    throw error;
  } finally {
    log.flush();
  }
};

const announce = ({ listeners, mi, replayed }: RunningServer, log: RunningLog): void => {
  for (const { transport, local } of listeners) log.info({ transport, ...local }, 'listening for SIP');
  if (mi !== undefined) log.info({ transport: 'http', ...mi }, 'listening for management');
  log.info({ ...replayed, ms: Math.round(replayed.ms) }, 'ready');
};

const askedToStop = (): Promise<string> =>
  new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => resolve(name));
  });

/** A defect that nobody caught: what is in memory cannot be trusted any more, and the log holds all that was acknowledged. */
const dieOf = (error: unknown, log: RunningLog): void => {
  log.error({ err: error }, 'a defect of imcd: it ends, and may be started again');
  log.flush();
  process.exit(70);
};

/** On a terminal, how far the replay is; elsewhere nothing. */
const replayProgress = (): { readonly onProgress?: (events: number) => void } => {
  if (process.stderr.isTTY !== true) return {};
  let shown = performance.now();
  return {
    onProgress: (events) => {
      if (performance.now() - shown < 200) return;
      shown = performance.now();
      process.stderr.write(`\r${events.toLocaleString('en')} events replayed`);
    },
  };
};
