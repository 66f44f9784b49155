import { createSocket } from 'node:dgram';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { HostPort } from '../../net/address.ts';
import type { Target } from '../../sip/transport/transport.ts';
import { transports } from '../../sip/transport/transports.ts';

/**
 * What this machine's kernel knows of the way to a server, asked by a UDP socket that is connected to it. A callback given to
 * `connect` would swallow the error of one that fails, so both ends are events.
 */

const socketFor = (host: string) => createSocket(host.includes(':') ? 'udp6' : 'udp4');

/** The address of this machine from which packets to the server leave. Left: a sentence, where there is no way to it. */
export const addressTowards = ({ host, port }: HostPort): TE.TaskEither<string, string> =>
  TE.tryCatch(
    () =>
      new Promise((resolve, reject) => {
        const socket = socketFor(host);
        socket.once('error', (error) => {
          socket.close();
          reject(error);
        });
        socket.once('connect', () => {
          const { address } = socket.address();
          socket.close();
          resolve(address);
        });
        socket.connect(port, host);
      }),
    (error) => `There is no way to ${host}: ${error instanceof Error ? error.message : error}`,
  );

/**
 * Calls `refused` where nothing listens at a UDP address of this machine: its kernel says so at once, where SIP's timers would
 * take half a minute. A connection says so itself.
 *
 * @returns ends the watch
 */
export const watchRefusal = ({ transport, host, port }: Target, refused: () => void): (() => void) => {
  if (transports[transport].connected) return () => {};
  const socket = socketFor(host);
  let open = true;
  const end = (): void => {
    if (open) socket.close();
    open = false;
  };
  socket.on('error', () => {
    end();
    refused();
  });
  socket.on('connect', () => {
    // RFC 5626 3.5.1: a keep-alive, which nobody answers over UDP.
    if (open) socket.send('\r\n\r\n');
  });
  socket.connect(port, host);
  return end;
};
