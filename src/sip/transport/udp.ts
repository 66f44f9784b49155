import { createSocket, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import { type HostPort, showTransportAddress } from '../../net/address.ts';
import { bindError } from '../../net/bind-error.ts';
import type { Log } from '../../ports/log.ts';
import {
  countReason,
  type Flow,
  type Listener,
  newTransportCounters,
  nextFlowId,
  type Received,
  reaches,
  type SendFailure,
  sendFailureOf,
  type Target,
  type Transport,
} from './transport.ts';

/** Largest datagram that is looked at: 64 KiB of body would not fit one anyway. */
const largestDatagram = 65_507;
/** Asked of the kernel, which gives at most net.core.rmem_max: with its default, 200 KB, the answers to 1,000 copies are lost. */
const socketBuffer = 4 * 1024 * 1024;

/** Bytes that may wait in libuv for a kernel that takes no more. */
const queueLimit = 8 * 1024 * 1024;

interface UdpFlow extends Flow {
  readonly socket: Socket;
  open: boolean;
  /** The kernel did not take the last datagram at once. */
  backedUp: boolean;
}

/**
 * SIP over UDP on node:dgram (RFC 3261 18). Messages leave by a listening socket that reaches the target, so that Via is right
 * and NATs know the way back. Addresses are IP literals already: dgram's own lookup, a microtask or more a send, is left out.
 */
export const createUdp = (log: Log): Transport => {
  const counters = newTransportCounters();
  const flows: UdpFlow[] = [];

  const listen = async (address: HostPort, receive: (message: Received) => void): Promise<Listener> => {
    const socket = await bindSocket(address);
    const bound = socket.address();
    const local = { host: bound.address, port: bound.port };
    const flow: UdpFlow = { id: nextFlowId(), transport: 'udp', local, open: true, backedUp: false, socket };
    flows.push(flow);
    // Errors of a single send come to its callback; what comes here is the socket's own, for example ENOBUFS of a receive.
    socket.on('error', (error) => {
      countReason(counters.failures, sendFailureOf(error));
      const listener = showTransportAddress({ transport: 'udp', ...local });
      log.warn({ listener, error: error.message }, 'UDP socket error');
    });
    socket.on('message', (bytes, source) => {
      if (bytes.length > largestDatagram || bytes.length === 0) {
        countReason(counters.dropped, 'size');
        return;
      }
      counters.received += 1;
      receive({ bytes, from: { transport: 'udp', host: source.address, port: source.port, flow } });
    });
    return { transport: 'udp', local, receiveBuffer: socket.getRecvBufferSize() };
  };

  const send = (
    target: Target,
    head: Uint8Array,
    tail: Uint8Array | undefined,
    onFailure: ((reason: SendFailure) => void) | undefined,
  ): boolean => {
    const fail = (reason: SendFailure): true => {
      countReason(counters.failures, reason);
      onFailure?.(reason);
      return true;
    };
    const flow = flowFor(flows, target);
    if (flow === undefined) return fail('unroutable');
    const { socket } = flow;
    if (flow.backedUp && socket.getSendQueueSize() > queueLimit) return fail('overflow');
    if (head.length + (tail?.length ?? 0) > largestDatagram) return fail('too-large');
    const bytes = tail === undefined ? [head] : [head, tail];
    try {
      if (onFailure === undefined) socket.send(bytes, target.port, target.host);
      else
        socket.send(bytes, target.port, target.host, (error) => {
          if (error !== null) fail(sendFailureOf(error));
        });
      counters.sent += 1;
      // libuv sends at once while its queue is empty; bytes that the kernel would not take yet stay in that queue.
      flow.backedUp = socket.getSendQueueCount() > 0;
      return !flow.backedUp;
    } catch (error) {
      return fail(sendFailureOf(error));
    }
  };

  const close = async (_ms: number): Promise<void> => {
    for (const flow of flows) flow.open = false;
    await Promise.all(flows.splice(0).map((flow) => new Promise<void>((done) => flow.socket.close(done))));
  };

  return { name: 'udp', counters, listen, send, close };
};

/** A socket that listens there. Rejects with a sentence where the address cannot be bound. */
const bindSocket = ({ host, port }: HostPort): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const family = isIP(host);
    if (family === 0) {
      reject(new Error(`udp:${host} is not an IP address. Give one, IPv6 in brackets.`));
      return;
    }
    const socket = createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      ipv6Only: family === 6,
      recvBufferSize: socketBuffer,
      sendBufferSize: socketBuffer,
      lookup: literal,
    });
    socket.once('error', (error) => {
      socket.close(); // a socket that is not bound keeps the process alive too
      reject(bindError(showTransportAddress({ transport: 'udp', host, port }), error));
    });
    socket.bind(port, host, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });

/** The socket that a message to this target leaves by: the one of its flow, else the first that reaches it. */
const flowFor = (flows: readonly UdpFlow[], target: Target): UdpFlow | undefined => {
  const wanted = target.flow;
  const six = target.host.includes(':');
  let found: UdpFlow | undefined;
  for (const flow of flows) {
    if (wanted !== undefined) {
      if (flow.id === wanted.id) return flow;
    } else if (flow.local.host.includes(':') === six) {
      if (found === undefined) found = flow;
      else if (!reaches(found.local.host, target.host) && reaches(flow.local.host, target.host)) found = flow;
    }
  }
  return found;
};

/** The address asked about last: a fan-out asks for the same one a thousand times over. */
let asked = '';
let askedFamily = 0;

/** In place of dns.lookup: passes an IP address on, at once. */
const literal = (
  host: string,
  _options: unknown,
  callback: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
): void => {
  if (host !== asked) {
    asked = host;
    askedFamily = isIP(host);
  }
  if (askedFamily !== 0) callback(null, host, askedFamily);
  else callback(Object.assign(new Error(`${host} is not an IP address`), { code: 'ENOTFOUND' }), '', 0);
};
