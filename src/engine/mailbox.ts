/**
 * One batch at a time per key, in the order of arrival. What arrives while a batch is worked on waits, and goes as the next
 * batch: so a busy room commits many commands with one fsync, and rooms never wait for each other.
 */
export interface Mailboxes<K, J> {
  /** Jobs that wait or are worked on, over all keys. */
  readonly size: () => number;
  /** False, and nothing taken, where the bound is reached. */
  readonly submit: (key: K, job: J) => boolean;
  /** Resolves when every job taken so far is done. */
  readonly idle: () => Promise<void>;
}

/** Most events of one stream that the engine puts into one write. */
export const batchSize = 64;

export interface MailboxOptions<K, J> {
  /** Most jobs over all keys. */
  readonly most: number;
  /** Most jobs in one batch. */
  readonly batch: number;
  /** Works on a batch; must settle every job of it, and never rejects. */
  readonly work: (key: K, jobs: readonly J[]) => Promise<void>;
}

export const createMailboxes = <K, J>({ most, batch, work }: MailboxOptions<K, J>): Mailboxes<K, J> => {
  /** A key is here as long as a batch of it is worked on; the array holds what waits. */
  const waiting = new Map<K, J[]>();
  let size = 0;
  let idlers: (() => void)[] = [];

  const drain = async (key: K, first: J): Promise<void> => {
    let jobs: readonly J[] = [first];
    while (jobs.length > 0) {
      await work(key, jobs);
      size -= jobs.length;
      jobs = waiting.get(key)?.splice(0, batch) ?? [];
    }
    waiting.delete(key);
    if (size > 0) return;
    const resolved = idlers;
    idlers = [];
    for (const resolve of resolved) resolve();
  };

  return {
    size: () => size,
    submit: (key, job) => {
      if (size >= most) return false;
      size += 1;
      const queue = waiting.get(key);
      if (queue !== undefined) {
        queue.push(job);
        return true;
      }
      waiting.set(key, []);
      void drain(key, job);
      return true;
    },
    idle: () => (size === 0 ? Promise.resolve() : new Promise((resolve) => idlers.push(resolve))),
  };
};
