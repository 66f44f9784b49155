import * as E from 'fp-ts/lib/Either.js';
import { type Imported, importRooms } from '../../src/engine/import-rooms.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import { foundRooms, type Unfit } from '../../src/room/import-tables.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { randomIds } from '../../src/runtime/ids.ts';
import { readTablesToImport } from '../../src/sql/import-rows.ts';
import { databaseAt } from '../support/urls.ts';

/** `imcd import --from url`, as its command does it. Rejects where that fails. */
export const importFrom = async (store: EventStore, url: string, unfit: Unfit = () => undefined): Promise<Imported> => {
  const names = { roomsTable: 'imc_rooms', membersTable: 'imc_members' };
  const found = foundRooms(await readTablesToImport(databaseAt(url), names), unfit);
  const imported = await importRooms({ store, clock: systemClock, ids: randomIds(), node: 'test' }, found)();
  if (E.isLeft(imported)) throw new Error(imported.left.message);
  return imported.right;
};
