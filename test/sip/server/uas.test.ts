import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Answer, Conference, IncomingMessage } from '../../../src/engine/conference.ts';
import { createUas, type Uas } from '../../../src/sip/server/uas.ts';
import { ok, type SipAnswer } from '../../../src/sip/transaction/answer.ts';
import { type RequestParts, request, tcpSource, udpSource } from '../support/requests.ts';

let taken: IncomingMessage[];
let registered: number;
let result: Answer;
const conference: Conference = {
  message: (message, answer) => {
    taken.push(message);
    answer(result);
  },
  execute: () => assert.fail('no MI here'),
};
const create = (believed: (address: string) => boolean = () => true): Uas =>
  createUas({
    conference,
    rule: { domains: new Set(['localhost', 'imc.test']), manager: /^chat-manager$/i, rooms: /^chat-[0-9]+$/i },
    register: (_request, _source, answer) => {
      registered += 1;
      answer(ok);
    },
    cancels: ({ topVia }) => topVia.branch === 'z9hG4bKknown',
    believed,
    branchPrefix: 'z9hG4bKours',
    maxMessageSize: 100,
    startChar: '#',
  });
let uas: Uas;

/** The one answer to a request. */
const answerTo = (parts: RequestParts, isMerged = false, source = udpSource()): SipAnswer => {
  const answers: SipAnswer[] = [];
  uas.handle(request(parts), source, isMerged, (answer) => answers.push(answer));
  assert.equal(answers.length, 1);
  return answers[0] ?? assert.fail();
};
const shown = ({ status, reason, headers }: SipAnswer): string => `${status} ${reason} ${headers}`;
const addressOf = (parts: RequestParts): string => {
  const { status, reason } = answerTo(parts);
  return taken.at(-1)?.address ?? `${status} ${reason}`;
};

beforeEach(() => {
  taken = [];
  registered = 0;
  result = { kind: 'done' };
  uas = create();
});

describe('5. Answers', () => {
  const cases: readonly (readonly [string, RequestParts, RegExp])[] = [
    ['405 with Allow', { method: 'INVITE' }, /^405 Method Not Allowed Allow: MESSAGE, OPTIONS, REGISTER/],
    ['405 to a method nobody knows', { method: 'FOO' }, /^405/],
    ['416 to a scheme that is not SIP', { uri: 'tel:+4930', with: { To: '<sip:chat-1@localhost>' } }, /^416/],
    ['482 to a copy of our own', { more: ['Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKours1'] }, /^482 Loop Detected/],
    ['481 within a dialog', { with: { To: '<sip:chat-1@localhost>;tag=x' } }, /^481/],
    ['483 where no hop is left', { with: { 'Max-Forwards': '0' } }, /^483/],
    ['420 with Unsupported', { more: ['Require: 100rel, path'] }, /^420 Bad Extension Unsupported: 100rel, path\r\n/],
    ['415 with Accept-Encoding', { more: ['Content-Encoding: gzip'] }, /^415 .* Accept-Encoding: identity\r\n/],
    [
      '415 with Accept for a command that cannot be read',
      { body: '#join', with: { 'Content-Type': 'application/json' } },
      /^415 .* Accept: text\/plain\r\n/,
    ],
    ['415 for a command in UTF-16', { body: '#j', with: { 'Content-Type': 'text/plain;charset="UTF-16"' } }, /^415/],
    [
      '415 with Accept for a REGISTER with a body',
      { method: 'REGISTER', body: 'x', uri: 'sip:localhost' },
      /^415.*Accept/,
    ],
    ['513 beyond max_message_size', { body: 'x'.repeat(101) }, /^513 .*at most 100 bytes/],
    ['400 to an empty body', { body: '' }, /^400 The body is empty/],
    ['400 where Content-Type cannot be read', { with: { 'Content-Type': 'text' } }, /^400 Content-Type/],
    ['400 where From is no SIP URI', { with: { From: '<tel:+4930>;tag=1' } }, /^400 From: /],
    ['400 where From names no user', { with: { From: '<sip:localhost>;tag=1' } }, /^400 From: /],
    ['400 where From is too long', { with: { From: `<sip:${'a'.repeat(65)}@l>;tag=1` } }, /^400 From: .*65.*64/],
    ['404 where nobody is', { uri: 'sip:bob@localhost' }, /^404/],
    ['404 where the domain is not ours', { uri: 'sip:chat-1@elsewhere' }, /^404/],
    ['414 where the user is too long', { uri: `sip:chat-${'1'.repeat(60)}@localhost` }, /^414/],
    ['414 where the domain is too long', { uri: `sip:chat-1@${'a'.repeat(65)}` }, /^414/],
    [
      '414 where it is endless, and says so',
      { uri: `sip:chat-1@localhost;x=${'y'.repeat(1_100)}` },
      /^414 To: The address has 1\d{3} characters, allowed are 1024/,
    ],
    ["414 where a room's whole URI is too long", { uri: `sip:chat-${'1'.repeat(52)}@imc.test` }, /^414/],
    ['481 to a CANCEL of nothing', { method: 'CANCEL' }, /^481/],
    ['200 to a CANCEL of what cannot be cancelled', { method: 'CANCEL', branch: 'z9hG4bKknown' }, /^200/],
  ];
  for (const [title, parts, expected] of cases)
    it(title, () => {
      assert.match(shown(answerTo(parts)), expected);
      assert.deepEqual(taken, []);
      assert.equal(registered, 0);
    });

  it('482 to a merged request', () => {
    assert.match(shown(answerTo({}, true)), /^482 Merged/);
    assert.deepEqual(taken, []);
  });

  it('200 to OPTIONS, with what imcd can do, even where no hop is left', () => {
    assert.match(
      shown(answerTo({ method: 'OPTIONS', uri: 'sip:localhost', with: { 'Max-Forwards': '0' } })),
      /^200 OK Allow: .*\r\nAccept: .*\r\nAccept-Encoding: identity\r\n.*\r\nSupported: \r\n$/,
    );
  });

  it('of the registrar to a REGISTER whose last hop this is', () => {
    const register = { method: 'REGISTER', uri: 'sip:localhost', with: { 'Max-Forwards': '0' } };
    assert.match(shown(answerTo(register)), /^200/);
    assert.equal(registered, 1);
  });

  it('in the order of RFC 3261 8.2: method, scheme, merged, Require, content', () => {
    const all = {
      method: 'FOO',
      uri: 'tel:1',
      more: ['Require: a', 'Content-Encoding: gzip'],
      body: 'x'.repeat(200),
      with: { To: '<sip:chat-1@localhost>', 'Content-Type': 'text/plain' },
    };
    assert.equal(answerTo(all, true).status, 405);
    assert.equal(answerTo({ ...all, method: 'MESSAGE' }, true).status, 416);
    assert.equal(answerTo({ ...all, method: 'MESSAGE', uri: 'sip:chat-1@localhost' }, true).status, 482);
    assert.equal(answerTo({ ...all, method: 'MESSAGE', uri: 'sip:chat-1@localhost' }).status, 420);
    assert.equal(answerTo({ ...all, method: 'MESSAGE', uri: 'sip:chat-1@localhost', more: ['e: gzip'] }).status, 415);
  });

  it('403 to a sender that is not believed, for MESSAGE and REGISTER, whatever From says', () => {
    uas = create((address) => address === '127.0.0.1');
    assert.match(shown(answerTo({})), /^403 .*trusted/);
    assert.equal(answerTo({ method: 'REGISTER', uri: 'sip:localhost' }).status, 403);
    assert.equal(answerTo({ method: 'OPTIONS' }).status, 200);
    assert.equal(answerTo({}, false, udpSource('127.0.0.1')).status, 200);
    assert.equal(taken.length, 1);
  });

  it("gives the engine's answer: refusals their status and reason", () => {
    const of = (answer: Answer): string => {
      result = answer;
      return shown(answerTo({}));
    };
    assert.match(of({ kind: 'refused', refusal: { reason: 'NotMember' } }), /^403 You are not a member/);
    assert.match(of({ kind: 'refused', refusal: { reason: 'NoSuchRoom' } }), /^404 No such room/);
    assert.match(of({ kind: 'refused', refusal: { reason: 'RoomExists' } }), /^409 /);
    assert.match(
      of({ kind: 'refused', refusal: { reason: 'UnknownCommand', name: 'foo' } }),
      /^400 invalid command 'foo' - send '#help' for details/,
    );
  });

  it('500 with Retry-After for a failure of the store, 503 for overload alone, and no word of hosts or files', () => {
    const of = (kind: 'StoreUnavailable' | 'OutcomeUnknown' | 'Lagging' | 'RoomStopped' | 'Defect' | 'Overloaded') => {
      result = { kind: 'failed', failure: { kind, message: 'secret.example.org:2113 is away' } };
      const answer = shown(answerTo({}));
      assert.doesNotMatch(answer, /secret/);
      return answer;
    };
    for (const kind of ['StoreUnavailable', 'OutcomeUnknown', 'Lagging', 'RoomStopped', 'Defect'] as const)
      assert.match(of(kind), /^500 .* Retry-After: \d+\r\n$/);
    assert.match(of('Overloaded'), /^503 .* Retry-After: \d+\r\n$/);
  });
});

describe('1. The conference address', () => {
  it('is the URI in To', () => {
    assert.equal(
      addressOf({ uri: 'sip:chat-2@localhost', with: { To: '<sip:chat-1@localhost;x=y>' } }),
      'sip:chat-1@localhost',
    );
    assert.equal(
      addressOf({ uri: 'sip:127.0.0.1:5060', with: { To: 'sip:chat-1@localhost' } }),
      'sip:chat-1@localhost',
    );
  });
  it('is the Request-URI where only that matches the routing rule', () => {
    assert.equal(addressOf({ with: { To: '<sip:team@example.org>' } }), 'sip:chat-1@localhost');
    assert.equal(addressOf({ with: { To: '<tel:+4930>' } }), 'sip:chat-1@localhost');
    assert.equal(addressOf({ with: { To: '<sip:chat-1@elsewhere>' } }), 'sip:chat-1@localhost');
  });
  it('has its escapes undone, and keeps its case', () => {
    assert.equal(addressOf({ uri: 'sip:Chat%2d1@LocalHost:5060;transport=udp' }), 'sip:Chat-1@LocalHost');
  });
  it("is a room's or the manager's", () => {
    answerTo({});
    answerTo({ uri: 'sip:CHAT-MANAGER@imc.test' });
    assert.deepEqual(
      taken.map(({ addressed }) => addressed),
      ['room', 'manager'],
    );
  });
});

describe('what the engine gets', () => {
  it('is the message with its origin', () => {
    answerTo({ more: ['Content-Language: en'] }, false, tcpSource('2001:db8::7', 4711));
    assert.deepEqual(taken, [
      {
        address: 'sip:chat-1@localhost',
        addressed: 'room',
        sender: 'sip:alice@localhost',
        contentType: 'text/plain',
        body: Buffer.from('hello'),
        origin: {
          source: 'tcp:[2001:db8::7]:4711',
          correlationId: 'call1@192.0.2.7',
          request: { callId: 'call1@192.0.2.7', cseq: '1 MESSAGE', fromTag: 'from1' },
        },
      },
    ]);
  });
  it('has the sender with escapes undone, and the scheme sips remembered', () => {
    answerTo({ with: { From: '<sips:a%6Ena@Localhost:5061;transport=tcp>;tag=1' } });
    assert.equal(taken[0]?.sender, 'sip:anna@Localhost');
    assert.equal(taken[0].scheme, 'sips');
  });
  it('is text/plain where there is no Content-Type, and else as it came, bytes and all', () => {
    answerTo({ with: { 'Content-Type': undefined } });
    answerTo({ body: '\u00ff\u00fe', with: { 'Content-Type': 'message/CPIM;x="a;b"' } });
    assert.equal(taken[0]?.contentType, 'text/plain');
    assert.equal(taken[1]?.contentType, 'message/CPIM;x="a;b"');
    assert.deepEqual(taken[1].body, Buffer.from('\u00ff\u00fe'));
  });
});
