import * as E from 'fp-ts/lib/Either.js';
import { randomIds } from '../../runtime/ids.ts';
import { CliError, type Run } from '../invocation.ts';
import { openReader } from '../read/open-log.ts';
import { mirrorOf, mirrorProblem } from '../read/sql-problem.ts';
import { progress } from '../terminal/progress.ts';

/** `imcd rebuild`: the mirror anew from the log, beside the live tables, then swapped in; also while a server runs. */
export const run: Run = async (invocation) => {
  const config = await invocation.config();
  const mirror = mirrorOf(config);
  if (mirror === undefined) throw new CliError('db_url is none: there is no mirror to rebuild');
  const { rebuildMirror } = await import('../../sql/mirror/rebuild.ts');
  const store = await openReader(config);
  const reading = progress('reading the log', 'events');
  const writing = progress('writing the new tables', 'rooms');
  try {
    const began = performance.now();
    const rebuilt = await rebuildMirror({
      ...mirror,
      store,
      ids: randomIds(),
      onProgress: (now) => {
        if (now.step === 'reading') return reading.update(now.events);
        reading.end();
        if (now.step === 'writing') writing.update(now.rooms, now.of);
      },
    })();
    writing.end();
    if (E.isLeft(rebuilt)) throw mirrorProblem(rebuilt.left);
    const { rooms, members, events } = rebuilt.right;
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    invocation.err(`${rooms} rooms and ${members} members rebuilt from ${events} events in ${seconds} s`);
    return 0;
  } finally {
    reading.end();
    writing.end();
    await store.close();
  }
};
