import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { EventStore } from '../../ports/event-store.ts';
import { randomIds } from '../../runtime/ids.ts';
import { mirrorOf } from '../../server/open-mirror.ts';
import type { MirrorFailure } from '../../sql/mirror/failure.ts';
import type { RebuildOptions } from '../../sql/mirror/rebuild.ts';
import { type CliError, type CliTask, cliError } from '../cli-error.ts';
import type { Run } from '../invocation.ts';
import { withReader } from '../read/open-log.ts';
import { withProgress } from '../terminal/progress.ts';
import { printable } from '../terminal/show.ts';

/** `imcd rebuild`: the mirror anew from the log, beside the live tables, then swapped in; also while a server runs. */
export const run: Run = (invocation) =>
  pipe(
    invocation.config,
    TE.bindTo('config'),
    TE.bind('mirror', ({ config }) =>
      TE.fromNullable(cliError('db_url is none: there is no mirror to rebuild'))(mirrorOf(config)),
    ),
    TE.chain(({ config, mirror }) => withReader(config, (store) => rebuild(store, mirror))),
    TE.map((sentence) => {
      invocation.err(sentence);
      return 0;
    }),
  );

type MirrorOptions = Omit<RebuildOptions, 'store' | 'ids' | 'onProgress'>;

/** Right: what was done, as a sentence. */
const rebuild = (store: EventStore, mirror: MirrorOptions): CliTask<string> =>
  withProgress('reading the log', 'events', (reading) =>
    withProgress('writing the new tables', 'rooms', (writing) => {
      const began = performance.now();
      const onProgress: RebuildOptions['onProgress'] = (now) => {
        if (now.step === 'reading') return reading.update(now.events);
        reading.end();
        if (now.step === 'writing') writing.update(now.rooms, now.of);
      };
      return pipe(
        TE.fromTask(() => import('../../sql/mirror/rebuild.ts')),
        TE.chain(({ rebuildMirror }) => rebuildMirror({ ...mirror, store, ids: randomIds(), onProgress })),
        TE.bimap(mirrorProblem, ({ rooms, members, events }) => {
          const seconds = ((performance.now() - began) / 1000).toFixed(1);
          return `${rooms} rooms and ${members} members rebuilt from ${events} events in ${seconds} s`;
        }),
      );
    }),
  );

/** A mirror's failure as the end of the command. A defect's cause is thrown. */
const mirrorProblem = ({ kind, message, cause }: MirrorFailure): CliError => {
  if (kind === 'Defect') throw cause;
  return cliError(printable(message, '\n'));
};
