import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Config } from '../../config/config.ts';
import { snapshotFile } from '../../engine/snapshots.ts';
import type { EventStore } from '../../ports/event-store.ts';
import { mirrorOf } from '../../server/open-mirror.ts';
import { type CliTask, readingLog } from '../cli-error.ts';
import type { Invocation, Run } from '../invocation.ts';
import { miClient } from '../mi/client.ts';
import { withReader } from '../read/open-log.ts';
import { withProgress } from '../terminal/progress.ts';
import { printable } from '../terminal/show.ts';
import { type Compared, compareServer } from '../verify/compare-server.ts';
import { compareSnapshot } from '../verify/compare-snapshot.ts';
import { type ReplayedLog, replayLog, type Tell } from '../verify/replayed-log.ts';

/**
 * `imcd verify`: the log, replayed from 0, against the snapshot, the running server's rooms and the mirror's rows. Each difference is a
 * line on stdout; exit 1 where there is one, or where something could not be compared that should be.
 */
export const run: Run = (invocation) =>
  pipe(
    invocation.config,
    TE.chain((config) => withReader(config, (store) => verify(config, store, invocation))),
  );

/** What each comparison is made with. */
interface Comparing {
  readonly config: Config;
  readonly tell: Tell;
  /** Says what was compared, or why it was not. */
  readonly say: Invocation['err'];
}

const verify = (config: Config, store: EventStore, { out, err }: Invocation): CliTask<number> => {
  let differences = 0;
  const tell: Tell = async (difference) => {
    differences += 1;
    await out(printable(difference));
  };
  const comparing: Comparing = { config, tell, say: err };
  return pipe(
    replayLog(store),
    TE.chainFirstIOK(sayRooms(comparing)),
    TE.chainFirst(againstSnapshot(comparing)),
    TE.chainFirst(againstServer(comparing)),
    TE.chainFirst(againstMirror(comparing)),
    TE.map(() => {
      err(differences === 0 ? 'no difference' : `${differences} differences`);
      return differences === 0 ? 0 : 1;
    }),
  );
};

const sayRooms =
  ({ say }: Comparing) =>
  ({ rooms }: ReplayedLog) =>
  () =>
    say(`log: ${rooms.size} rooms`);

const againstSnapshot =
  ({ config, tell, say }: Comparing) =>
  (log: ReplayedLog): CliTask<void> =>
    pipe(
      readingLog(() => compareSnapshot({ file: snapshotFile(config.data), log, tell })),
      TE.map((compared) => say(`snapshot: ${compared}`)),
    );

const againstServer =
  ({ config, tell, say }: Comparing) =>
  (log: ReplayedLog): CliTask<void> => {
    if (config.mi.http === undefined) {
      say('server: not compared, mi.http is none');
      return TE.right(undefined);
    }
    return pipe(
      TE.fromEither(miClient(config)),
      TE.bindTo('client'),
      TE.bind('compared', ({ client }) => compareServer({ client, log, tell })),
      TE.map(({ client, compared }) => say(`server: ${ofServer(compared, client.url)}`)),
    );
  };

const ofServer = (compared: Compared, url: string): string => {
  if (compared === 'another log') return `not compared, the one at ${url} uses another log`;
  if (compared === 'no server') return `not compared, none runs at ${url}`;
  return `${compared} rooms compared at ${url}`;
};

/** A mirror that cannot be compared is a difference: it should be there. */
const againstMirror =
  ({ config, tell, say }: Comparing) =>
  ({ store }: ReplayedLog): CliTask<void> => {
    const mirror = mirrorOf(config);
    if (mirror === undefined) {
      say('mirror: not compared, db_url is none');
      return TE.right(undefined);
    }
    const compared = withProgress('comparing the mirror', 'events', ({ update }) =>
      pipe(
        TE.fromTask(() => import('../../sql/mirror/compare.ts')),
        TE.chain(({ compareMirror }) => compareMirror({ ...mirror, store, onProgress: update })),
      ),
    );
    return pipe(
      compared,
      TE.chainTaskK(({ rooms, members, differences, behind }) => async () => {
        for (const difference of differences) await tell(`mirror: ${difference}`);
        const where = behind ? ', as of its checkpoint: the log has newer events' : '';
        say(`mirror: ${rooms} rooms and ${members} members compared${where}`);
      }),
      TE.orElse(({ message }) => TE.fromTask(() => tell(`mirror: it cannot be compared: ${message}`))),
    );
  };
