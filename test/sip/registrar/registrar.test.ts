import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { MemberKey } from '../../../src/room/address.ts';
import { MemberUri, memberKey } from '../../../src/room/address.ts';
import { type Location, openLocation } from '../../../src/sip/registrar/location.ts';
import { createRegistrar, type Registrar } from '../../../src/sip/registrar/registrar.ts';
import type { SipAnswer } from '../../../src/sip/transaction/answer.ts';
import { createResolver } from '../../../src/sip/transport/resolve.ts';
import type { Source } from '../../../src/sip/transport/transport.ts';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { recordingLog } from '../../support/world.ts';
import { type RequestParts, request, tcpSource, udpSource } from '../support/requests.ts';

let clock: FakeClock;
let location: Location;
let registrar: Registrar;
let cseq: number;

const keyOf = (uri: string): MemberKey => {
  assert.ok(MemberUri.is(uri));
  return memberKey(uri);
};
const alice = keyOf('sip:alice@localhost');

beforeEach(() => {
  clock = createFakeClock();
  cseq = 0;
  location = openLocation({ clock, log: recordingLog(), file: undefined });
  const lookup = (host: string, found: (addresses: readonly { address: string; family: number }[]) => void): void =>
    found(host === 'pc.example.org' ? [{ address: '198.51.100.20', family: 4 }] : []);
  registrar = createRegistrar({
    clock,
    location,
    resolver: createResolver({ clock, usable: () => true, lookup }),
    domains: new Set(['localhost', 'imc.test']),
    isOwnHost: (host) => host === '192.0.2.1',
    perUser: 3,
    limit: 5,
  });
});

/** A REGISTER of alice with these Contact and Expires lines, each with the next CSeq. */
const register = (more: readonly string[], parts: RequestParts = {}, source: Source = udpSource()): SipAnswer => {
  cseq += 1;
  const answers: SipAnswer[] = [];
  const text: RequestParts = {
    method: 'REGISTER',
    uri: 'sip:localhost',
    more,
    ...parts,
    with: { To: '<sip:alice@localhost>', CSeq: `${cseq} REGISTER`, ...parts.with },
  };
  registrar.register(request(text), source, (answer) => answers.push(answer));
  assert.equal(answers.length, 1);
  return answers[0] ?? assert.fail();
};
const contacts = (key = alice): readonly string[] => location.reachable(key).map(({ contact }) => contact);
const targets = (): readonly string[] =>
  location
    .reachable(alice)
    .map(
      ({ target }) => `${target.transport}:${target.host}:${target.port}${target.flow === undefined ? '' : ' flow'}`,
    );

describe('a REGISTER (RFC 3261 10.3)', () => {
  it('binds a contact, and the answer lists all with what is left of their time', () => {
    assert.match(
      register(['Contact: <sip:a@192.0.2.7:5070>', 'Expires: 100']).headers,
      /^Contact: <sip:a@192.0.2.7:5070>;expires=100\r\n$/,
    );
    clock.advance(40_000);
    const answer = register(['Contact: <sip:b@192.0.2.7>;expires=70;q=0.5']);
    assert.equal(answer.status, 200);
    assert.equal(
      answer.headers,
      'Contact: <sip:a@192.0.2.7:5070>;expires=60\r\nContact: <sip:b@192.0.2.7>;q=0.5;expires=70\r\n',
    );
    assert.deepEqual(contacts(), ['sip:a@192.0.2.7:5070', 'sip:b@192.0.2.7']);
  });

  it('takes several contacts, in one line or more', () => {
    register(['Contact: <sip:a@192.0.2.7>, <sip:b@192.0.2.7>;expires=60', 'm: sip:c@192.0.2.7']);
    assert.deepEqual(contacts(), ['sip:a@192.0.2.7', 'sip:b@192.0.2.7', 'sip:c@192.0.2.7']);
  });

  it('asks for the list where it has no contact', () => {
    register(['Contact: <sip:a@192.0.2.7>']);
    assert.match(register([]).headers, /^Contact: <sip:a@192.0.2.7>;expires=3600\r\n$/);
  });

  it('renews a contact that is the same by RFC 3261 19.1.4', () => {
    register(['Contact: <sip:a%61@h.example;transport=UDP;x=1>']);
    register(['Contact: <sip:aa@H.Example;x=1;transport=udp>']);
    assert.deepEqual(contacts(), ['sip:aa@H.Example;x=1;transport=udp']);
    register(['Contact: <sip:aa@h.example:5060;x=1;transport=udp>', 'Contact: <sip:AA@h.example>']);
    assert.equal(contacts().length, 3);
  });

  it('ends a binding with expires=0, all of them with * and Expires: 0', () => {
    register(['Contact: <sip:a@192.0.2.7>, <sip:b@192.0.2.7>']);
    assert.match(register(['Contact: <sip:a@192.0.2.7>;expires=0']).headers, /^Contact: <sip:b@[^\r]*\r\n$/);
    assert.equal(register(['Contact: *']).status, 400);
    assert.equal(register(['Contact: *', 'Expires: 60']).status, 400);
    assert.deepEqual(contacts(), ['sip:b@192.0.2.7']);
    assert.deepEqual(register(['Contact: *', 'Expires: 0']), { status: 200, reason: 'OK', headers: '' });
    assert.deepEqual(contacts(), []);
  });

  it('gives 423 with Min-Expires to less than a minute, and no more than two hours', () => {
    const brief = register(['Contact: <sip:a@192.0.2.7>;expires=59']);
    assert.deepEqual([brief.status, brief.headers], [423, 'Min-Expires: 60\r\n']);
    assert.match(register(['Contact: <sip:a@192.0.2.7>', 'Expires: 999999999999']).headers, /expires=7200/);
    assert.match(register(['Contact: <sip:a@192.0.2.7>;expires=soon']).headers, /expires=3600/);
  });

  it('is refused where it comes after a later one of the same Call-ID; the same one again is answered as before', () => {
    register(['Contact: <sip:a@192.0.2.7>'], { with: { CSeq: '5 REGISTER' } });
    assert.match(register(['Contact: <sip:a@192.0.2.7>;expires=0'], { with: { CSeq: '4 REGISTER' } }).reason, /CSeq/);
    assert.equal(register(['Contact: *', 'Expires: 0'], { with: { CSeq: '4 REGISTER' } }).status, 400);
    assert.deepEqual(contacts(), ['sip:a@192.0.2.7']);
    assert.equal(register(['Contact: <sip:a@192.0.2.7>'], { with: { CSeq: '5 REGISTER' } }).status, 200);
    register(['Contact: <sip:a@192.0.2.7>;expires=0'], { with: { CSeq: '1 REGISTER', 'Call-ID': 'another' } });
    assert.deepEqual(contacts(), []);
  });

  it('changes all or nothing', () => {
    register(['Contact: <sip:a@192.0.2.7>'], { with: { CSeq: '5 REGISTER' } });
    const late = register(['Contact: <sip:b@192.0.2.7>, <sip:a@192.0.2.7>'], { with: { CSeq: '4 REGISTER' } });
    assert.equal(late.status, 400);
    assert.equal(register(['Contact: <sip:b@192.0.2.7>, <sip:c@192.0.2.7>;expires=1']).status, 423);
    assert.deepEqual(contacts(), ['sip:a@192.0.2.7']);
  });

  it('is refused for domains that are not ours, and users that are not the sender', () => {
    assert.equal(register([], { uri: 'sip:example.org' }).status, 404);
    assert.equal(register([], { uri: 'sip:192.0.2.1:5060' }).status, 200);
    assert.equal(register([], { with: { To: '<sip:alice@example.org>' } }).status, 404);
    assert.equal(register([], { with: { To: '<sip:localhost>' } }).status, 400);
    assert.equal(register(['Contact: <sip:a@192.0.2.7>'], { with: { To: '<sip:bob@localhost>' } }).status, 403);
    const other = { To: '<sip:Alice@IMC.test>', From: '<sip:alice@imc.test>;tag=1' };
    assert.equal(register(['Contact: <sip:a@192.0.2.7>'], { with: other }).status, 200);
    assert.deepEqual(contacts(keyOf('sip:alice@imc.test')), ['sip:a@192.0.2.7']);
    assert.deepEqual(contacts(), []);
  });

  it('is refused where a contact is no SIP URI or too long', () => {
    assert.equal(register(['Contact: <tel:+4930>']).status, 400);
    assert.equal(register([`Contact: <sip:${'a'.repeat(510)}@h>`]).status, 400);
  });

  it('is bounded for a user, 403, and over all, 503', () => {
    const many = [1, 2, 3, 4].map((n) => `Contact: <sip:a${n}@192.0.2.7>`);
    assert.equal(register(many).status, 403);
    register(many.slice(1));
    const bob = { From: '<sip:bob@localhost>;tag=1', To: '<sip:bob@localhost>' };
    assert.equal(register(['Contact: <sip:b@h>, <sip:c@h>'], { with: bob }).status, 200);
    const carol = { From: '<sip:carol@localhost>;tag=1', To: '<sip:carol@localhost>' };
    assert.match(register(['Contact: <sip:c@h>'], { with: carol }).headers, /^Retry-After: /);
    assert.equal(register(['Contact: <sip:a2@192.0.2.7>']).status, 200);
  });
});

describe('where copies go', () => {
  it('is the address of the contact', () => {
    register(['Contact: <sip:a@192.0.2.7:5071>, <sip:b@[2001:db8::2]:5072;transport=tcp>, <sip:c@pc.example.org>']);
    assert.deepEqual(targets(), ['udp:192.0.2.7:5071', 'tcp:2001:db8::2:5072', 'udp:198.51.100.20:5060']);
  });
  it('is the place that the request was seen at, behind a NAT', () => {
    const parts = { with: { Via: 'SIP/2.0/UDP 10.0.0.5:5070;rport;branch=z9hG4bK1' } };
    register(['Contact: <sip:a@10.0.0.5:5070>'], parts, udpSource('198.51.100.9', 31_000));
    assert.deepEqual(targets(), ['udp:198.51.100.9:31000 flow']);
  });
  it('is the contact where a proxy stands between', () => {
    const parts = { with: { Via: 'SIP/2.0/UDP p.example.org;branch=z9hG4bK1' }, more: [] };
    register(
      ['Contact: <sip:a@192.0.2.7:5070>', 'Via: SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bK0'],
      { with: parts.with },
      udpSource('198.51.100.9'),
    );
    assert.deepEqual(targets(), ['udp:192.0.2.7:5070']);
  });
  it('is the connection while it is open, and then the contact', () => {
    const source = tcpSource();
    register(['Contact: <sip:a@192.0.2.7:5070;transport=tcp>'], {}, source);
    const before = location.reachable(alice);
    assert.deepEqual(targets(), ['tcp:192.0.2.7:40000 flow']);
    assert.equal(location.reachable(alice), before);
    assert.equal(location.holds(source.flow), true);
    source.flow.open = false;
    assert.deepEqual(targets(), ['tcp:192.0.2.7:5070']);
    assert.equal(location.reachable(alice), location.reachable(alice));
    register(['Contact: *', 'Expires: 0']);
    assert.equal(location.holds(source.flow), false);
  });
});
