import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { SipRequest } from '../../../src/sip/message/message.ts';
import { answer, ok } from '../../../src/sip/transaction/answer.ts';
import { type ServerTransaction, ServerTransactions } from '../../../src/sip/transaction/server.ts';
import type { Target } from '../../../src/sip/transport/transport.ts';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { countingIds } from '../../support/world.ts';
import { request, tcpSource, udpSource } from '../support/requests.ts';

/** Bytes of heap after a full collection. */
const heapUsed = (): number => {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
};

interface Sent {
  readonly target: Target;
  readonly text: string;
}

let clock: FakeClock;
let sent: Sent[];
let failing: boolean;
let server: ServerTransactions;
const create = (limit?: number): ServerTransactions =>
  new ServerTransactions({
    clock,
    ids: countingIds(),
    product: 'imcd/test',
    send: (target, bytes, onFailure) => {
      sent.push({ target, text: bytes.toString('latin1') });
      if (failing) onFailure('closed');
    },
    ...(limit === undefined ? {} : { limit }),
  });
const begun = (of: SipRequest, from = udpSource()): ServerTransaction => {
  const transaction = server.begin(of, from);
  assert.ok(typeof transaction !== 'string', String(transaction));
  return transaction;
};

beforeEach(() => {
  clock = createFakeClock();
  sent = [];
  failing = false;
  server = create();
});

describe('an answer (RFC 3261 8.2.6)', () => {
  it('repeats Via, From, To, Call-ID and CSeq, and tags To', () => {
    begun(request({ more: ['Via: SIP/2.0/UDP p;branch=z9hG4bKp'] })).answer(ok);
    const [status, ...lines] = (sent[0]?.text ?? '').split('\r\n');
    assert.equal(status, 'SIP/2.0 200 OK');
    assert.match(lines[3] ?? '', /^To: <sip:chat-1@localhost>;tag=[\w-]{16}$/);
    assert.deepEqual(
      lines.filter((_, i) => i !== 3),
      [
        'Via: SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bK1',
        'Via: SIP/2.0/UDP p;branch=z9hG4bKp',
        'From: <sip:alice@localhost>;tag=from1',
        'Call-ID: call1@192.0.2.7',
        'CSeq: 1 MESSAGE',
        'Server: imcd/test',
        'Content-Length: 0',
        '',
        '',
      ],
    );
  });

  it('keeps a tag that To has', () => {
    begun(request({ with: { To: '<sip:chat-1@localhost>;tag=theirs' } })).answer(ok);
    assert.match(sent[0]?.text ?? '', /\r\nTo: <sip:chat-1@localhost>;tag=theirs\r\n/);
  });

  it('has a Reason-Phrase of one line, whatever the reason is', () => {
    begun(request()).answer(answer(400, `a\r\nVia: x\0ü${'ü'.repeat(200)}`));
    const [status = ''] = (sent[0]?.text ?? '').split('\r\n');
    assert.match(Buffer.from(status, 'latin1').toString('utf8'), /^SIP\/2\.0 400 a\?\?Via: x\?ü+$/);
    assert.ok(status.length < 230);
  });

  it('goes to the source at the port of Via; with rport to the port it came from (RFC 3581)', () => {
    begun(request(), udpSource('198.51.100.9', 31_000)).answer(ok);
    assert.deepEqual([sent[0]?.target.host, sent[0]?.target.port], ['198.51.100.9', 5070]);
    assert.match(sent[0]?.text ?? '', /5070;branch=z9hG4bK1;received=198\.51\.100\.9\r\n/);
    const rport = 'SIP/2.0/UDP 192.0.2.7:5070;rport;received=9.9.9.9;branch=z9hG4bK2';
    begun(request({ with: { Via: rport } }), udpSource('198.51.100.9', 31_000)).answer(ok);
    assert.deepEqual([sent[1]?.target.host, sent[1]?.target.port], ['198.51.100.9', 31_000]);
    assert.match(sent[1]?.text ?? '', /5070;rport=31000;branch=z9hG4bK2;received=198\.51\.100\.9\r\n/);
    assert.equal(sent[1]?.target.flow?.id, 1);
  });

  it('names a link-local source without its zone, and goes there with it', () => {
    const linkLocal = 'SIP/2.0/UDP [fe80::7]:5070;rport;branch=z9hG4bK1';
    begun(request({ with: { Via: linkLocal } }), udpSource('fe80::7%eth0', 5070)).answer(ok);
    assert.equal(sent[0]?.target.host, 'fe80::7%eth0');
    assert.match(sent[0]?.text ?? '', /\[fe80::7\]:5070;rport=5070;branch=z9hG4bK1;received=fe80::7\r\n/);
  });

  it('goes by the connection that the request came by, and by a new one to sent-by where that is gone (18.2.2)', () => {
    const source = tcpSource();
    begun(request(), source).answer(ok);
    assert.equal(sent[0]?.target.flow?.id, 7);
    const late = begun(request({ branch: 'z9hG4bK2', with: { CSeq: '2 MESSAGE' } }), source);
    source.flow.open = false;
    late.answer(ok);
    assert.deepEqual(sent[1]?.target, { transport: 'tcp', host: '192.0.2.7', port: 5070 });
    failing = true;
    begun(request({ branch: 'z9hG4bK3', with: { CSeq: '3 MESSAGE' } }), tcpSource()).answer(ok);
    assert.equal(sent.length, 4);
    assert.deepEqual(sent[3]?.target, { transport: 'tcp', host: '192.0.2.7', port: 5070 });
    assert.equal(server.counters.unsent, 2);
  });
});

describe('a request that comes again', () => {
  it('is absorbed while the first is under way, and gets the same bytes afterwards', () => {
    const first = begun(request());
    assert.equal(server.begin(request(), udpSource()), 'again');
    assert.equal(sent.length, 0);
    first.answer(answer(403, 'No', 'X-Test: 1\r\n'));
    assert.equal(server.begin(request(), udpSource()), 'again');
    assert.equal(sent.length, 2);
    assert.deepEqual(sent[1], sent[0]);
    assert.deepEqual([server.counters.absorbed, server.counters.retransmissions], [1, 1]);
  });

  it('is known by branch, sent-by and method (17.2.3)', () => {
    begun(request());
    assert.equal(server.begin(request({ with: { 'Call-ID': 'other' } }), udpSource()), 'again');
    begun(request({ with: { Via: 'SIP/2.0/UDP 192.0.2.8:5070;branch=z9hG4bK1', 'Call-ID': 'b' } }));
    begun(request({ method: 'OPTIONS', with: { 'Call-ID': 'c' } }));
  });

  it('is known without the magic cookie by URI, To, From, Call-ID, CSeq and Via', () => {
    const old = { Via: 'SIP/2.0/UDP 192.0.2.7:5070;branch=1' };
    begun(request({ with: old }));
    assert.equal(server.begin(request({ with: old }), udpSource()), 'again');
    begun(request({ with: { ...old, CSeq: '2 MESSAGE' } }));
    begun(request({ with: { ...old, 'Call-ID': 'other' } }));
    begun(request({ with: { ...old, CSeq: '3 MESSAGE' }, uri: 'sip:chat-2@localhost' }));
  });

  it('is a new one after Timer J: 32 s over UDP, at once over TCP', () => {
    begun(request()).answer(ok);
    clock.advance(32_000);
    assert.equal(server.begin(request(), udpSource()), 'again');
    clock.advance(2_000);
    assert.equal(server.kept(), 0);
    begun(request());
    begun(request({ branch: 'z9hG4bKt', with: { CSeq: '9 MESSAGE' } }), tcpSource()).answer(ok);
    assert.equal(server.kept(), 0);
    assert.equal(server.pending(), 1);
  });

  it('leaves no timer behind when all is forgotten', () => {
    begun(request()).answer(ok);
    clock.advance(60_000);
    assert.equal(clock.pending(), 0);
  });
});

describe('a merged request (8.2.2.2)', () => {
  it('has the From tag, Call-ID and CSeq of one that lives, and another branch', () => {
    const first = begun(request());
    assert.equal(first.merged, false);
    assert.equal(begun(request({ branch: 'z9hG4bK2' })).merged, true);
    first.answer(ok);
    assert.equal(begun(request({ branch: 'z9hG4bK3' })).merged, true);
    assert.equal(begun(request({ branch: 'z9hG4bK4', with: { CSeq: '2 MESSAGE' } })).merged, false);
    assert.equal(begun(request({ branch: 'z9hG4bK5', with: { From: '<sip:alice@localhost>;tag=b' } })).merged, false);
    clock.advance(34_000);
    assert.equal(begun(request({ branch: 'z9hG4bK6' })).merged, false);
  });
});

describe('RFC 4320', () => {
  it('tells one that waits to wait, once, when Timer E has reached T2, and not before', () => {
    const slow = begun(request());
    clock.advance(3_000);
    assert.equal(sent.length, 0);
    clock.advance(2_000);
    assert.match(sent[0]?.text ?? '', /^SIP\/2\.0 100 Trying\r\n/);
    assert.match(sent[0]?.text ?? '', /\r\nTo: <sip:chat-1@localhost>\r\n/);
    clock.advance(10_000);
    slow.answer(ok);
    assert.equal(sent.length, 2);
  });

  it('repeats Timestamp in that, and in that alone (RFC 3261 8.2.6.1)', () => {
    const slow = begun(request({ with: { Timestamp: '54.25' } }));
    clock.advance(5_000);
    assert.match(sent[0]?.text ?? '', /^SIP\/2\.0 100 [\s\S]*\r\nTimestamp: 54\.25\r\n/);
    slow.answer(ok);
    assert.doesNotMatch(sent[1]?.text ?? '', /Timestamp/);
  });

  it('sends no answer that nobody waits for any more', () => {
    const slow = begun(request());
    clock.advance(33_000);
    slow.answer(ok);
    assert.equal(server.counters.tooLate, 1);
    assert.deepEqual(
      sent.map(({ text }) => text.slice(0, 11)),
      ['SIP/2.0 100'],
    );
    assert.equal(server.pending(), 0);
  });
});

describe('bounds', () => {
  it('takes no more than its limit, and counts what it refuses', () => {
    server = create(2);
    begun(request());
    begun(request({ branch: 'z9hG4bK2', with: { CSeq: '2 MESSAGE' } })).answer(ok);
    assert.equal(server.begin(request({ branch: 'z9hG4bK3' }), udpSource()), 'full');
    assert.equal(server.counters.overflows, 1);
    clock.advance(34_000);
    begun(request({ branch: 'z9hG4bK3' }));
  });

  it('keeps 256,000 answered requests in well below 100 MB', () => {
    const like = request();
    const before = heapUsed();
    for (let i = 0; i < 256_000; i += 1) {
      const one: SipRequest = { ...like, callId: `c${i}`, topVia: { ...like.topVia, branch: `z9hG4bK-${i}` } };
      begun(one).answer(ok);
      sent.length = 0;
    }
    const mb = (heapUsed() - before) / 1_048_576;
    assert.ok(mb > 5 && mb < 80, `${mb.toFixed(0)} MB`);
    assert.equal(server.kept(), 256_000);
  });
});

describe('a CANCEL (9.2)', () => {
  it('means a transaction of its branch, of whatever method', () => {
    begun(request());
    const cancel = (branch: string) => request({ method: 'CANCEL', branch, with: { CSeq: '1 CANCEL' } });
    assert.equal(server.cancels(cancel('z9hG4bK1')), true);
    assert.equal(server.cancels(cancel('z9hG4bK2')), false);
  });
});
