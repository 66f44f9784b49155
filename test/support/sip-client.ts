import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import { atEnd } from './at-end.ts';

/**
 * A SIP user agent on a UDP socket of its own. It shares no code with imcd: what it says and understands is RFC 3261 as the
 * tests read it.
 */

export interface Message {
  /** Request line or status line. */
  readonly start: string;
  /** First value by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}
export interface Reply extends Message {
  readonly status: number;
  readonly reason: string;
  /** How often the request was sent until it came. */
  readonly sent: number;
}

export interface RequestOptions {
  readonly method?: string;
  /** Request-URI and To; `to` for To alone. */
  readonly uri: string;
  readonly to?: string;
  /** `sip:nobody@localhost` where it is not given. */
  readonly from?: string;
  readonly body?: string | Buffer;
  readonly contentType?: string | undefined;
  /** Header lines besides, and in the place of the usual ones. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What to answer: the end of the status line, and header lines behind it; undefined is silence. */
export type AnswerWith = string | undefined | ((request: Message) => string | undefined);

export interface SipClientOptions {
  /** Where requests go; nowhere until `aim` says it. */
  readonly server?: Address;
  readonly answerWith?: AnswerWith;
  /** Milliseconds from one repetition of a request to the next, as UDP asks for; 500 at first, Infinity: none. */
  readonly repeatMs?: number;
  /** Milliseconds until a request without an answer rejects: a hang guard, unless silence is what is looked for. */
  readonly patienceMs?: number;
  /** Which answers end a request; at first every final one. After another the request is repeated. */
  readonly ends?: (status: number) => boolean;
  /** Whether requests are kept until `next` takes them; at first they are. */
  readonly keeps?: boolean;
}

/** Any number of users on one socket: `from` says who asks. */
export interface SipClient {
  readonly port: number;
  /** Requests and their repetitions go there from now on. */
  readonly aim: (server: Address | undefined) => void;
  /** Sends a request; resolves with the answer that ends it. */
  readonly request: (options: RequestOptions) => Promise<Reply>;
  /** The first request that `is` takes of those that have come or will come. */
  readonly next: (is?: (message: Message) => boolean) => Promise<Message>;
  answerWith: AnswerWith;
  /** Bytes as they are. */
  readonly raw: (bytes: string | Buffer) => void;
  /** Lets go of the socket; requests under way are forgotten. */
  readonly close: () => void;
}

const hangMs = 60_000;
const repeatMs = 500;

/** Many answers to many requests under way at once find room here while the machine is busy. */
const receiveBuffer = 4 * 2 ** 20;

const token = (): string => randomBytes(8).toString('hex');

const parse = (bytes: Buffer): Message => {
  const end = bytes.indexOf('\r\n\r\n');
  const [start = '', ...lines] = bytes.subarray(0, end).toString('utf8').split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] ??= line.slice(colon + 1).trim();
  }
  return { start, headers, body: bytes.subarray(end + 4) };
};

/** The same for a request and its repetitions, and for its answers. */
const keyOf = ({ headers }: Message): string => `${headers['call-id']} ${headers.cseq}`;

/** RFC 3261 section 8.2.6.2: every Via, From, To with a tag, Call-ID and CSeq of the request. */
const answerTo = (bytes: Buffer, { headers }: Message, answer: string): string => {
  const vias = bytes.toString('utf8').match(/^(?:Via|v) *:[^\r]*/gim) ?? [];
  const to = /;tag=/i.test(headers.to ?? '') ? headers.to : `${headers.to};tag=client`;
  const lines = [
    ...vias,
    `From: ${headers.from}`,
    `To: ${to}`,
    `Call-ID: ${headers['call-id']}`,
    `CSeq: ${headers.cseq}`,
  ];
  return `SIP/2.0 ${answer}\r\n${lines.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`;
};

/** The bytes of a request, made anew at each call, with its key. */
const newRequest = (port: number, { method = 'MESSAGE', uri, body = '', ...rest }: RequestOptions) => {
  const content = Buffer.from(body);
  const headers: Record<string, string> = {
    Via: `SIP/2.0/UDP 127.0.0.1:${port};rport;branch=z9hG4bK${token()}`,
    'Max-Forwards': '70',
    From: `<${rest.from ?? 'sip:nobody@localhost'}>;tag=${token()}`,
    To: `<${rest.to ?? uri}>`,
    'Call-ID': `${token()}@127.0.0.1`,
    CSeq: `1 ${method}`,
    ...(rest.contentType === undefined ? {} : { 'Content-Type': rest.contentType }),
    'Content-Length': String(content.length),
    ...rest.headers,
  };
  const head = Object.entries(headers).map(([header, value]) => `${header}: ${value}`);
  const bytes = Buffer.concat([Buffer.from(`${method} ${uri} SIP/2.0\r\n${head.join('\r\n')}\r\n\r\n`), content]);
  return { key: `${headers['Call-ID']} ${headers.CSeq}`, bytes };
};

/** What has come and not been asked for yet. */
const openInbox = () => {
  const messages: Message[] = [];
  const arrivals = new EventEmitter().setMaxListeners(0);
  return {
    take: (message: Message): void => {
      messages.push(message);
      arrivals.emit('message');
    },
    next: async (is: (message: Message) => boolean): Promise<Message> => {
      const signal = AbortSignal.timeout(hangMs);
      for (;;) {
        const index = messages.findIndex(is);
        if (index >= 0) return messages.splice(index, 1)[0] ?? assert.fail();
        await once(arrivals, 'message', { signal }).catch(() =>
          assert.fail(
            `nothing came of what was waited for; there are ${JSON.stringify(messages.map(({ start }) => start))}`,
          ),
        );
      }
    },
  };
};

export const openSipClient = async (options: SipClientOptions = {}): Promise<SipClient> => {
  const socket = createSocket({ type: 'udp4', recvBufferSize: receiveBuffer });
  socket.on('error', () => {}); // The server is down: the request is repeated.
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  atEnd(() => client.close());
  const { port } = socket.address();
  const ends = options.ends ?? (() => true);
  const underWay = new Map<
    string,
    { readonly answered: (reply: Omit<Reply, 'sent'>) => void; readonly forget: () => void }
  >();
  const answers = new Map<string, string | undefined>();
  const inbox = openInbox();
  let { server } = options;
  let closed = false;

  const raw = (bytes: string | Buffer): void => {
    if (server !== undefined && !closed) socket.send(bytes, server.port, server.host);
  };

  socket.on('message', (bytes, source) => {
    const message = parse(bytes);
    const [, status, reason = ''] = /^SIP\/2\.0 ([0-9]{3}) (.*)$/.exec(message.start) ?? [];
    const key = keyOf(message);
    if (status !== undefined) {
      if (Number(status) >= 200 && ends(Number(status)))
        underWay.get(key)?.answered({ ...message, status: Number(status), reason });
      return;
    }
    // What comes again is answered as before; silence may end.
    const { answerWith } = client;
    const answer = answers.get(key) ?? (typeof answerWith === 'function' ? answerWith(message) : answerWith);
    if (answer !== undefined) socket.send(answerTo(bytes, message, answer), source.port, source.address);
    if (options.keeps === false) return;
    if (!answers.has(key)) inbox.take(message);
    answers.set(key, answer);
  });

  const request = (asked: RequestOptions): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const { key, bytes } = newRequest(port, asked);
      let sent = 0;
      const send = (): void => {
        sent += 1;
        raw(bytes);
      };
      const every = options.repeatMs ?? repeatMs;
      const repeat = every === Number.POSITIVE_INFINITY ? undefined : setInterval(send, every);
      const patience = options.patienceMs ?? hangMs;
      const forget = (): void => {
        clearInterval(repeat);
        clearTimeout(late);
        underWay.delete(key);
      };
      const late =
        patience === Number.POSITIVE_INFINITY
          ? undefined
          : setTimeout(() => {
              forget();
              reject(new Error(`no answer to ${asked.method ?? 'MESSAGE'} ${asked.uri} within ${patience} ms`));
            }, patience);
      const answered = (reply: Omit<Reply, 'sent'>): void => {
        forget();
        resolve({ ...reply, sent });
      };
      underWay.set(key, { answered, forget });
      send();
    });

  const client: SipClient = {
    port,
    answerWith: 'answerWith' in options ? options.answerWith : '200 OK',
    aim: (next) => {
      server = next;
    },
    request,
    next: (is = () => true) => inbox.next(is),
    raw,
    close: () => {
      if (closed) return;
      closed = true;
      for (const { forget } of underWay.values()) forget();
      socket.close();
    },
  };
  return client;
};

/** A user with a socket of its own, registered. */
export interface SipUser extends SipClient {
  readonly aor: string;
  /** A MESSAGE to a room or the manager. */
  readonly say: (uri: string, body: string | Buffer, contentType?: string) => Promise<Reply>;
  /** The text of the next MESSAGE. */
  readonly hears: () => Promise<string>;
  /** Asserts that nothing has come: the manager's help is asked for, and is the next that comes. */
  readonly hearsNothing: () => Promise<void>;
  readonly register: (seconds?: number) => Promise<Reply>;
}

/** Where a server is, and for which domain it speaks. */
export interface ServedAt extends Address {
  readonly domain: string;
}

export const openUser = async ({ domain, ...server }: ServedAt, name: string): Promise<SipUser> => {
  const client = await openSipClient({ server });
  const aor = `sip:${name}@${domain}`;
  const { request: send } = client;
  const request = (asked: RequestOptions): Promise<Reply> => send({ from: aor, ...asked });
  const hears = async (): Promise<string> => (await client.next()).body.toString('utf8');
  const say = (uri: string, body: string | Buffer, contentType = 'text/plain'): Promise<Reply> =>
    request({ uri, body, contentType });
  const user: SipUser = Object.assign(client, {
    aor,
    request,
    say,
    hears,
    hearsNothing: async () => {
      await say(`sip:chat-manager@${domain}`, '#help');
      assert.match(await hears(), /^#create /m, `${name} heard something`);
    },
    register: (seconds = 600) =>
      request({
        method: 'REGISTER',
        uri: `sip:${domain}`,
        to: aor,
        headers: { Contact: `<sip:${name}@127.0.0.1:${client.port}>`, Expires: String(seconds) },
      }),
  });
  try {
    assert.equal((await user.register()).status, 200);
  } catch (error) {
    client.close();
    throw error;
  }
  return user;
};
