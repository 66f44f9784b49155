import { randomIds } from '../../src/runtime/ids.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { eventStoreContract } from '../contract/event-store.ts';

eventStoreContract('memory', (t) => {
  const store = createMemoryStore(randomIds());
  t.after(() => store.close());
  return Promise.resolve(store);
});
