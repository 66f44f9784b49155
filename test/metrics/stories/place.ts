import { startTestServer, type TestServer, type TestServerOptions } from '../../support/server.ts';
import { openUser, type SipUser } from '../../support/sip-client.ts';
import { scrape, valuesOf } from '../scrape.ts';
import type { Values } from '../story.ts';

/** A running server that stories take place on, one after the other. */
export interface Place {
  readonly server: TestServer;
  readonly read: () => Promise<Values>;
  /** A registered user with a name that nobody has. */
  readonly user: (name: string) => Promise<SipUser>;
  /** The URI of a room that nobody has made. */
  readonly room: () => string;
  readonly close: () => Promise<void>;
}

export const openPlace = async (options: TestServerOptions = {}): Promise<Place> => {
  const server = await startTestServer(options);
  const users: SipUser[] = [];
  let rooms = 0;
  return {
    server,
    read: async () => valuesOf(await scrape(server.mi)),
    user: async (name) => {
      const user = await openUser(
        { host: '127.0.0.1', port: server.udp, domain: 'localhost' },
        `${name}${users.length}`,
      );
      users.push(user);
      return user;
    },
    room: () => {
      rooms += 1;
      return `sip:chat-${rooms}@localhost`;
    },
    close: async () => {
      for (const user of users) user.close();
      await server.stop();
    },
  };
};
