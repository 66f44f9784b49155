import type { Clock } from '../ports/clock.ts';
import { manageProjections, type Projections } from '../projections/manage.ts';
import { connectionString, type EventStoreDbAddress } from '../store/eventstoredb/address.ts';
import { openProjectionCalls } from '../store/eventstoredb/client.ts';
import { explain } from '../store/eventstoredb/failures.ts';

/** The projections of an EventStoreDB server. @param node this node's name, shown in the server's list of connections */
export const openProjections = (server: EventStoreDbAddress, clock: Clock, node?: string): Projections =>
  manageProjections({ calls: openProjectionCalls(connectionString(server, node)), explain, clock });
