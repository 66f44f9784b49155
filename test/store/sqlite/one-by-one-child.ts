/** Appends three times, one after the other, and says so on stderr before and after each: for a look at its system calls. */
import { writeSync } from 'node:fs';
import { newEvents, newStream, right } from '../../contract/event-store-kit.ts';
import { openLog } from './temporary-log.ts';

const store = await openLog(process.argv[2] ?? '');
for (let n = 0; n < 3; n += 1) {
  writeSync(2, `append ${n}\n`);
  right(await store.append(newStream(), 'no_stream', newEvents(1))());
  writeSync(2, `answer ${n}\n`);
}
writeSync(2, 'append many\n');
await Promise.all(Array.from({ length: 100 }, () => store.append(newStream(), 'no_stream', newEvents(1))()));
writeSync(2, 'answer many\n');
await store.close();
