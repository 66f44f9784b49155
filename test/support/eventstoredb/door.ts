import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * The door of a double: a TCP relay in front of its gRPC server, so that a kill breaks connections as a killed process does
 * (no goodbye on the HTTP/2 level), and a freeze leaves them open with nobody reading, keep-alive pings included.
 */
export interface Door {
  readonly port: number;
  readonly open: () => Promise<void>;
  /** Breaks every connection and stops listening. */
  readonly slam: () => void;
  readonly freeze: () => void;
  readonly thaw: () => void;
  /** Connections that are open from outside. */
  readonly connections: () => number;
}

export const createDoor = async (inner: number): Promise<Door> => {
  let server: Server | undefined;
  let port = 0;
  let frozen = false;
  const sockets = new Set<Socket>();

  const relay = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.on('data', (bytes: Buffer) => {
      if (!to.write(bytes)) from.pause();
    });
    to.on('drain', () => {
      if (!frozen) from.resume();
    });
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
    from.setNoDelay(true);
    if (frozen) from.pause();
  };

  const open = async () => {
    if (server !== undefined) return;
    server = createServer((outside) => {
      const inside = connect(inner, '127.0.0.1');
      relay(outside, inside);
      relay(inside, outside);
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  };
  await open();
  return {
    connections: () => sockets.size / 2,
    port,
    open,
    slam: () => {
      frozen = false;
      server?.close();
      server = undefined;
      for (const socket of [...sockets]) socket.resetAndDestroy();
    },
    freeze: () => {
      frozen = true;
      for (const socket of sockets) socket.pause();
    },
    thaw: () => {
      frozen = false;
      for (const socket of sockets) socket.resume();
    },
  };
};
