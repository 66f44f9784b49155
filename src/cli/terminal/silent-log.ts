import type { Log } from '../../ports/log.ts';

/** The log of what commands are made of: failures end a command with a sentence, and lines of their own would only be in the way. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
