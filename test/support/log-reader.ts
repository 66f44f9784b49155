import * as E from 'fp-ts/lib/Either.js';
import type { EventStore } from '../../src/ports/event-store.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { openSqliteReader } from '../../src/store/sqlite/open.ts';

/** Opens an embedded log for reading; throws its failure as an error. */
export const openLogReader = async (file: string): Promise<EventStore> => {
  const reader = await openSqliteReader({ file, clock: systemClock })();
  if (E.isLeft(reader)) throw new Error(reader.left.message);
  return reader.right;
};
