import { startTestServer, type TestServer } from '../support/server.ts';
import { openUser, type ServedAt, type SipUser } from '../support/sip-client.ts';

/**
 * The server that the conformance tests speak to: one of their own, or the one that CONFORMANCE_SERVER=HOST:PORT names
 * (CONFORMANCE_DOMAIN: its domain, `localhost` where it is not set). It must believe senders on this machine.
 */
export interface World {
  readonly place: ServedAt;
  /** Undefined where the server is somebody else's. */
  readonly server: TestServer | undefined;
  /** A registered user with a name that nobody has. */
  readonly user: (name: string) => Promise<SipUser>;
  /** The URI of a room that nobody has made. */
  readonly room: () => string;
  readonly manager: string;
  /** Ends users and server. */
  readonly close: () => Promise<void>;
}

const given = process.env.CONFORMANCE_SERVER;
let serial = Math.floor(Date.now() / 1_000) % 1_000_000;

/** Starts the server for a file of tests. */
export const openWorld = async (args: readonly string[] = []): Promise<World> => {
  const server = given === undefined ? await startTestServer({ args }) : undefined;
  const [host = '127.0.0.1', port = '5060'] = given?.split(':') ?? [];
  const domain = process.env.CONFORMANCE_DOMAIN ?? 'localhost';
  const place: ServedAt = { host, port: server?.udp ?? Number(port), domain };
  const users: SipUser[] = [];
  const next = (): number => {
    serial += 1;
    return serial;
  };
  return {
    place,
    server,
    manager: `sip:chat-manager@${domain}`,
    room: () => `sip:chat-${next()}@${domain}`,
    user: async (name) => {
      const user = await openUser(place, `${name}${next()}`);
      users.push(user);
      return user;
    },
    close: async () => {
      for (const user of users) user.close();
      await server?.stop();
    },
  };
};
