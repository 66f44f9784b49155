import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseAddress } from '../../../src/sip/message/address.ts';
import { parseRequest, parseResponse } from '../../../src/sip/message/grammar.ts';
import type { Malformation, SipRequest } from '../../../src/sip/message/message.ts';
import { parseUri } from '../../../src/sip/message/uri.ts';
import { type RequestParts, request, requestText } from '../support/requests.ts';

const malformed = (text: string): Malformation => {
  const parsed = parseRequest(Buffer.from(text, 'latin1'));
  assert.ok(parsed.kind === 'malformed', `taken as ${parsed.kind}`);
  return parsed.malformation;
};
const reasonFor = (parts: RequestParts): string => malformed(requestText(parts)).reason;

describe('a request that is right', () => {
  it('gives all that the server asks of it', () => {
    const parsed = request({
      with: { From: '"Al \\"ice" <sip:alice@localhost;x=y>;tag=a.b', 'Max-Forwards': '3', Expires: '60' },
      more: ['Route: <sip:192.0.2.1;lr>, <sip:p.example.org:5070;lr>', 'Contact: "a, b" <sip:a@h>;expires=5;q=0.5'],
    });
    assert.equal(parsed.method, 'MESSAGE');
    assert.equal(parsed.uri, 'sip:chat-1@localhost');
    assert.equal(parsed.from.uri, 'sip:alice@localhost;x=y');
    assert.equal(parsed.fromTag, 'a.b');
    assert.equal(parsed.toTag, undefined);
    assert.equal(parsed.cseq, 1);
    assert.equal(parsed.maxForwards, 3);
    assert.equal(parsed.expires, 60);
    assert.deepEqual(
      parsed.routes.map(({ uri }) => uri),
      ['sip:192.0.2.1;lr', 'sip:p.example.org:5070;lr'],
    );
    assert.ok(parsed.contacts !== '*');
    assert.deepEqual(
      [...(parsed.contacts[0]?.params ?? [])],
      [
        ['expires', '5'],
        ['q', '0.5'],
      ],
    );
    assert.equal(parsed.body.toString(), 'hello');
  });

  it('may use compact names, any case, folded lines, blanks before the colon, and empty lines before it', () => {
    const text = requestText({ with: { Via: undefined, From: undefined, To: undefined, 'Call-ID': undefined } });
    const compact = text.replace(
      'Max-Forwards: 70',
      'v: SIP/2.0/UDP\r\n 192.0.2.7:5070\r\n\t;branch=z9hG4bKx\r\nMAX-FORWARDS : 70\r\nf: <sip:alice@localhost>;tag=1\r\nt: <sip:chat-1@localhost>\r\ni: 1@x',
    );
    const parsed = parseRequest(Buffer.from(`\r\n\r\n${compact}`));
    assert.ok(parsed.kind === 'request');
    assert.equal(parsed.request.topVia.branch, 'z9hG4bKx');
    assert.equal(parsed.request.topVia.port, 5070);
    assert.equal(parsed.request.callId, '1@x');
  });

  it('keeps the order of Via values, over lines and commas', () => {
    const more = ['Via: SIP/2.0/UDP b;branch=2, SIP/2.0/TCP [2001:db8::1]:5080;branch=3', 'v: SIP/2.0/UDP d'];
    assert.deepEqual(
      request({ more }).vias.map((via) => via.replace(/^SIP\/2.0\/\S+ /, '')),
      ['192.0.2.7:5070;branch=z9hG4bK1', 'b;branch=2', '[2001:db8::1]:5080;branch=3', 'd'],
    );
  });

  it('takes Contact: * as what it is', () => {
    assert.equal(request({ method: 'REGISTER', more: ['Contact: *'] }).contacts, '*');
  });

  it('has a body as long as Content-Length says, and what follows is not part of it', () => {
    assert.equal(request({ body: 'hello world', with: { 'Content-Length': '5' } }).body.toString(), 'hello');
    assert.equal(request({ with: { 'Content-Length': undefined } }).body.toString(), 'hello');
  });

  it('may look as RFC 4475 3.1.1.1 shows it', () => {
    const text = [
      'INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0',
      'TO :',
      ' sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n',
      'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>',
      '  ;',
      '  tag = 98asjd8',
      'MaX-fOrWaRdS: 0068',
      'Call-ID: wsinv.ndaksdj@192.0.2.1',
      'cseq: 0009',
      '  INVITE',
      'Via  : SIP  /   2.0',
      ' /UDP',
      '    192.0.2.2;branch=390skdjuw',
      's :',
      'UnknownHeaderWithUnusualValue: ;;,,;;,;',
      'Route:',
      ' <sip:services.example.com;lr;unknownwith=value;unknown-no-value>',
      'v:  SIP  / 2.0  / TCP     spindle.example.com   ;',
      '  branch  =   z9hG4bK9ikj8  ,',
      ' SIP  /    2.0   / UDP  192.168.255.111   ; branch=',
      ' z9hG4bK30239',
      'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =',
      '      newvalue ;',
      '  secondparam ; q = 0.33',
      'Content-Length   : 0',
      '',
      '',
    ].join('\r\n');
    const parsed = parseRequest(Buffer.from(text));
    assert.ok(parsed.kind === 'request', JSON.stringify(parsed));
    const { request: found } = parsed;
    assert.equal(found.toTag, '1918181833n');
    assert.equal(found.fromTag, '98asjd8');
    assert.equal(found.from.uri, 'sip:jdrosen@example.com');
    assert.equal(found.maxForwards, 68);
    assert.equal(found.cseq, 9);
    assert.equal(found.vias.length, 3);
    assert.equal(found.topVia.branch, '390skdjuw');
    assert.ok(found.contacts !== '*');
    assert.equal(found.contacts[0]?.params.get('q'), '0.33');
  });

  it('is not confused by header names that JavaScript knows', () => {
    const parsed = request({ more: ['__proto__: x', 'constructor: y', 'hasOwnProperty: z', 'toString: a'] });
    assert.equal(parsed.fromTag, 'from1');
    assert.equal(Object.getPrototypeOf(parsed), Object.prototype);
  });
});

describe('a malformed request', () => {
  const cases: readonly (readonly [string, RequestParts, RegExp])[] = [
    ['no From', { with: { From: undefined } }, /No From/],
    ['no CSeq', { with: { CSeq: undefined } }, /No CSeq/],
    ['two From', { more: ['f: <sip:bob@localhost>;tag=2'] }, /More than one From/],
    ['two Content-Length', { more: ['l: 5'] }, /More than one Content-Length/],
    ['From without a URI', { with: { From: '"Alice";tag=1' } }, /From cannot be read/],
    ['From with an open quote', { with: { From: '"Alice <sip:alice@localhost>;tag=1' } }, /From cannot be read/],
    ['From with an open bracket', { with: { From: '<sip:alice@localhost;tag=1' } }, /From cannot be read/],
    ['CSeq of another method', { with: { CSeq: '1 REGISTER' } }, /CSeq names another method/],
    ['CSeq too large', { with: { CSeq: '2147483648 MESSAGE' } }, /CSeq/],
    ['Call-ID with a blank', { with: { 'Call-ID': 'a b' } }, /Call-ID/],
    ['Content-Length that is more than there is', { with: { 'Content-Length': '6' } }, /says 6, the body has 5/],
    ['Content-Length that is no number', { with: { 'Content-Length': '-1' } }, /Content-Length is no number/],
    ['Max-Forwards that is no number', { with: { 'Max-Forwards': 'x' } }, /Max-Forwards/],
    ['a Via further down that is left open', { more: ['Via: SIP/2.0/UDP a;x=", SIP/2.0/UDP b'] }, /Via cannot be read/],
    ['a line without a colon', { more: ['nonsense'] }, /Header line 9 has no name/],
    ['a NUL in a header', { more: ['Subject: a\0b'] }, /control character/],
    ['a line feed alone', { more: ['Subject: a\nb'] }, /control character/],
    ['201 lines', { more: Array.from({ length: 201 }, () => 'X: y') }, /More than 200 header lines/],
    ['a Contact that is none', { more: ['Contact: <>'] }, /Contact cannot be read/],
    ['a Request-URI that is none', { uri: 'chat-1', with: { To: '<sip:chat-1@localhost>' } }, /Request-URI is no URI/],
    ['a Request-URI in brackets', { uri: '<sip:c@l>', with: { To: '<sip:c@l>' } }, /Request-URI is no URI/],
  ];
  for (const [title, parts, reason] of cases) it(title, () => assert.match(reasonFor(parts), reason));

  it('can be answered where it has what an answer needs', () => {
    assert.equal(malformed(requestText({ with: { CSeq: 'x' } })).answerable?.callId, 'call1@192.0.2.7');
    assert.equal(malformed(requestText({ with: { CSeq: undefined } })).answerable, undefined);
    assert.equal(malformed(requestText({ with: { Via: 'SIP/2.0/UDP' } })).answerable, undefined);
    assert.equal(malformed('nonsense').answerable, undefined);
  });

  it('of another SIP version is answered 505, one with an endless URI 414', () => {
    assert.equal(malformed(requestText().replace(' SIP/2.0', ' SIP/3.0')).status, 505);
    assert.equal(malformed(requestText({ uri: `sip:a@${'b'.repeat(2_100)}` })).status, 414);
  });

  it('is never answered where it is an ACK or a response', () => {
    assert.equal(malformed(requestText({ method: 'ACK', with: { CSeq: '1 INVITE' } })).answerable, undefined);
    assert.equal(malformed(requestText().replace(/^.*\r\n/, 'SIP/2.0 2000 OK\r\n')).answerable, undefined);
  });

  it('is a keep-alive where it is line ends alone', () => {
    assert.equal(parseRequest(Buffer.from('\r\n\r\n')).kind, 'keep-alive');
    assert.equal(parseRequest(Buffer.from('')).kind, 'keep-alive');
  });
});

describe('a header line built to make expressions slow', () => {
  const evil: Readonly<Record<string, string>> = {
    words: 'a '.repeat(30_000),
    blanks: `${' '.repeat(60_000)}x`,
    quotes: `"${'\\a'.repeat(30_000)}`,
    'open brackets': '<'.repeat(60_000),
    commas: ','.repeat(60_000),
    'open parameters': ';a="'.repeat(15_000),
    parameters: `<sip:a@b>${';a=b'.repeat(15_000)} "`,
    'blanks and semicolons': `<sip:a@b>${'  ;  a  '.repeat(7_500)}=`,
    colons: `sip:${'a:'.repeat(30_000)}`,
    ats: `sip:a${'@'.repeat(60_000)}`,
    Vias: `SIP / 2.0 / UDP a ${'; a '.repeat(14_000)}"`,
    'uri parameters': `<sip:a@b${';a=b=c'.repeat(10_000)} >`,
  };
  const headers = [
    'From',
    'To',
    'Via',
    'Contact',
    'Route',
    'Require',
    'Call-ID',
    'CSeq',
    'Content-Type',
    'Subject',
    'x'.repeat(60_000),
  ];
  /** Milliseconds of this thread's own on the processor, in the best of some tries: what other programs take does not count. */
  const fastest = (bytes: Buffer): number => {
    let best = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < 6 && best >= 5; tries += 1) {
      const from = process.threadCpuUsage();
      parseRequest(bytes);
      const { user, system } = process.threadCpuUsage(from);
      best = Math.min(best, (user + system) / 1_000);
    }
    return best;
  };
  for (const [kind, whole] of Object.entries(evil))
    it(`${kind}: costs less than 5 ms in any header, at 60 KiB and at the most that is parsed`, () => {
      for (const value of [whole, whole.slice(0, 8_150), whole.slice(0, 2_000)])
        for (const header of headers) {
          const bytes = Buffer.from(requestText({ with: { [header]: value } }), 'latin1');
          const ms = fastest(bytes);
          assert.ok(ms < 5, `${header.slice(0, 20)}: ${value.length} characters took ${ms} ms`);
        }
    });

  it('is refused by its length, and the request can still be answered', () => {
    const { reason, answerable } = malformed(requestText({ more: [`Subject: ${'a '.repeat(30_000)}`] }));
    assert.match(reason, /Header of \d+ bytes/);
    assert.ok(answerable !== undefined);
    assert.match(reasonFor({ more: [`Subject: ${'a '.repeat(5_000)}`] }), /longer than 8192/);
  });
});

describe('URIs', () => {
  it('have a scheme and names of hosts and parameters in any case', () => {
    const uri = parseUri('SIPS:Alice%20B;x@Example.ORG:5061;Transport=TCP;lr?subject=x');
    assert.equal(uri?.scheme, 'sips');
    assert.equal(uri.user, 'Alice%20B;x');
    assert.equal(uri.host, 'example.org');
    assert.equal(uri.port, 5061);
    assert.deepEqual(
      [...uri.params],
      [
        ['transport', 'TCP'],
        ['lr', ''],
      ],
    );
  });
  it('may hold an IPv6 address', () => {
    const uri = parseUri('sip:a@[2001:DB8::1]:5070;lr');
    assert.equal(uri?.host, '[2001:db8::1]');
    assert.equal(uri.port, 5070);
    assert.equal(parseUri('sip:[::1]')?.user, undefined);
    assert.equal(parseUri('sip:a@[::zz]'), undefined);
  });
  it('are refused where they are none', () => {
    for (const text of ['tel:+4930', 'alice@localhost', 'sip:', 'sip:a@', 'sip:a@b:0', 'sip:a@b:65536', 'sip:a b@c'])
      assert.equal(parseUri(text), undefined, text);
  });
});

describe('the grammar', () => {
  const line = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.constantFrom('Via: SIP/2.0/UDP a', 'From: <sip:a@b>;tag=1', 'To: <sip:a@b>', 'Call-ID: 1', 'CSeq: 1 MESSAGE'),
    fc
      .tuple(fc.constantFrom('f', 'Via', 'Contact', 'CSeq', 'l'), fc.string({ unit: 'binary' }))
      .map((p) => p.join(':')),
  );
  it('never throws, whatever bytes come', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), fc.uint8Array({ maxLength: 50 }), (lines, tail) => {
        const text = Buffer.from(['MESSAGE sip:a@b SIP/2.0', ...lines, '', ''].join('\r\n'), 'latin1');
        parseRequest(Buffer.concat([text, tail]));
        parseResponse(Buffer.concat([Buffer.from('SIP/2.0 200 OK\r\n'), text, tail]));
        parseRequest(Buffer.from(tail));
      }),
    );
  });

  it('reads an address in either form, and its parameters', () => {
    const one: SipRequest['from'] | undefined = parseAddress('sip:alice@host;tag=1');
    assert.equal(one?.uri, 'sip:alice@host');
    assert.equal(one.params.get('tag'), '1');
    assert.equal(
      parseAddress('Mr. A <sip:a@h>;expires = 5 ; +sip.instance="<urn:uuid:1>"')?.params.get('+sip.instance'),
      '<urn:uuid:1>',
    );
  });

  it('reads a response', () => {
    const response = parseResponse(
      Buffer.from(
        'SIP/2.0 423 Interval Too Brief\r\nTo: <sip:a@b>;tag=x\r\nMin-Expires: 60\r\nContact: <sip:a@h>;expires=7\r\n\r\n',
      ),
    );
    assert.equal(response?.status, 423);
    assert.equal(response.reason, 'Interval Too Brief');
    assert.equal(response.minExpires, 60);
    assert.equal(response.contacts[0]?.params.get('expires'), '7');
  });
});
