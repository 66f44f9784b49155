import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** A database server of the test's own: on loopback, in a temporary folder, ended by its pid. */
export interface DatabaseServer {
  /** URL of an empty database of its own; every call makes another. */
  readonly newDatabase: () => Promise<string>;
  /** Ends the server as a power cut would: SIGKILL, nothing flushed. */
  readonly kill: () => Promise<void>;
  /** Starts it again, on the same port and data, after `kill`. */
  readonly restart: () => Promise<void>;
  /** Freezes (true) and thaws (false) the server: connections stay open and nothing answers. */
  readonly freeze: (frozen: boolean) => void;
  /** Stops it and removes the folder. */
  readonly stop: () => Promise<void>;
}

/**
 * A port that was free a moment ago on 127.0.0.1, outside the range that the system gives out by itself: a server that is
 * killed and started again must find it free still, whatever other tests bind meanwhile.
 */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = randomInt(15_000, 30_000);
    const server = createServer();
    server.listen(port, '127.0.0.1');
    const free = await Promise.race([
      once(server, 'listening').then(() => true),
      once(server, 'error').then(() => false),
    ]);
    if (!free) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
};
