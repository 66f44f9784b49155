/** Milliseconds after which a wait is a hang: far beyond what a busy machine needs. Nothing is proved by how long a wait took. */
const hangMs = 60_000;
const lookMs = 5;

/**
 * Looks until something holds, for what tells nobody that it has changed: another process, a database. What can be awaited
 * is awaited instead.
 *
 * @param what said, with the last that was seen where it is a function, when it does not come about
 */
export const until = (what: string | (() => string), holds: () => boolean | Promise<boolean>): Promise<void> =>
  untilItAnswers(async () => {
    if (!(await holds())) throw new Error(typeof what === 'string' ? what : what());
  });

/** Calls `attempt` until it does not throw: the only way to know that a server is up is to ask it. Rejects with the last error. */
export const untilItAnswers = async (attempt: () => Promise<void>): Promise<void> => {
  const end = performance.now() + hangMs;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (performance.now() > end) throw new Error(`not within ${hangMs / 1000} s: ${String(error)}`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
  }
};
