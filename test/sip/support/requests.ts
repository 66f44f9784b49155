import assert from 'node:assert/strict';
import { parseRequest } from '../../../src/sip/message/grammar.ts';
import type { SipRequest } from '../../../src/sip/message/message.ts';
import type { Source } from '../../../src/sip/transport/transport.ts';

/** Requests as text, for tests. A header of `with` replaces the usual one of that name; undefined leaves it out. */
export interface RequestParts {
  readonly method?: string;
  readonly uri?: string;
  readonly branch?: string;
  readonly with?: Readonly<Record<string, string | undefined>>;
  /** Whole lines behind the others, without CRLF. */
  readonly more?: readonly string[];
  readonly body?: string;
}

export const requestText = ({
  method = 'MESSAGE',
  uri = 'sip:chat-1@localhost',
  branch = 'z9hG4bK1',
  ...rest
}: RequestParts = {}): string => {
  const body = rest.body ?? (method === 'MESSAGE' ? 'hello' : '');
  const headers: Record<string, string | undefined> = {
    Via: `SIP/2.0/UDP 192.0.2.7:5070;branch=${branch}`,
    'Max-Forwards': '70',
    From: '<sip:alice@localhost>;tag=from1',
    To: `<${uri}>`,
    'Call-ID': 'call1@192.0.2.7',
    CSeq: `1 ${method}`,
    ...(body === '' ? {} : { 'Content-Type': 'text/plain' }),
    'Content-Length': String(Buffer.byteLength(body)),
    ...rest.with,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return `${method} ${uri} SIP/2.0\r\n${[...lines, ...(rest.more ?? [])].join('\r\n')}\r\n\r\n${body}`;
};

/** The request, parsed; fails the test where it cannot be. */
export const request = (parts: RequestParts = {}): SipRequest => {
  const parsed = parseRequest(Buffer.from(requestText(parts), 'utf8'));
  assert.equal(parsed.kind, 'request', parsed.kind === 'malformed' ? parsed.malformation.reason : '');
  assert.ok(parsed.kind === 'request');
  return parsed.request;
};

export const udpSource = (host = '192.0.2.7', port = 5070): Source => ({
  transport: 'udp',
  host,
  port,
  flow: { id: 1, transport: 'udp', local: { host: '192.0.2.1', port: 5060 }, open: true },
});

/** A connection whose end the test decides. */
export const tcpSource = (host = '192.0.2.7', port = 40_000): Source & { flow: { open: boolean } } => ({
  transport: 'tcp',
  host,
  port,
  flow: { id: 7, transport: 'tcp', local: { host: '192.0.2.1', port: 5060 }, open: true },
});
