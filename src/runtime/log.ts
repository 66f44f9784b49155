import { pino } from 'pino';
import type { Log, LogLevel } from '../ports/log.ts';

export interface RunningLog extends Log {
  readonly level: () => LogLevel;
  /** Applies from the next line on. */
  readonly setLevel: (level: LogLevel) => void;
  /** Writes what is buffered, at once: before the process ends. */
  readonly flush: () => void;
  readonly counters: { linesDropped: number };
}

/** Where finished lines go: one JSON text with its newline at a time. */
export interface LineSink {
  readonly write: (line: string) => unknown;
}

/** Most text that waits for a stderr which nobody reads; what comes beyond is dropped and counted. */
const mostBuffered = 8 * 1_048_576;

/**
 * The log on stderr. JSON lines are written without blocking; lines for a terminal at once, so that they stand in order with
 * what else the process prints there.
 */
export const openLog = async (format: 'pretty' | 'json', level: LogLevel): Promise<RunningLog> => {
  const counters = { linesDropped: 0 };
  if (format === 'pretty') {
    const { default: pretty } = await import('pino-pretty');
    const stream = pretty({
      destination: 2,
      sync: true,
      colorize: process.stderr.isTTY === true,
      singleLine: true,
      translateTime: 'SYS:HH:MM:ss.l',
    });
    return logTo(stream, level, counters, () => undefined);
  }
  const stream = pino.destination({ dest: 2, sync: false, maxLength: mostBuffered });
  stream.on('drop', () => {
    counters.linesDropped += 1;
  });
  // stderr is gone (EPIPE): there is no place left to say so, and the server goes on without a log.
  stream.on('error', () => {
    counters.linesDropped += 1;
  });
  return logTo(stream, level, counters, () => stream.flushSync());
};

/** A log that writes its JSON lines to `sink`. */
export const logTo = (
  sink: LineSink,
  level: LogLevel,
  counters: RunningLog['counters'] = { linesDropped: 0 },
  flush: () => void = () => undefined,
): RunningLog => {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    sink as pino.DestinationStream,
  );
  return {
    debug: (fields, message) => logger.debug(fields, printable(message)),
    info: (fields, message) => logger.info(fields, printable(message)),
    warn: (fields, message) => logger.warn(fields, printable(message)),
    error: (fields, message) => logger.error(fields, printable(message)),
    level: () => levelNow(logger.level),
    setLevel: (next) => {
      logger.level = next;
    },
    flush: () => {
      try {
        flush();
      } catch {
        counters.linesDropped += 1; // stderr not open yet, or gone
      }
    },
    counters,
  };
};

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
const levelNow = (name: string): LogLevel => levels.find((level) => level === name) ?? 'info';

// A message may quote what a stranger sent; a terminal would obey its control characters.
const control = /[\0-\x1f\x7f-\x9f\u2028\u2029]/;
const printable = (message: string): string =>
  control.test(message)
    ? message.replace(
        new RegExp(control, 'g'),
        (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
      )
    : message;
