import type { TestContext } from 'node:test';
import { startDouble } from './server.ts';

/**
 * The servers that a test runs on: the double, and a real one where EVENTSTORE_URL names it. Tests use streams of their own,
 * so that the real one need not be empty.
 */
export const servers: readonly { readonly name: string; readonly url: (t: TestContext) => Promise<string> }[] = [
  {
    name: 'EventStoreDB, double',
    url: async (t) => {
      const server = await startDouble();
      t.after(() => server.stop());
      return server.url;
    },
  },
  ...(process.env.EVENTSTORE_URL === undefined || process.env.EVENTSTORE_URL === ''
    ? []
    : [{ name: 'EventStoreDB, real', url: () => Promise.resolve(process.env.EVENTSTORE_URL ?? '') }]),
];
