import { openSipClient, type RequestOptions } from '../support/sip-client.ts';
import type { Dice } from './history.ts';

/** Users who send commands as SIP MESSAGEs over UDP, and take every copy that comes back: the load of the exactly-once tests. */
export interface CommandStream {
  /** Port that copies are to be sent to: `outbound_proxy`. */
  readonly port: number;
  /** Commands sent so far. */
  readonly sent: () => number;
  /** Final answers by status. */
  readonly answers: ReadonlyMap<number, number>;
  /** Where the server is; undefined while it is down: then nobody sends. */
  readonly aim: (port: number | undefined) => void;
  /** Nobody will be there any more: `run` rejects. */
  readonly fail: (error: unknown) => void;
  /** Sends so many commands, `window` of them under way; calls `onSent` before each. */
  readonly run: (commands: number, window: number, onSent: (sent: number) => void) => Promise<void>;
  readonly close: () => void;
}

export const startCommandStream = async (dice: Dice, rooms: number, users: number): Promise<CommandStream> => {
  // Copies on a socket of their own: in one receive buffer they would push the answers out.
  const sink = await openSipClient({ keeps: false });
  // What a server that was killed did not answer is sent again, as UDP asks for, to the one after it.
  const asker = await openSipClient();
  const answers = new Map<number, number>();
  let sent = 0;
  let aimed = Promise.withResolvers<void>();

  return {
    port: sink.port,
    sent: () => sent,
    answers,
    aim: (port) => {
      asker.aim(port === undefined ? undefined : { host: '127.0.0.1', port });
      if (port === undefined) aimed = Promise.withResolvers();
      else aimed.resolve();
    },
    fail: (error) => {
      aimed.promise.catch(() => {});
      aimed.reject(error);
    },
    run: async (commands, window, onSent) => {
      const worker = async (): Promise<void> => {
        while (sent < commands) {
          await aimed.promise;
          sent += 1;
          onSent(sent);
          const { status } = await asker.request(command(dice, rooms, users));
          answers.set(status, (answers.get(status) ?? 0) + 1);
        }
      };
      await Promise.all(Array.from({ length: window }, worker));
    },
    close: () => {
      asker.close();
      sink.close();
    },
  };
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

const command = (dice: Dice, rooms: number, users: number): RequestOptions => {
  const room = `chat-${dice(rooms)}`;
  const body = (bodies[dice(bodies.length)] ?? '#join').replace('ROOM', room).replace('USER', `User${dice(users)}`);
  const from = `sip:User${dice(users)}@localhost`;
  return { uri: `sip:${room}@localhost`, from, body, contentType: 'text/plain' };
};
