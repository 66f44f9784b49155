import { parentPort } from 'node:worker_threads';

/** A writer thread that dies of the first appends, for `writer.test.ts`. */
parentPort?.once('message', () => {
  throw new Error('the writer fell over');
});
