import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import { proxyAddress } from '../../src/config/network.ts';
import { domainOf, userOf } from '../../src/room/address.ts';
import { parseMember } from '../../src/room/parse-address.ts';
import { parseUri } from '../../src/sip/message/uri.ts';
import { nextHopOf } from '../../src/sip/transport/resolve.ts';
import { transports } from '../../src/sip/transport/transports.ts';
import { anyMember } from './arbitraries.ts';

const joined = (parts: fc.Arbitrary<string>, least: number, most: number): fc.Arbitrary<string> =>
  fc.array(parts, { minLength: least, maxLength: most }).map((all) => all.join(''));
const letters = [...'ABCXYZabcxyz0123456789'];
/** RFC 3261 25.1: unreserved and escapes; what may stand in a user besides; and in a parameter or header. */
const mark = [...letters, ..."-_.!~*'()", '%40', '%c3%A9', '%00'];
const user = joined(fc.constantFrom(...mark, ...'&=+$,;?/'), 1, 12);
/** RFC 3261 lets it be empty, npm `sip` does not. */
const password = joined(fc.constantFrom(...mark, ...'&=+$,'), 1, 6);
const word = joined(fc.constantFrom(...letters, '-', '%20'), 1, 6);

const host = fc.oneof(
  fc.domain(),
  fc.constantFrom('a', 'localhost', 'Example.ORG', 'a-b.c1', 'example.org.'),
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
);
const port = fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined });
/** How URIs ask for each transport that exists, and how they ask for none. */
const asked = fc.constantFrom(
  { scheme: 'sip', by: '' },
  ...Object.values(transports).flatMap(({ scheme, parameter }) => [
    { scheme, by: `;transport=${parameter}` },
    { scheme, by: `;transport=${parameter.toUpperCase()}` },
  ]),
);
const hostPort = fc.tuple(host, port).map(([at, number]) => (number === undefined ? at : `${at}:${number}`));

/** Any SIP URI that names a user (RFC 3261 19.1.1). */
const anyUri = fc
  .record({
    scheme: fc.constantFrom('sip:', 'sips:', 'SIP:', 'Sips:'),
    userinfo: fc.tuple(user, fc.option(password)).map(([name, word_]) => (word_ === null ? name : `${name}:${word_}`)),
    at: hostPort,
    parameters: fc.array(
      fc.tuple(word, word).map(([name, value]) => `;${name}=${value}`),
      { maxLength: 3 },
    ),
    headers: fc.option(fc.tuple(word, word).map(([name, value]) => `?${name}=${value}`)),
  })
  .map(({ scheme, userinfo, at, parameters, headers }) =>
    [scheme, userinfo, '@', at, ...parameters, headers ?? ''].join(''),
  );

const unescaped = (text: string): string =>
  text.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));

describe('a SIP URI is the same to all who read one', () => {
  it('a user in a message and in the domain: scheme, user and host', () => {
    fc.assert(
      fc.property(anyUri, (text) => {
        const inMessage = parseUri(text);
        const inDomain = parseMember(text, '');
        if (E.isLeft(inDomain)) return assert.equal(inDomain.left.reason, 'TooLong', text);
        assert.ok(inMessage !== undefined, text);
        const { uri, scheme } = inDomain.right;
        assert.equal(inMessage.scheme, scheme);
        assert.equal(unescaped(inMessage.user ?? ''), unescaped(userOf(uri)));
        assert.equal(inMessage.host, domainOf(uri).toLowerCase());
      }),
      { numRuns: 2_000 },
    );
  });

  it('the canonical URI of a user can be sent to: its host is the next hop', () => {
    fc.assert(
      fc.property(anyMember, (uri) => {
        const read = parseUri(uri);
        assert.equal(read?.host, domainOf(uri).toLowerCase());
        assert.equal(read?.user, userOf(uri));
      }),
    );
  });

  it('the outbound proxy in the configuration and in a message: host, port and transport', () => {
    fc.assert(
      fc.property(hostPort, asked, fc.constantFrom('', ';lr'), (at, { scheme, by }, lr) => {
        const text = `${scheme}:${at}${by}${lr}`;
        const option = proxyAddress.codec.decode(text);
        assert.ok(E.isRight(option), text);
        const { host: name, port: number, transport: name_ } = option.right;
        const hop = { host: name, port: number ?? transports[name_].defaultPort, transport: name_ };
        assert.deepEqual(nextHopOf(text), hop);
      }),
      { numRuns: 1_000 },
    );
  });
});
