import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** Some users of a conference server, on one UDP socket: they send MESSAGEs, take every copy and answer it 200. */
export interface SipUsers {
  readonly port: number;
  /** Sends one MESSAGE to a server on loopback; resolves with the status of its final answer, rejects after 2 s without one. */
  readonly send: (port: number, from: string, to: string, body: string) => Promise<number>;
  /** The body of the next copy for `user` (a URI) that `is` takes; copies are kept until asked for. Rejects after 5 s. */
  readonly copy: (user: string, is: (body: string) => boolean) => Promise<string>;
  readonly close: () => void;
}

interface Copy {
  readonly to: string;
  readonly body: string;
}

export const startSipUsers = async (): Promise<SipUsers> => {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  const answers = new Map<string, (status: number) => void>();
  const copies: Copy[] = [];
  const seen = new Set<string>();
  let arrived = (): void => {};
  let serial = 0;

  socket.on('message', (bytes, from) => {
    const text = bytes.toString();
    const header = (name: string) => new RegExp(`^${name} *: *(.*)$`, 'im').exec(text)?.[1]?.trim() ?? '';
    const [, status] = /^SIP\/2\.0 (\d{3})/.exec(text) ?? [];
    if (status !== undefined) {
      if (status !== '100') answers.get(header('Call-ID'))?.(Number(status));
      return;
    }
    socket.send(accepted(text), from.port, from.address);
    // Branches: a repeated request is one copy.
    const branch = /branch=([^;\s,]+)/.exec(text)?.[1] ?? '';
    if (seen.has(branch)) return;
    seen.add(branch);
    const [, to = ''] = /<?(sips?:[^>;\s]+)/.exec(header('To')) ?? [];
    copies.push({ to, body: text.slice(text.indexOf('\r\n\r\n') + 4) });
    arrived();
  });

  return {
    port,
    send: (server, from, to, body) => {
      serial += 1;
      const callId = `${port}-${serial}`;
      return new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`no answer to "${body}" from ${server}`)), 2_000);
        answers.set(callId, (status) => {
          clearTimeout(late);
          answers.delete(callId);
          resolve(status);
        });
        socket.send(message(callId, port, from, to, body), server, '127.0.0.1');
      });
    },
    copy: async (user, is) => {
      for (const end = Date.now() + 5_000; ; ) {
        const index = copies.findIndex((one) => one.to === user && is(one.body));
        if (index >= 0) return copies.splice(index, 1)[0]?.body ?? '';
        if (Date.now() > end) throw new Error(`no such copy for ${user}; there are ${JSON.stringify(copies)}`);
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, 100);
          arrived = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    },
    close: () => socket.close(),
  };
};

const message = (callId: string, port: number, from: string, to: string, body: string): string =>
  [
    `MESSAGE ${to} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bK${callId};rport`,
    'Max-Forwards: 70',
    `From: <${from}>;tag=${callId}`,
    `To: <${to}>`,
    `Call-ID: ${callId}`,
    'CSeq: 1 MESSAGE',
    'Content-Type: text/plain',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');

const accepted = (request: string): string => {
  const kept = request.split('\r\n').filter((line) => /^(?:Via|From|To|Call-ID|CSeq) *:/i.test(line));
  const lines = kept.map((line) => (/^To/i.test(line) ? `${line};tag=users` : line));
  return ['SIP/2.0 200 OK', ...lines, 'Content-Length: 0', '', ''].join('\r\n');
};
