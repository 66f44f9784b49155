import { startDouble } from '../../support/eventstoredb/server.ts';
import { type Story, story } from '../story.ts';
import { openPlace } from './place.ts';

/** Stories of the log. */
export const logStories: readonly Story[] = [
  story('subscription_lag_seconds', 'EventStoreDB is killed', async () => {
    const double = await startDouble();
    const place = await openPlace({ args: ['--store_url', double.url] });
    const end = async (): Promise<void> => {
      await place.close();
      await double.stop();
    };
    return { read: place.read, act: double.kill, end };
  }),
];
