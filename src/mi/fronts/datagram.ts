import { createSocket, type RemoteInfo } from 'node:dgram';
import { isIPv6 } from 'node:net';
import * as E from 'fp-ts/lib/Either.js';
import { type HostPort, showHostPort } from '../../net/address.ts';
import { bindError } from '../../net/bind-error.ts';
import type { Log } from '../../ports/log.ts';
import type { Dispatch } from '../dispatch.ts';
import { encodeWhole } from '../encode.ts';
import { errorText, parse } from '../rpc.ts';

export interface DatagramOptions extends HostPort {
  readonly dispatch: Dispatch;
  readonly log: Log;
}

export interface MiDatagram {
  readonly address: HostPort;
  readonly counters: { datagramsDropped: number };
  readonly close: () => Promise<void>;
}

/** What one datagram holds; longer answers are an error that says so. */
const longest = 65_000;
const mostAtOnce = 32;

/** JSON-RPC over UDP, one datagram each way. Rejects with a sentence where the address cannot be bound. */
export const openMiDatagram = async ({ host, port, dispatch, log }: DatagramOptions): Promise<MiDatagram> => {
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4' });
  const counters = { datagramsDropped: 0 };
  let atOnce = 0;

  const answer = async (text: string, to: RemoteInfo): Promise<void> => {
    const pieces = await dispatch(text, { source: `mi:datagram:${showHostPort({ host: to.address, port: to.port })}` });
    if (pieces === undefined) return;
    const whole = await encodeWhole(pieces, longest);
    const fits = whole !== undefined && Buffer.byteLength(whole) <= longest;
    const shown = fits ? whole : errorText({ code: 500, message: 'the answer is too long for a datagram' }, idOf(text));
    socket.send(shown, to.port, to.address, (error) => {
      if (error !== null) counters.datagramsDropped += 1;
    });
  };

  socket.on('message', (bytes, from) => {
    if (atOnce >= mostAtOnce) {
      counters.datagramsDropped += 1;
      return;
    }
    atOnce += 1;
    answer(bytes.toString('utf8'), from)
      .catch((error: unknown) => log.error({ error }, 'a management answer failed: a defect'))
      .finally(() => {
        atOnce -= 1;
      });
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (error) => reject(bindError(`${showHostPort({ host, port })} (mi.datagram)`, error)));
    socket.bind(port, host, resolve);
  });
  socket.removeAllListeners('error');
  socket.on('error', (error) => log.warn({ error }, 'the management datagram socket reports an error'));
  const bound = socket.address();
  return {
    address: { host: bound.address, port: bound.port },
    counters,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
};

const idOf = (text: string): string | number | null => {
  const parsed = parse(text);
  return parsed.kind === 'single' && E.isRight(parsed.call) ? (parsed.call.right.id ?? null) : null;
};
