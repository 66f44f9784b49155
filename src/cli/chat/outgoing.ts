import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type HostPort, showHostPort } from '../../net/address.ts';
import type { Ids } from '../../ports/ids.ts';
import { domainOf, type MemberUri, type RoomUri, userOf } from '../../room/address.ts';
import { digestAnswer } from '../../sip/message/digest.ts';
import { parseResponse } from '../../sip/message/grammar.ts';
import type { SipResponse } from '../../sip/message/message.ts';
import type { RequestSender } from '../../sip/transaction/client-request.ts';
import type { Target } from '../../sip/transport/transport.ts';
import { transports, uriParameterOf } from '../../sip/transport/transports.ts';

/** The requests of one user, REGISTER and MESSAGE, to one server; each is answered, or refused, or has no answer. */

/** Whose requests, and where they go to. */
export interface Sender {
  readonly aor: MemberUri;
  readonly password: string | undefined;
  /** The next hop of everything. */
  readonly server: Target;
  /** `imcd/VERSION`. */
  readonly product: string;
}

/** A request that was not answered with 2xx. */
export interface RequestFailure {
  /** Of the final answer; undefined where there is none. */
  readonly status: number | undefined;
  /** The answer's Reason-Phrase, or why there is none. */
  readonly reason: string;
}

/** No answer, and why. */
export const unanswered = (reason: string): RequestFailure => ({ status: undefined, reason });

/** Requests that share a Call-ID; the CSeq of each is one more than that of the one before (RFC 3261 8.1.1.5, 10.2.4). */
interface Call {
  readonly id: string;
  cseq: number;
}

/** What is this request's own. */
interface Outgoing {
  readonly method: 'REGISTER' | 'MESSAGE';
  /** The Request-URI. */
  readonly uri: string;
  readonly to: string;
  readonly headers: string;
  readonly body: string;
}

export class OutgoingRequests {
  readonly #from: Sender;
  readonly #ids: Ids;
  readonly #send: RequestSender['sendRequest'];
  readonly #local: HostPort;
  readonly #fromTag: string;
  readonly #registration: Call;

  /** @param local where answers and copies come to */
  constructor(from: Sender, ids: Ids, send: RequestSender['sendRequest'], local: HostPort) {
    this.#from = from;
    this.#ids = ids;
    this.#send = send;
    this.#local = local;
    this.#fromTag = ids.token();
    this.#registration = this.#newCall();
  }

  /** Registers for so many seconds; 0 ends the registration. Right: the seconds that the server gave. */
  register(seconds: number): TE.TaskEither<RequestFailure, number> {
    const { aor, server } = this.#from;
    const sentBy = showHostPort(this.#local);
    const contact = `<sip:${userOf(aor)}@${sentBy}${uriParameterOf(server.transport)}>`;
    const headers = `Contact: ${contact}\r\nExpires: ${seconds}\r\n`;
    return pipe(
      this.#request(
        { method: 'REGISTER', uri: `sip:${domainOf(aor)}`, to: aor, headers, body: '' },
        this.#registration,
      ),
      TE.map((response) => secondsGiven(response, sentBy)),
    );
  }

  message(to: RoomUri, body: string): TE.TaskEither<RequestFailure, SipResponse> {
    const headers = 'Content-Type: text/plain;charset=UTF-8\r\n';
    return this.#request({ method: 'MESSAGE', uri: to, to, headers, body }, this.#newCall());
  }

  #newCall(): Call {
    return { id: `${this.#ids.token()}@${this.#local.host}`, cseq: 0 };
  }

  /** Sends; where the server asks for a password, once more with it (RFC 3261 22.2, 22.3). */
  #request(request: Outgoing, call: Call): TE.TaskEither<RequestFailure, SipResponse> {
    const { password } = this.#from;
    return pipe(
      this.#transmit(request, call),
      TE.chain((response) =>
        isChallenge(response) && password !== undefined
          ? pipe(
              this.#withPassword(request, response, password),
              TE.fromEither,
              TE.chain((authorized) => this.#transmit(authorized, call)),
            )
          : TE.right(response),
      ),
      TE.filterOrElse(isSuccess, ({ status, reason }): RequestFailure => ({ status, reason })),
    );
  }

  #withPassword(request: Outgoing, response: SipResponse, password: string): E.Either<RequestFailure, Outgoing> {
    const { method, uri } = request;
    const proxy = response.status === 407;
    const credentials = { user: userOf(this.#from.aor), password, method, uri, cnonce: this.#ids.token() };
    const value = digestAnswer(proxy ? response.proxyAuthenticate : response.wwwAuthenticate, credentials);
    if (value === undefined) return E.left(unanswered('it asks for a password in a way imcd does not know'));
    const header = `${proxy ? 'Proxy-Authorization' : 'Authorization'}: ${value}\r\n`;
    return E.right({ ...request, headers: request.headers + header });
  }

  #transmit(request: Outgoing, call: Call): TE.TaskEither<RequestFailure, SipResponse> {
    return () => {
      call.cseq += 1;
      const { cseq } = call;
      return new Promise((done) => {
        const build = (branch: string) => this.#bytes(request, call.id, cseq, branch);
        this.#send(this.#from.server, build, {
          onResponse: (_, bytes) =>
            done(E.fromNullable(unanswered('an answer that cannot be read'))(parseResponse(bytes))),
          onFailure: (reason) => done(E.left(unanswered(reason))),
        });
      });
    };
  }

  #bytes({ method, uri, to, headers, body }: Outgoing, callId: string, cseq: number, branch: string): Buffer {
    const { aor, server, product } = this.#from;
    const via = `SIP/2.0/${transports[server.transport].via} ${showHostPort(this.#local)};rport;branch=${branch}`;
    const head =
      `${method} ${uri} SIP/2.0\r\nVia: ${via}\r\nMax-Forwards: 70\r\nFrom: <${aor}>;tag=${this.#fromTag}\r\n` +
      `To: <${to}>\r\nCall-ID: ${callId}\r\nCSeq: ${cseq} ${method}\r\nUser-Agent: ${product}\r\n${headers}` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
    return Buffer.from(head + body, 'utf8');
  }
}

const isChallenge = ({ status }: SipResponse): boolean => status === 401 || status === 407;
const isSuccess = ({ status }: SipResponse): boolean => status >= 200 && status < 300;

/** What the server gave our contact; where it shows none, an hour (RFC 3261 10.2.1.1). */
const secondsGiven = (response: SipResponse, sentBy: string): number => {
  const ours = response.contacts.find(({ uri }) => uri.includes(`@${sentBy}`));
  const seconds = Number(ours?.params.get('expires') ?? response.expires ?? 3_600);
  return Number.isFinite(seconds) ? seconds : 3_600;
};
