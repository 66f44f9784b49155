import { type Address, parseAddress } from './address.ts';
import { cutHead, type MessageHead, splitList } from './head.ts';
import type { Answerable, ParsedRequest, Problem, SipRequest, SipResponse } from './message.ts';
import { longestUri, schemeOf } from './uri.ts';
import { parseVia, type Via } from './via.ts';

/**
 * Whole messages: bytes in, a request, a response or what is wrong with them out (RFC 3261 7, 8.2, 25). `head.ts` cuts the
 * header lines; which of them have to be there, and what may stand in them, is said here.
 */

const requestLine = /^([A-Za-z0-9\-.!%*_+`'~]{1,64}) (\S+) SIP\/([0-9]{1,5}\.[0-9]{1,5})$/i;
const callIdForm = /^[^\s@]+(?:@[^\s@]+)?$/;

/** One whole message that is no response. Never throws. */
export const parseRequest = (bytes: Buffer): ParsedRequest => {
  const head = cutHead(bytes);
  if (head.start === '' && head.headers.size === 0) return { kind: 'keep-alive' };
  const line = requestLine.exec(head.start);
  const one = (name: string): string | undefined => head.headers.get(name)?.[0];
  const method = line?.[1] ?? /\s(\S+)$/.exec((one('cseq') ?? '').slice(0, 200))?.[1] ?? '';
  const vias = viasOf(head);
  const base = answerableOf(head, method, vias);
  const malformed = (problem: Problem): ParsedRequest => ({
    kind: 'malformed',
    malformation: { ...problem, answerable: method === 'ACK' || head.start.startsWith('SIP/') ? undefined : base },
  });
  const bad = (reason: string): ParsedRequest => malformed({ status: 400, reason });

  if (base === undefined || vias === undefined) return bad(head.problem?.reason ?? missing(head));
  if (head.problem !== undefined) return malformed(head.problem);
  if (line === null) return bad('Request line is not METHOD URI SIP/2.0');
  const [, , uri = '', version = ''] = line;
  if (version !== '2.0') return malformed({ status: 505, reason: 'Version Not Supported: imcd speaks SIP/2.0' });
  if (uri.length > longestUri)
    return malformed({ status: 414, reason: `Request-URI is longer than ${longestUri} bytes` });
  if (schemeOf(uri) === undefined || /[<>"]/.test(uri)) return bad('Request-URI is no URI');

  const from = parseAddress(base.fromText);
  if (from === undefined) return bad('From cannot be read');
  const to = parseAddress(base.toText);
  if (to === undefined) return bad('To cannot be read');
  if (base.callId.length > 512 || !callIdForm.test(base.callId)) return bad('Call-ID cannot be read');
  const cseq = /^([0-9]{1,10})\s+(\S+)$/.exec(base.cseqText);
  if (cseq === null || Number(cseq[1]) >= 2 ** 31) return bad('CSeq is not a number below 2^31 and a method');
  if (cseq[2] !== method) return bad(`CSeq names another method than the request line`);

  const contactItems = listOf(head, 'contact');
  const star = contactItems?.length === 1 && contactItems[0] === '*';
  const contacts = contactItems === undefined || star ? [] : addressesOf(contactItems);
  if (contactItems === undefined || contacts === undefined) return bad('Contact cannot be read');
  const routes = addressesOf(listOf(head, 'route') ?? ['']);
  if (routes === undefined) return bad('Route cannot be read');
  const require = listOf(head, 'require');
  if (require === undefined) return bad('Require cannot be read');
  const codings = listOf(head, 'content-encoding');
  if (codings === undefined) return bad('Content-Encoding cannot be read');
  const forwards = one('max-forwards');
  if (forwards !== undefined && !/^[0-9]{1,5}$/.test(forwards)) return bad('Max-Forwards is no number');
  const body = bodyOf(bytes, head);
  if (body === undefined) return bad(bodyProblem(bytes, head));

  const request: SipRequest = {
    ...base,
    uri,
    from,
    fromTag: from.params.get('tag') ?? '',
    to,
    toTag: to.params.get('tag'),
    cseq: Number(cseq[1]),
    maxForwards: forwards === undefined ? undefined : Number(forwards),
    contacts: star ? '*' : contacts,
    routes,
    expires: secondsOf(one('expires')),
    require,
    contentType: one('content-type'),
    contentEncoding: codings.map((coding) => coding.toLowerCase()).filter((coding) => coding !== 'identity'),
    contentDisposition: one('content-disposition'),
    authorization: head.headers.get('authorization') ?? [],
    proxyAuthorization: head.headers.get('proxy-authorization') ?? [],
    body,
  };
  return { kind: 'request', request };
};

/** A response's status, and of its header what a registering client looks at; undefined where it cannot be read. */
export const parseResponse = (bytes: Buffer): SipResponse | undefined => {
  const head = cutHead(bytes);
  const line = /^SIP\/2\.0 ([1-6][0-9]{2})(?: (.*))?$/i.exec(head.start);
  if (line === null || head.problem !== undefined) return undefined;
  const one = (name: string): string | undefined => head.headers.get(name)?.[0];
  return {
    status: Number(line[1]),
    reason: Buffer.from(line[2] ?? '', 'latin1').toString('utf8'),
    toTag: parseAddress(one('to') ?? '')?.params.get('tag'),
    contacts: addressesOf(listOf(head, 'contact') ?? []) ?? [],
    expires: secondsOf(one('expires')),
    minExpires: secondsOf(one('min-expires')),
    retryAfter: secondsOf(/^[0-9]+/.exec(one('retry-after') ?? '')?.[0]),
    wwwAuthenticate: head.headers.get('www-authenticate') ?? [],
    proxyAuthenticate: head.headers.get('proxy-authenticate') ?? [],
  };
};

/** delta-seconds (RFC 3261 25.1), no more than 2^32-1; undefined where the text is no number. */
export const secondsOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^[0-9]{1,100}$/.test(text) ? Math.min(Number(text), 2 ** 32 - 1) : undefined;

const viasOf = (head: MessageHead): { readonly texts: readonly string[]; readonly top: Via } | undefined => {
  const texts = listOf(head, 'via');
  const top = texts === undefined ? undefined : parseVia((texts[0] ?? '').slice(0, 4_096));
  return texts === undefined || top === undefined ? undefined : { texts, top };
};

/** All items of a header, over its lines; empty where it is missing; undefined where one cannot be cut. */
const listOf = (head: MessageHead, name: string): readonly string[] | undefined => {
  const values = head.headers.get(name);
  if (values === undefined) return [];
  if (values.length === 1) return splitList(values[0] ?? '');
  const items: string[] = [];
  for (const value of values) {
    const some = splitList(value);
    if (some === undefined) return undefined;
    items.push(...some);
  }
  return items;
};

const addressesOf = (items: readonly string[]): readonly Address[] | undefined => {
  const addresses: Address[] = [];
  for (const item of items) {
    const address = parseAddress(item);
    if (address === undefined) return undefined;
    addresses.push(address);
  }
  return addresses;
};

const answerableOf = (
  head: MessageHead,
  method: string,
  vias: { readonly texts: readonly string[]; readonly top: Via } | undefined,
): Answerable | undefined => {
  const [fromText, toText, callId, cseqText] = ['from', 'to', 'call-id', 'cseq'].map((n) => head.headers.get(n)?.[0]);
  if (vias === undefined || !fromText || !toText || !callId || !cseqText || method === '') return undefined;
  const timestamp = head.headers.get('timestamp')?.[0];
  // Only to know whether an answer needs a tag of ours; a To that cannot be read is found later.
  const toTag = /;\s*tag\s*=\s*([A-Za-z0-9\-.!%*_+`'~]+)/i.exec(toText.slice(0, 4_096))?.[1];
  return { method, vias: vias.texts, topVia: vias.top, fromText, toText, toTag, callId, cseqText, timestamp };
};

const missing = (head: MessageHead): string => {
  for (const name of ['Via', 'From', 'To', 'Call-ID', 'CSeq']) {
    const value = head.headers.get(name.toLowerCase())?.[0];
    if (!value) return `No ${name} header`;
  }
  return 'Via cannot be read';
};

/** RFC 3261 18.3: as long as Content-Length says; what follows is discarded. Undefined where that is wrong. */
const bodyOf = (bytes: Buffer, head: MessageHead): Buffer | undefined => {
  const length = head.headers.get('content-length')?.[0];
  if (length === undefined) return bytes.subarray(head.bodyAt);
  if (!/^[0-9]{1,9}$/.test(length)) return undefined;
  const end = head.bodyAt + Number(length);
  return end > bytes.length ? undefined : bytes.subarray(head.bodyAt, end);
};

const bodyProblem = (bytes: Buffer, head: MessageHead): string => {
  const length = head.headers.get('content-length')?.[0] ?? '';
  return /^[0-9]{1,9}$/.test(length)
    ? `Content-Length says ${length}, the body has ${bytes.length - head.bodyAt} bytes`
    : 'Content-Length is no number';
};
