import type { Clock } from '../ports/clock.ts';
import { manageProjections, type Projections } from '../projections/manage.ts';
import { openProjectionCalls } from '../store/eventstoredb/client.ts';
import { explain } from '../store/eventstoredb/failures.ts';

/** The projections of the EventStoreDB server at `url`, which is a connection string as `connectionString` makes it. */
export const openProjections = (url: string, clock: Clock): Projections =>
  manageProjections({ calls: openProjectionCalls(url), explain, clock });
