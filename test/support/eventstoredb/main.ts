import { withProjections } from './projections.ts';
import { startDouble } from './server.ts';

/**
 * The double as a process of its own: prints its connection string, and serves until it is ended.
 * `node test/support/eventstoredb/main.ts`, to try imcd on EventStoreDB without having one; its log is gone with it.
 */
const server = await startDouble({ extend: withProjections });
console.log(`esdb://${server.direct}?tls=false`);
process.once('SIGTERM', () => process.exit(0));
process.once('SIGINT', () => process.exit(0));
