import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { isAnyAddress, isLoopback, splitHostPort } from '../../net/address.ts';
import type { Clock } from '../../ports/clock.ts';

/** What stands between a web page, or a stranger, and the management interface. */

export interface GuardOptions {
  /** The address listened on. */
  readonly host: string;
  /** Other names that callers may know us by, lower case: our domains, the host's name, the advertised one. */
  readonly names: ReadonlySet<string>;
  readonly token: string | undefined;
  readonly clock: Clock;
}

/** Why a request is not taken; `message` is a sentence for the caller. */
export interface Rejection {
  readonly status: 400 | 401 | 403 | 415 | 429;
  readonly message: string;
}

export interface Guard {
  /** Is the Host ours, and no other site's page behind it? DNS rebinding brings a foreign Host, any page its Origin. */
  readonly site: (request: IncomingMessage) => Rejection | undefined;
  /** A page can send text/plain and forms to anybody without asking; application/json it cannot. */
  readonly contentType: (request: IncomingMessage) => Rejection | undefined;
  /** The token; a wrong one is answered after a second. */
  readonly token: (request: IncomingMessage) => Promise<Rejection | undefined>;
  readonly counters: { wrongTokens: number; foreign: number };
}

/** Delay of the answer to a wrong token, and how many may wait at once; beyond, 429 at once. */
const slowMs = 1_000;
const mostSlowed = 32;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export const createGuard = ({ host, names, token, clock }: GuardOptions): Guard => {
  const counters = { wrongTokens: 0, foreign: 0 };
  const wildcard = isAnyAddress(host);
  const wanted = token === undefined ? undefined : digest(token);
  let slowed = 0;

  const isOurs = (name: string, request: IncomingMessage): boolean => {
    if (name === host.toLowerCase() || name === 'localhost' || names.has(name)) return true;
    if (isIP(name) === 0) return false;
    // An address cannot be rebound; behind a port mapping it is not one of this machine's.
    return wildcard || name === request.socket.localAddress || isLoopback(name);
  };

  const foreign = (message: string): Rejection => {
    counters.foreign += 1;
    return { status: 403, message };
  };

  const site = (request: IncomingMessage): Rejection | undefined => {
    const name = splitHostPort(request.headers.host ?? '')?.host.toLowerCase();
    if (name === undefined) return { status: 400, message: 'the Host header is missing or is none' };
    if (!isOurs(name, request)) return foreign('the Host header names another host than this one');
    const { origin } = request.headers;
    if (origin !== undefined && !isSame(origin, request.headers.host ?? '')) {
      return foreign('requests from web pages of other sites are not taken (Origin)');
    }
    const fetchSite = request.headers['sec-fetch-site'];
    if (fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none') {
      return foreign('requests from web pages of other sites are not taken (Sec-Fetch-Site)');
    }
    return undefined;
  };

  return {
    counters,
    site,
    contentType: (request) =>
      /^application\/json\s*(?:;|$)/i.test(request.headers['content-type'] ?? '')
        ? undefined
        : { status: 415, message: 'the Content-Type must be application/json' },
    token: async (request) => {
      if (wanted === undefined) return undefined;
      const given = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
      if (given !== undefined && timingSafeEqual(digest(given), wanted)) return undefined;
      counters.wrongTokens += 1;
      if (slowed >= mostSlowed) return { status: 429, message: 'too many wrong tokens at once' };
      slowed += 1;
      await new Promise<void>((resolve) => clock.after(slowMs, resolve));
      slowed -= 1;
      return { status: 401, message: 'the token of mi.token is needed: Authorization: Bearer TOKEN' };
    },
  };
};

const isSame = (origin: string, host: string): boolean =>
  URL.canParse(origin) && new URL(origin).host === URL.parse(`${new URL(origin).protocol}//${host}`)?.host;
