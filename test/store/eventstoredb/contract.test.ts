import { eventStoreContract } from '../../contract/event-store.ts';
import { openOn } from '../../support/eventstoredb/open.ts';
import { servers } from '../../support/eventstoredb/servers.ts';

for (const { name, url } of servers) {
  eventStoreContract(name, async (t) => {
    const store = await openOn(await url(t));
    t.after(() => store.close());
    return store;
  });
}
