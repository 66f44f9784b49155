import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Dice } from './history.ts';

/** Users who send commands as SIP MESSAGEs over UDP, and take every copy that comes back: the load of the exactly-once tests. */
export interface CommandStream {
  /** Port that copies are to be sent to: `outbound_proxy`. */
  readonly port: number;
  /** Commands sent so far. */
  readonly sent: () => number;
  /** Final answers by status. */
  readonly answers: ReadonlyMap<string, number>;
  /** Where the server is; undefined while it is down: then nobody sends. */
  readonly aim: (port: number | undefined) => void;
  /** Sends so many commands, `window` of them under way; calls `onSent` before each. */
  readonly run: (commands: number, window: number, onSent: (sent: number) => void) => Promise<void>;
  readonly close: () => void;
}

/** A server that was killed answers nothing more. */
const patienceMs = 1_000;

export const startCommandStream = async (dice: Dice, rooms: number, users: number): Promise<CommandStream> => {
  // Copies on a socket of their own: in one receive buffer they would push the answers out.
  const [socket, sink] = [await openSocket(), await openSocket()];
  const { port } = socket.address();
  const waiting = new Map<string, (status: string) => void>();
  const answers = new Map<string, number>();
  let sent = 0;
  let target: number | undefined;
  let aimed = (): void => {};
  let ready = new Promise<void>((resolve) => {
    aimed = resolve;
  });

  sink.on('message', (bytes, from) => sink.send(accepted(bytes.toString('latin1')), from.port, from.address));
  socket.on('message', (bytes) => {
    const text = bytes.toString('latin1');
    const [, status] = /^SIP\/2\.0 (\d{3})/.exec(text) ?? [];
    if (status === undefined || status === '100') return;
    waiting.get(/^Call-ID: *(\S+)/im.exec(text)?.[1] ?? '')?.(status);
  });

  const ask = (callId: string, to: number): Promise<string> =>
    new Promise((resolve) => {
      const done = (status: string): void => {
        clearTimeout(late);
        waiting.delete(callId);
        resolve(status);
      };
      const late = setTimeout(() => done('none'), patienceMs);
      waiting.set(callId, done);
      socket.send(command(dice, callId, port, rooms, users), to, '127.0.0.1');
    });

  return {
    port: sink.address().port,
    sent: () => sent,
    answers,
    aim: (next) => {
      if (next === undefined) {
        ready = new Promise((resolve) => {
          aimed = resolve;
        });
      }
      target = next;
      if (next !== undefined) aimed();
    },
    run: async (commands, window, onSent) => {
      const worker = async (): Promise<void> => {
        while (sent < commands) {
          await ready;
          if (target === undefined) continue;
          sent += 1;
          onSent(sent);
          const status = await ask(`${port}-${sent}-${dice(1e9)}`, target);
          answers.set(status, (answers.get(status) ?? 0) + 1);
        }
      };
      await Promise.all(Array.from({ length: window }, worker));
    },
    close: () => {
      socket.close();
      sink.close();
    },
  };
};

const openSocket = async () => {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 2 ** 20 });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
};

/** Every command that changes something, the likelier ones more often. */
export const bodies = [
  '#join',
  '#join',
  '#join',
  '#create ROOM',
  '#create ROOM private',
  '#invite USER',
  '#accept',
  '#deny',
  '#add USER',
  '#remove USER',
  '#modify USER admin',
  '#modify USER owner',
  '#topic lunch  with USER',
  '#topic ',
  '#exit',
  '#exit',
  '#destroy',
];

const command = (dice: Dice, callId: string, port: number, rooms: number, users: number): string => {
  const room = `chat-${dice(rooms)}`;
  const body = (bodies[dice(bodies.length)] ?? '#join').replace('ROOM', room).replace('USER', `User${dice(users)}`);
  return [
    `MESSAGE sip:${room}@localhost SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bK${callId};rport`,
    'Max-Forwards: 70',
    `From: <sip:User${dice(users)}@localhost>;tag=${callId}`,
    `To: <sip:${room}@localhost>`,
    `Call-ID: ${callId}`,
    'CSeq: 1 MESSAGE',
    'Content-Type: text/plain',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
};

const accepted = (request: string): string => {
  const lines = request.split('\r\n');
  const kept = lines.filter((line) => /^(?:Via|From|To|Call-ID|CSeq):/i.test(line));
  return [
    'SIP/2.0 200 OK',
    ...kept.map((line) => (/^To:/i.test(line) ? `${line};tag=sink` : line)),
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
};
