import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { AppendFailure, EventStore } from '../../ports/event-store.ts';
import { because, type CliError, type CliTask, cliError } from '../cli-error.ts';
import type { Invocation } from '../invocation.ts';
import { type ExportedEvent, exportedEvents } from '../read/export-file.ts';
import { withWriter } from '../read/open-log.ts';
import { withProgress } from '../terminal/progress.ts';

/** `imcd export --restore FILE`, the other half of the command `export`: the events of an export into an empty log, in their order, under their ids. */

/** Appends under way at once: the embedded log commits a group of them with one fsync. */
const window = 256;
/** Events of one append at most. */
const most = 100;

/** @param file an export; `-` is stdin */
export const restore = (file: string, invocation: Invocation): CliTask<number> =>
  pipe(
    invocation.config,
    TE.chain((config) =>
      withWriter(config, (store) =>
        pipe(
          emptyLog(store),
          TE.chain(() => withProgress('restoring', 'events', ({ update }) => restoreInto(store, file, update))),
        ),
      ),
    ),
    TE.map((events) => {
      invocation.err(`${events} events restored`);
      return 0;
    }),
  );

const emptyLog = ({ end }: EventStore): CliTask<unknown> =>
  pipe(
    end,
    TE.mapLeft(because),
    TE.filterOrElse(
      (last) => last === undefined,
      () => cliError('the log is not empty: a restore would mix two histories. Name an empty one (store_url, or data)'),
    ),
  );

/** Right: the number of events. */
const restoreInto =
  (store: EventStore, file: string, onProgress: (events: number) => void): CliTask<number> =>
  async () => {
    const appends = new Appends(store, file);
    const next = new Map<string, number>();
    let events = 0;
    try {
      for await (const read of exportedEvents(file)) {
        if (E.isLeft(read)) return read;
        const { stream, revision, line } = read.right;
        const wanted = next.get(stream) ?? 0;
        if (revision !== wanted) {
          const found = `revision ${revision} of ${stream}, but ${wanted} is the next`;
          return E.left(cliError(`line ${line} of ${file}: ${found}. Only an export of the whole log can be restored`));
        }
        next.set(stream, revision + 1);
        await appends.add(read.right);
        if (appends.failed !== undefined) return E.left(appends.failed);
        events += 1;
        onProgress(events);
      }
      await appends.flush();
    } finally {
      await appends.settled();
    }
    return appends.failed === undefined ? E.right(events) : E.left(appends.failed);
  };

/** Consecutive events of one stream are one append; `window` appends are under way, begun in the order of the file. */
class Appends {
  readonly #store: EventStore;
  readonly #file: string;
  readonly #underWay = new Set<Promise<void>>();
  #group: ExportedEvent[] = [];
  #failed: CliError | undefined;

  constructor(store: EventStore, file: string) {
    this.#store = store;
    this.#file = file;
  }

  /** Why the first append that failed did so. */
  get failed(): CliError | undefined {
    return this.#failed;
  }

  /** Waits while there are `window` appends under way. */
  async add(event: ExportedEvent): Promise<void> {
    if (this.#group[0]?.stream !== event.stream || this.#group.length >= most) await this.flush();
    this.#group.push(event);
  }

  async flush(): Promise<void> {
    const [first] = this.#group;
    if (first === undefined) return;
    const append = this.#append(first, this.#group).finally(() => this.#underWay.delete(append));
    this.#underWay.add(append);
    this.#group = [];
    if (this.#underWay.size >= window) await Promise.race(this.#underWay);
  }

  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #append({ stream, revision, line }: ExportedEvent, group: readonly ExportedEvent[]): Promise<void> {
    const expected = revision === 0 ? 'no_stream' : BigInt(revision - 1);
    const appended = await this.#store.append(stream, expected, group)();
    if (E.isLeft(appended)) this.#failed ??= cliError(`line ${line} of ${this.#file}: ${wording(appended.left)}`);
  }
}

const wording = (failure: AppendFailure): string =>
  failure.kind === 'WrongExpectedRevision'
    ? `somebody else writes ${failure.stream}: it is at revision ${failure.actual} already`
    : failure.message;
