import { join } from 'node:path';
import { eventStoreContract } from '../../contract/event-store.ts';
import { openLog, temporaryFolder } from './temporary-log.ts';

eventStoreContract('SQLite', async (t) => {
  const { folder, remove } = temporaryFolder();
  const store = await openLog(join(folder, 'log.db'));
  t.after(async () => {
    await store.close();
    remove();
  });
  return store;
});
