import { createSocket, type Socket } from 'node:dgram';
import { quantile } from './process.ts';

/**
 * Plays all members of all rooms from one UDP socket, which is the server's outbound proxy: commands and chat messages out, a
 * 200 for every copy that comes. As fast as Node receives, some 40,000 copies a second; a faster server waits for it.
 */
export interface LoadOptions {
  readonly serverPort: number;
  readonly domain: string;
  readonly rooms: number;
  readonly members: number;
  readonly bodyBytes: number;
  /** Messages under way: not answered, or copies still to come. */
  readonly window: number;
}

export interface LoadResult {
  readonly messages: number;
  readonly copiesExpected: number;
  readonly copies: number;
  readonly repeated: number;
  readonly answers: Readonly<Record<string, number>>;
  readonly copiesPerSecond: number;
  readonly deliveryMicroseconds: { readonly p50: number; readonly p99: number; readonly max: number };
}

export interface CommandsResult {
  readonly commands: number;
  readonly answers: Readonly<Record<string, number>>;
  readonly commandsPerSecond: number;
  readonly answerMicroseconds: { readonly p50: number; readonly p99: number; readonly max: number };
}

export interface Load {
  /** Makes the rooms and lets everybody join, waiting for each join's notices. */
  readonly setUp: () => Promise<void>;
  readonly chat: (messages: number) => Promise<LoadResult>;
  /** Joins and exits by `atOnce` users, each with one command under way, spread over the rooms; `pairs` joins and as many exits. */
  readonly commands: (pairs: number, atOnce: number) => Promise<CommandsResult>;
  readonly close: () => void;
}

const patienceMs = 20_000;

/** Binds the load's socket first: the server is to be told its port before it has one itself. */
export const bindLoad = async (options: Omit<LoadOptions, 'serverPort'>) => {
  const socket = createSocket({
    type: 'udp4',
    recvBufferSize: 4 << 20,
    sendBufferSize: 4 << 20,
    lookup: (host, _, callback) => callback(null, host, 4),
  });
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  return { port: socket.address().port, start: (serverPort: number): Load => load(socket, { ...options, serverPort }) };
};

interface Message {
  readonly sentAt: number;
  answered: boolean;
  copies: number;
  readonly seen: Set<string>;
}

/** A header's line with the CRLF before it; imcd and its peers write each on one line, its name so. */
const headerOf = (text: string, name: string): string => {
  const at = text.indexOf(`\r\n${name}: `);
  return at === -1 ? '' : text.slice(at, text.indexOf('\r\n', at + 2));
};

const load = (socket: Socket, { serverPort, domain, rooms, members, bodyBytes, window }: LoadOptions): Load => {
  const { port } = socket.address();
  const run = Math.random().toString(36).slice(2, 10);
  const callbacks = new Map<string, (status: string) => void>();
  const messages = new Map<number, Message>();
  let latencies: number[] = [];
  let repeated = 0;
  let notices = 0;
  let sequence = 0;
  let lastCopyAt = 0;
  let progress = (): void => {};

  const request = (from: string, to: string, body: string, answered: (status: string) => void): void => {
    sequence += 1;
    const id = `${run}-${sequence}`;
    callbacks.set(id, answered);
    socket.send(
      [
        `MESSAGE sip:${to}@${domain} SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${port};rport;branch=z9hG4bK${id}`,
        'Max-Forwards: 70',
        `From: <sip:${from}@${domain}>;tag=${id}`,
        `To: <sip:${to}@${domain}>`,
        `Call-ID: ${id}`,
        'CSeq: 1 MESSAGE',
        'Content-Type: text/plain',
        `Content-Length: ${body.length}`,
        '',
        body,
      ].join('\r\n'),
      serverPort,
      '127.0.0.1',
    );
  };

  const onCopy = (text: string): void => {
    const end = text.indexOf('\r\n\r\n');
    const lines = `${headerOf(text, 'Via')}${headerOf(text, 'From')}${headerOf(text, 'To')};tag=l${headerOf(text, 'Call-ID')}`;
    const answer = `SIP/2.0 200 OK${lines}${headerOf(text, 'CSeq')}\r\nContent-Length: 0\r\n\r\n`;
    socket.send(Buffer.from(answer, 'latin1'), serverPort, '127.0.0.1');
    const number = text.indexOf('SEQ=', end);
    if (number === -1) {
      notices += 1;
      progress();
      return;
    }
    const message = messages.get(Number(text.slice(number + 4, number + 12)));
    if (message === undefined) return;
    const to = text.slice(12, text.indexOf('@'));
    if (message.seen.has(to)) {
      repeated += 1;
      return;
    }
    message.seen.add(to);
    message.copies += 1;
    lastCopyAt = performance.now();
    latencies.push(lastCopyAt - message.sentAt);
    if (message.copies === members - 1) progress();
  };

  socket.on('message', (bytes) => {
    const text = bytes.toString('latin1');
    if (text.startsWith('MESSAGE ')) {
      onCopy(text);
      return;
    }
    const id = /\r\nCall-ID: (\S+)/.exec(text)?.[1] ?? '';
    const answered = callbacks.get(id);
    callbacks.delete(id);
    answered?.(text.slice(8, 11));
  });

  /** Resolves when `done` holds, looking at each progress; after `patienceMs` without it, all the same. */
  const until = (done: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, patienceMs);
      progress = () => {
        if (!done()) return;
        clearTimeout(timer);
        progress = () => {};
        resolve();
      };
      progress();
    });

  const command = async (from: string, to: string, body: string): Promise<void> => {
    let status = '';
    request(from, to, body, (answered) => {
      status = answered;
      progress();
    });
    await until(() => status !== '');
    if (status !== '200') throw new Error(`${body} of ${from} was answered ${status || 'by nothing'}`);
  };

  return {
    setUp: async () => {
      for (let room = 1; room <= rooms; room += 1) {
        await command(`m${room}-0`, 'chat-manager', `#create chat-${room}`);
        let expected = notices;
        for (let member = 1; member < members; member += 1) {
          await command(`m${room}-${member}`, `chat-${room}`, '#join');
          expected += member + 1;
          await until(() => notices >= expected);
        }
      }
    },
    chat: (count) =>
      new Promise((resolve) => {
        messages.clear();
        latencies = [];
        repeated = 0;
        const answers: Record<string, number> = {};
        const startedAt = performance.now();
        const first = 1 + Math.floor(Math.random() * 50_000_000);
        let begun = 0;
        let over = 0;
        const open = new Set<Message>();
        let timer = setTimeout(() => finish(), patienceMs);
        const finish = (): void => {
          clearTimeout(timer);
          progress = () => {};
          const sorted = latencies.map((ms) => Math.round(ms * 1_000)).sort((a, b) => a - b);
          resolve({
            messages: count,
            copiesExpected: count * (members - 1),
            copies: sorted.length,
            repeated,
            answers,
            copiesPerSecond: Math.round(sorted.length / ((lastCopyAt - startedAt) / 1_000)),
            deliveryMicroseconds: { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), max: quantile(sorted, 1) },
          });
        };
        const pump = (): void => {
          for (const message of open) {
            if (!message.answered || message.copies < members - 1) continue;
            open.delete(message);
            over += 1;
            clearTimeout(timer);
            timer = setTimeout(() => finish(), patienceMs);
          }
          while (begun < count && open.size < window) {
            const room = 1 + (begun % rooms);
            const sender = Math.floor(begun / rooms) % members;
            const number = first + begun;
            const message: Message = { sentAt: performance.now(), answered: false, copies: 0, seen: new Set() };
            messages.set(number, message);
            open.add(message);
            begun += 1;
            const body = `SEQ=${String(number).padStart(8, '0')};`.padEnd(bodyBytes, 'x');
            request(`m${room}-${sender}`, `chat-${room}`, body, (status) => {
              answers[status] = (answers[status] ?? 0) + 1;
              message.answered = true;
              pump();
            });
          }
          if (over === count) finish();
        };
        progress = pump;
        pump();
      }),
    commands: async (pairs, atOnce) => {
      const answers: Record<string, number> = {};
      const times: number[] = [];
      const ask = (user: number, body: string): Promise<void> =>
        new Promise((resolve) => {
          const sentAt = performance.now();
          request(`c${user}`, `chat-${1 + (user % rooms)}`, body, (status) => {
            answers[status] = (answers[status] ?? 0) + 1;
            times.push(Math.round((performance.now() - sentAt) * 1_000));
            resolve();
          });
        });
      let left = pairs;
      const live = async (user: number): Promise<void> => {
        while (left > 0) {
          left -= 1;
          await ask(user, '#join');
          await ask(user, '#exit');
        }
      };
      const startedAt = performance.now();
      await Promise.all(Array.from({ length: atOnce }, (_, user) => live(user)));
      const seconds = (performance.now() - startedAt) / 1_000;
      times.sort((a, b) => a - b);
      return {
        commands: times.length,
        answers,
        commandsPerSecond: Math.round(times.length / seconds),
        answerMicroseconds: { p50: quantile(times, 0.5), p99: quantile(times, 0.99), max: quantile(times, 1) },
      };
    },
    close: () => socket.close(),
  };
};
