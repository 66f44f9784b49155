import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

/**
 * The thread that moves registrations from the WAL into the file: the only place that waits for the disk, so that a slow
 * one never stalls SIP. Works each time it is told to.
 */
const database = new DatabaseSync(String(workerData));
database.exec('PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 1000');
const checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)');
parentPort?.on('message', () => {
  checkpoint.get();
});
