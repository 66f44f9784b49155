import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** A SIP user agent over UDP that shares no code with imcd: what the conformance tests speak through. */

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
}

export interface RequestOptions {
  readonly method?: string;
  /** Request-URI and To; `to` for To alone. */
  readonly uri: string;
  readonly to?: string;
  readonly from?: string;
  readonly body?: string | Buffer;
  readonly contentType?: string | undefined;
  /** Header lines besides, and in the place of the usual ones. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface SipUser {
  readonly aor: string;
  readonly port: number;
  /** Sends a request and resolves with its final answer; repeats it as UDP asks for. */
  readonly request: (options: RequestOptions) => Promise<Reply>;
  /** A MESSAGE to a room or the manager. */
  readonly say: (uri: string, body: string | Buffer, contentType?: string) => Promise<Reply>;
  /** The next MESSAGE that has come or will come; fails after 3 s. */
  readonly next: () => Promise<Message>;
  /** Its text. */
  readonly hears: () => Promise<string>;
  /** Asserts that nothing has come: the manager's help is asked for, and is the next that comes. */
  readonly hearsNothing: () => Promise<void>;
  /** What to answer to a MESSAGE; 200 at first, undefined is silence. */
  answerWith: string | undefined;
  readonly register: (seconds?: number) => Promise<Reply>;
  /** Bytes as they are. */
  readonly raw: (bytes: string | Buffer) => void;
  readonly close: () => void;
}

export interface Place {
  readonly host: string;
  readonly port: number;
  readonly domain: string;
}

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

/** Opens a user agent that is registered. */
export const openUser = async (place: Place, name: string): Promise<SipUser> => {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  const aor = `sip:${name}@${place.domain}`;
  const waiting = new Map<string, (reply: Reply) => void>();
  const inbox: Message[] = [];
  const seen = new Set<string>();
  let wake = (): void => {};

  const answer = (request: Message, bytes: Buffer, to: { port: number; address: string }): void => {
    if (user.answerWith === undefined) return;
    const vias = bytes.toString('utf8').match(/^(?:Via|v):.*$/gim) ?? [];
    const lines = ['From', 'Call-ID', 'CSeq'].map((header) => `${header}: ${request.headers[header.toLowerCase()]}`);
    const tagged = `To: ${request.headers.to};tag=${name}`;
    socket.send(
      `SIP/2.0 ${user.answerWith}\r\n${[...vias, ...lines, tagged].join('\r\n')}\r\nContent-Length: 0\r\n\r\n`,
      to.port,
      to.address,
    );
  };

  socket.on('message', (bytes, source) => {
    const message = parse(bytes);
    const status = /^SIP\/2\.0 ([0-9]{3}) (.*)$/.exec(message.start);
    const key = `${message.headers['call-id']} ${message.headers.cseq}`;
    if (status !== null) {
      if (Number(status[1]) >= 200)
        waiting.get(key)?.({ ...message, status: Number(status[1]), reason: status[2] ?? '' });
      return;
    }
    answer(message, bytes, source);
    if (seen.has(key)) return;
    seen.add(key);
    inbox.push(message);
    wake();
  });

  const request = ({ method = 'MESSAGE', uri, body = '', ...rest }: RequestOptions): Promise<Reply> => {
    const content = Buffer.from(body);
    const callId = `${token()}@127.0.0.1`;
    const headers: Record<string, string> = {
      Via: `SIP/2.0/UDP 127.0.0.1:${port};rport;branch=z9hG4bK${token()}`,
      'Max-Forwards': '70',
      From: `<${rest.from ?? aor}>;tag=${token()}`,
      To: `<${rest.to ?? uri}>`,
      'Call-ID': callId,
      CSeq: `1 ${method}`,
      ...(rest.contentType === undefined ? {} : { 'Content-Type': rest.contentType }),
      'Content-Length': String(content.length),
      ...rest.headers,
    };
    const head = Object.entries(headers).map(([header, value]) => `${header}: ${value}`);
    const bytes = Buffer.concat([Buffer.from(`${method} ${uri} SIP/2.0\r\n${head.join('\r\n')}\r\n\r\n`), content]);
    const key = `${headers['Call-ID']} ${headers.CSeq}`;
    return new Promise((done, fail) => {
      const send = (): void => socket.send(bytes, place.port, place.host);
      const repeat = setInterval(send, 500);
      const late = setTimeout(() => {
        clearInterval(repeat);
        fail(new Error(`no answer to ${method} ${uri} within 8 s`));
      }, 8_000);
      waiting.set(key, (reply) => {
        clearInterval(repeat);
        clearTimeout(late);
        waiting.delete(key);
        done(reply);
      });
      send();
    });
  };

  const next = async (): Promise<Message> => {
    const end = Date.now() + 3_000;
    while (inbox.length === 0) {
      let timer: NodeJS.Timeout | undefined;
      const left = end - Date.now();
      assert.ok(left > 0, `${name} hears nothing`);
      await new Promise<void>((done) => {
        wake = done;
        timer = setTimeout(done, left);
      });
      clearTimeout(timer);
    }
    return inbox.shift() ?? assert.fail();
  };
  const hears = async (): Promise<string> => (await next()).body.toString('utf8');
  const say = (uri: string, body: string | Buffer, contentType = 'text/plain'): Promise<Reply> =>
    request({ uri, body, contentType });

  const user: SipUser = {
    aor,
    port,
    answerWith: '200 OK',
    request,
    say,
    next,
    hears,
    hearsNothing: async () => {
      await say(`sip:chat-manager@${place.domain}`, '#help');
      assert.match(await hears(), /^#create /m, `${name} heard something`);
    },
    register: (seconds = 600) =>
      request({
        method: 'REGISTER',
        uri: `sip:${place.domain}`,
        to: aor,
        headers: { Contact: `<sip:${name}@127.0.0.1:${port}>`, Expires: String(seconds) },
      }),
    raw: (bytes) => socket.send(bytes, place.port, place.host),
    close: () => socket.close(),
  };
  try {
    assert.equal((await user.register()).status, 200);
  } catch (error) {
    socket.close();
    throw error;
  }
  return user;
};
