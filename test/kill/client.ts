import { createSocket, type Socket } from 'node:dgram';

/** One SIP user who repeats a request until it is answered, over any number of restarts of the server. */
export interface Asker {
  /** Sends a command to a room and waits for its final answer; repeats it by RFC 3261's Timer E, for as long as it takes. */
  readonly ask: (user: string, room: string, body: string) => Promise<Asked>;
  /** Where the server is now. */
  readonly moveTo: (port: number) => void;
  readonly close: () => void;
}

export interface Asked {
  readonly callId: string;
  readonly status: number;
  /** Transmissions that it took. */
  readonly sent: number;
}

/** Milliseconds: the first repetitions; short, so that a restart is met soon. */
const repeatMs = 100;

export const createAsker = async (): Promise<Asker> => {
  const socket: Socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port: own } = socket.address();
  const repeating = new Set<NodeJS.Timeout>();
  const waiting = new Map<string, (status: number) => void>();
  let server = 0;
  let serial = 0;

  socket.on('error', () => {}); // The server is down: the request is repeated.
  socket.on('message', (bytes, from) => {
    const text = bytes.toString('latin1');
    const callId = /^Call-ID: *(.+)\r$/im.exec(text)?.[1] ?? '';
    const status = /^SIP\/2\.0 (\d{3})/.exec(text)?.[1];
    if (status !== undefined) return waiting.get(callId)?.(Number(status));
    const vias = text.split('\r\n').filter((line) => /^(Via|From|To|Call-ID|CSeq):/i.test(line));
    socket.send(`SIP/2.0 200 OK\r\n${vias.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`, from.port, from.address);
  });

  return {
    moveTo: (port) => {
      server = port;
    },
    ask: (user, room, body) =>
      new Promise((resolve) => {
        serial += 1;
        const tag = `t${serial}`; // A request that is repeated is the same request.
        const callId = `kill-${process.pid}-${own}-${serial}`;
        let sent = 0;
        const send = (): void => {
          sent += 1;
          if (server === 0) return;
          const bytes =
            `MESSAGE sip:${room}@localhost SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${own};rport;branch=z9hG4bK${callId}\r\n` +
            `Max-Forwards: 70\r\nFrom: <sip:${user}@localhost>;tag=${tag}\r\nTo: <sip:${room}@localhost>\r\n` +
            `Call-ID: ${callId}\r\nCSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
          socket.send(bytes, server, '127.0.0.1');
        };
        const repeat = setInterval(send, repeatMs);
        repeating.add(repeat);
        waiting.set(callId, (status) => {
          if (status === 503) return; // A server that stops has not executed it: it is asked again, and another one answers.
          clearInterval(repeat);
          repeating.delete(repeat);
          waiting.delete(callId);
          resolve({ callId, status, sent });
        });
        send();
      }),
    close: () => {
      for (const repeat of repeating) clearInterval(repeat);
      socket.close();
    },
  };
};
