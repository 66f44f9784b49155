import { createSocket } from 'node:dgram';
import { showHostPort } from '../../net/address.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Ids } from '../../ports/ids.ts';
import type { Log } from '../../ports/log.ts';
import { domainOf, type MemberUri, type RoomUri, userOf } from '../../room/address.ts';
import { digestAnswer } from '../../sip/message/digest.ts';
import { parseRequest, parseResponse } from '../../sip/message/grammar.ts';
import type { SipResponse } from '../../sip/message/message.ts';
import { isResponse } from '../../sip/message/status-line.ts';
import { methodNotAllowed } from '../../sip/server/answers.ts';
import { ok } from '../../sip/transaction/answer.ts';
import { ClientTransactions } from '../../sip/transaction/client.ts';
import { createRequestSender } from '../../sip/transaction/client-request.ts';
import { ServerTransactions } from '../../sip/transaction/server.ts';
import { createTransports } from '../../sip/transport/create.ts';
import type { Received, Target } from '../../sip/transport/transport.ts';
import { transports, uriParameterOf } from '../../sip/transport/transports.ts';

/** The SIP half of `imcd chat`: one user agent on imcd's own transports and transactions. */

export interface ChatClientOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly aor: MemberUri;
  /** The next hop of everything. */
  readonly server: Target;
  readonly password: string | undefined;
  /** `imcd/VERSION`. */
  readonly product: string;
  readonly onMessage: (from: string, contentType: string, body: Buffer) => void;
}

/** How a request ended. */
export interface Outcome {
  /** Of the final answer; 0 where there is none. */
  readonly status: number;
  readonly reason: string;
  /** Of a REGISTER: how long it holds. */
  readonly seconds: number;
}

/** No answer, and why. */
export const unanswered = (reason: string): Outcome => ({ status: 0, reason, seconds: 0 });
export const isDone = ({ status }: Outcome): boolean => status >= 200 && status < 300;

export interface ChatClient {
  /** Registers for so many seconds, 0 ends it. `seconds` of the outcome: what the server gave. */
  readonly register: (seconds: number) => Promise<Outcome>;
  readonly message: (to: RoomUri, text: string) => Promise<Outcome>;
  readonly close: () => Promise<void>;
}

/** Biggest body that is taken. */
const largestBody = 1_048_576;

/** @throws a sentence, where no address can be bound from which the server can be reached */
export const openChatClient = async (options: ChatClientOptions): Promise<ChatClient> => {
  const { clock, ids, log, aor, server, password, product } = options;
  const transactions = new ClientTransactions({ clock, ids, limit: 64 });
  const receive = (message: Received): void => {
    if (isResponse(message.bytes)) transactions.response(message.bytes);
    else serve(message);
  };
  const transport = createTransports({ clock, log, largestBody, receive })[server.transport];
  const { local } = await transport.listen({ host: await addressTowards(server), port: 0 }, receive);
  const sender = createRequestSender(transactions, transport.send);
  const answers = new ServerTransactions({
    clock,
    ids,
    product,
    send: (target, bytes, onFailure) => void transport.send(target, bytes, undefined, onFailure),
    limit: 10_000,
  });

  const serve = ({ bytes, from, cut }: Received): void => {
    const parsed = parseRequest(bytes);
    if (parsed.kind !== 'request' || cut !== undefined || parsed.request.method === 'ACK') return;
    const { request } = parsed;
    const transaction = answers.begin(request, from);
    if (typeof transaction === 'string') return;
    if (request.method !== 'MESSAGE') {
      transaction.answer(request.method === 'OPTIONS' ? ok : methodNotAllowed);
      return;
    }
    transaction.answer(ok);
    options.onMessage(request.from.uri, request.contentType ?? 'text/plain', request.body);
  };

  const fromTag = ids.token();
  const sentBy = showHostPort(local);
  const via = `SIP/2.0/${transports[server.transport].via} ${sentBy};rport`;
  const contact = `<sip:${userOf(aor)}@${sentBy}${uriParameterOf(server.transport)}>`;

  interface Request {
    readonly method: 'REGISTER' | 'MESSAGE';
    readonly uri: string;
    readonly to: string;
    readonly callId: string;
    readonly headers: string;
    readonly body: string;
  }

  const send = ({ method, uri, to, callId, headers, body }: Request, cseq: number): Promise<SipResponse | string> =>
    new Promise((done) => {
      const head = (branch: string): string =>
        `${method} ${uri} SIP/2.0\r\nVia: ${via};branch=${branch}\r\nMax-Forwards: 70\r\nFrom: <${aor}>;tag=${fromTag}\r\n` +
        `To: <${to}>\r\nCall-ID: ${callId}\r\nCSeq: ${cseq} ${method}\r\nUser-Agent: ${product}\r\n${headers}` +
        `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
      sender.sendRequest(server, (branch) => Buffer.from(head(branch) + body, 'utf8'), {
        onResponse: (_, bytes) => done(parseResponse(bytes) ?? 'an answer that cannot be read'),
        onFailure: done,
      });
    });

  /** Sends; where the server asks for a password, once more with it (RFC 3261 22.2, 22.3). */
  const request = async (one: Request, nextCseq: () => number): Promise<Outcome> => {
    let response = await send(one, nextCseq());
    if (
      typeof response !== 'string' &&
      (response.status === 401 || response.status === 407) &&
      password !== undefined
    ) {
      const proxy = response.status === 407;
      const credentials = { user: userOf(aor), password, method: one.method, uri: one.uri, cnonce: ids.token() };
      const value = digestAnswer(proxy ? response.proxyAuthenticate : response.wwwAuthenticate, credentials);
      if (value === undefined) return unanswered('it asks for a password in a way imcd does not know');
      const header = `${proxy ? 'Proxy-Authorization' : 'Authorization'}: ${value}\r\n`;
      response = await send({ ...one, headers: one.headers + header }, nextCseq());
    }
    if (typeof response === 'string') return unanswered(response);
    const { status, reason } = response;
    return { status, reason, seconds: secondsGiven(response, sentBy) };
  };

  const registration = `${ids.token()}@${local.host}`;
  let registerCseq = 0;
  return {
    register: (seconds) =>
      request(
        {
          method: 'REGISTER',
          uri: `sip:${domainOf(aor)}`,
          to: aor,
          callId: registration,
          headers: `Contact: ${contact}\r\nExpires: ${seconds}\r\n`,
          body: '',
        },
        () => {
          registerCseq += 1;
          return registerCseq;
        },
      ),
    message: (to, body) => {
      let cseq = 0;
      const callId = `${ids.token()}@${local.host}`;
      const headers = 'Content-Type: text/plain;charset=UTF-8\r\n';
      return request({ method: 'MESSAGE', uri: to, to, callId, headers, body }, () => {
        cseq += 1;
        return cseq;
      });
    },
    close: async () => {
      transactions.close();
      answers.close();
      await transport.close(500);
    },
  };
};

/** What the server gave our contact; where it shows none, an hour (RFC 3261 10.2.1.1). */
const secondsGiven = (response: SipResponse, sentBy: string): number => {
  const ours = response.contacts.find(({ uri }) => uri.includes(`@${sentBy}`));
  const seconds = Number(ours?.params.get('expires') ?? response.expires ?? 3_600);
  return Number.isFinite(seconds) ? seconds : 3_600;
};

/** The address of this machine from which packets to the server leave. */
const addressTowards = ({ host, port }: Target): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const fail = (error: Error): void => {
      socket.close();
      reject(new Error(`There is no way to ${host}: ${error.message}`, { cause: error }));
    };
    socket.once('error', fail);
    socket.connect(port, host, () => {
      const { address } = socket.address();
      socket.close();
      resolve(address);
    });
  });

/**
 * Calls `refused` where nothing listens at a UDP address of this machine: its kernel says so at once, where SIP's timers would
 * take half a minute. A connection says so itself.
 *
 * @returns ends the watch
 */
export const watchRefusal = ({ transport, host, port }: Target, refused: () => void): (() => void) => {
  if (transports[transport].connected) return () => {};
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  let open = true;
  const end = (): void => {
    if (open) socket.close();
    open = false;
  };
  socket.on('error', () => {
    end();
    refused();
  });
  socket.connect(port, host, () => {
    // RFC 5626 3.5.1: a keep-alive, which nobody answers over UDP.
    if (open) socket.send('\r\n\r\n');
  });
  return end;
};
