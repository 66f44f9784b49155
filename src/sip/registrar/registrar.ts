import type { Clock } from '../../ports/clock.ts';
import { domainOf, type MemberKey, memberKey } from '../../room/address.ts';
import type { Address } from '../message/address.ts';
import { secondsOf } from '../message/grammar.ts';
import type { SipRequest } from '../message/message.ts';
import { parseUri } from '../message/uri.ts';
import { namedUser } from '../message/user.ts';
import { answer, badRequest, notFound, overloaded, type SipAnswer } from '../transaction/answer.ts';
import type { Resolver } from '../transport/resolve.ts';
import type { Source } from '../transport/transport.ts';
import type { Binding, Way } from './binding.ts';
import { contactIdentity, wayTo } from './contact.ts';
import type { Location } from './location.ts';

/**
 * The registrar (RFC 3261 10.3): what a REGISTER changes in a user's bindings, and how it is answered. Users register
 * themselves alone: From and To name the same one.
 */
export interface Registrar {
  /** Takes a REGISTER from a sender that is believed; answers once, and only when a kill would not lose what it says. */
  readonly register: (request: SipRequest, source: Source, answer: (answer: SipAnswer) => void) => void;
}

export interface RegistrarOptions {
  readonly clock: Clock;
  readonly location: Location;
  readonly resolver: Pick<Resolver, 'resolve'>;
  /** Domains served, in lower case. */
  readonly domains: ReadonlySet<string>;
  /** Is this host, as it stands in a URI, one of our own addresses? */
  readonly isOwnHost: (host: string) => boolean;
  /** Most bindings of one user, and over all. */
  readonly perUser?: number;
  readonly limit?: number;
}

/** Seconds: what is given to those who do not ask, the least and the most that is given to those who do. */
const usual = 3_600;
const least = 60;
const most = 7_200;
/** A contact goes into request lines and database rows. */
const longestContact = 512;

export const createRegistrar = (options: RegistrarOptions): Registrar => {
  const { clock, location, resolver, perUser = 10, limit = 200_000 } = options;

  /** All bindings of a user, each with what is left of its time (RFC 3261 10.3, step 8). */
  const listed = (key: MemberKey): SipAnswer => {
    const now = clock.now();
    const lines = location.bindingsOf(key).map(({ contact, q, expires }) => {
      const left = Math.max(1, Math.round((expires - now) / 1_000));
      return `Contact: <${contact}>${q === undefined ? '' : `;q=${q}`};expires=${left}\r\n`;
    });
    return answer(200, 'OK', lines.join(''));
  };

  const replace = (key: MemberKey, bindings: readonly Binding[], done: (answer: SipAnswer) => void): void =>
    location.replace(key, bindings, (written) =>
      done(written ? listed(key) : answer(500, 'The registration could not be written', 'Retry-After: 5\r\n')),
    );

  /** Binds these contacts (RFC 3261 10.3, step 7): all of them or none. */
  const bind = (
    key: MemberKey,
    request: SipRequest,
    located: readonly Located[],
    done: (answer: SipAnswer) => void,
  ): void => {
    const known = location.bindingsOf(key);
    const bindings = updated(known, request, located, clock.now());
    if ('status' in bindings) done(bindings);
    else if (bindings.length > perUser) done(answer(403, `Forbidden: more than ${perUser} contacts of one user`));
    else if (bindings.length > known.length && location.counters.bindings >= limit)
      done(overloaded(60, 'Too many users are registered'));
    else replace(key, bindings, done);
  };

  return {
    register: (request, source, done) => {
      const { contacts } = request;
      const key = userOf(request, options);
      if (typeof key !== 'string') return done(key);
      if (contacts === '*') {
        const wrong = starProblem(request, location.bindingsOf(key));
        return wrong === undefined ? replace(key, [], done) : done(wrong);
      }
      if (contacts.length === 0) return done(listed(key)); // 10.2.3: it only asks
      const wrong = contactProblem(contacts, request);
      if (wrong !== undefined) return done(wrong);
      locate(contacts, request, source, resolver, (located) => bind(key, request, located, done));
    },
  };
};

/** Whose bindings are meant; an answer where they are not ours to keep, or not the sender's. */
const userOf = (
  request: SipRequest,
  { domains, isOwnHost }: Pick<RegistrarOptions, 'domains' | 'isOwnHost'>,
): MemberKey | SipAnswer => {
  const domain = parseUri(request.uri)?.host;
  if (domain === undefined) return badRequest('Request-URI cannot be read');
  if (!domains.has(domain) && !isOwnHost(domain)) return notFound('This domain is not served here');
  const to = namedUser('To', request.to.uri);
  if ('status' in to) return badRequest(to.reason);
  if (!domains.has(domainOf(to.uri).toLowerCase())) return notFound('This domain is not served here');
  const from = namedUser('From', request.from.uri);
  if ('status' in from) return badRequest(from.reason);
  const key = memberKey(to.uri);
  return memberKey(from.uri) === key ? key : answer(403, 'Forbidden: From and To must name the same user');
};

/** A user's bindings after a REGISTER; an answer where it comes late. `now`: milliseconds since 1970. */
const updated = (
  known: readonly Binding[],
  request: SipRequest,
  located: readonly Located[],
  now: number,
): readonly Binding[] | SipAnswer => {
  const { callId, cseq } = request;
  const bindings = new Map(known.map((binding) => [binding.identity, binding]));
  for (const { contact, way } of located) {
    const seconds = secondsFor(contact, request);
    const identity = contactIdentity(contact.uri);
    if (comesLate(bindings.get(identity), request)) return outOfOrder;
    if (seconds === 0) {
      bindings.delete(identity);
      continue;
    }
    const expires = now + Math.min(seconds, most) * 1_000;
    const q = contact.params.get('q')?.match(/^[01](?:\.[0-9]{0,3})?$/)?.[0];
    bindings.set(identity, { contact: contact.uri, identity, callId, cseq, expires, q, ...way });
  }
  return [...bindings.values()];
};

/** A contact of a REGISTER, and the way to it. */
interface Located {
  readonly contact: Address;
  readonly way: Way;
}

/** Finds the way to each contact. Calls `found` once, when all are found. */
const locate = (
  contacts: readonly Address[],
  request: SipRequest,
  source: Source,
  resolver: Pick<Resolver, 'resolve'>,
  found: (located: readonly Located[]) => void,
): void => {
  const located: Located[] = [];
  let open = contacts.length;
  for (const [i, contact] of contacts.entries())
    wayTo(contact.uri, request, source, resolver, (way) => {
      located[i] = { contact, way };
      open -= 1;
      if (open === 0) found(located);
    });
};

/** Seconds that a contact asks for: its parameter, else the header, else the usual (RFC 3261 10.2.1.1, 10.3 step 7). */
const secondsFor = (contact: Address, request: SipRequest): number =>
  contact.params.has('expires') ? (secondsOf(contact.params.get('expires')) ?? usual) : (request.expires ?? usual);

/**
 * Has a later request of the same client changed this binding (RFC 3261 10.3, step 7)? The same CSeq is the same request
 * come again, after a restart or by another connection: it is answered as the first time.
 */
const comesLate = (known: Binding | undefined, { callId, cseq }: SipRequest): boolean =>
  known !== undefined && known.callId === callId && cseq < known.cseq;
const outOfOrder = badRequest('CSeq is lower than that of an earlier REGISTER with this Call-ID');

const contactProblem = (contacts: readonly Address[], request: SipRequest): SipAnswer | undefined => {
  for (const contact of contacts) {
    if (contact.uri === '*') return badRequest('Contact: * must stand alone');
    if (contact.uri.length > longestContact) return badRequest(`A Contact is longer than ${longestContact} bytes`);
    if (parseUri(contact.uri) === undefined || !/^[!-~]+$/.test(contact.uri))
      return badRequest('A Contact is no SIP URI');
    const seconds = secondsFor(contact, request);
    if (seconds > 0 && seconds < least) return answer(423, 'Interval Too Brief', `Min-Expires: ${least}\r\n`);
  }
  return undefined;
};

const starProblem = (request: SipRequest, known: readonly Binding[]): SipAnswer | undefined => {
  if (request.expires !== 0) return badRequest('Contact: * needs Expires: 0');
  return known.some((binding) => comesLate(binding, request)) ? outOfOrder : undefined;
};
