import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { Answer, IncomingMessage } from '../../src/engine/conference.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { openLocation } from '../../src/sip/registrar/location.ts';
import { createSipStack, type SipStack } from '../../src/sip/stack.ts';
import { atEnd } from '../support/at-end.ts';
import { until } from '../support/until.ts';
import { countingIds, type RecordedLine, recordingLog } from '../support/world.ts';
import { requestText } from './support/requests.ts';

type Reply = (answer: Answer) => void;

const settings = {
  clock: systemClock,
  ids: countingIds(),
  rule: { domains: new Set(['localhost']), manager: /^chat-manager$/i, rooms: /^chat-[0-9]+$/i },
  trusted: (address: string) => address === '127.0.0.1',
  open: false,
  startChar: '#',
  maxMessageSize: 1_000,
  product: 'imcd/test',
};

/** A stack on loopback, its engine in the test's hands. */
const start = async (
  onMessage: (message: IncomingMessage, answer: Reply) => void,
  trusted: (address: string) => boolean = settings.trusted,
) => {
  const log = recordingLog();
  const stack = createSipStack({
    ...settings,
    log,
    listen: [
      { transport: 'udp', host: '127.0.0.1', port: 0 },
      { transport: 'tcp', host: '127.0.0.1', port: 0 },
    ],
    location: openLocation({ clock: systemClock, log, file: undefined }),
    trusted,
  });
  atEnd(() => stack.close(0));
  const [udp, tcp] = await stack.listen({ message: onMessage, execute: () => assert.fail('no MI here') });
  assert.ok(udp !== undefined && tcp !== undefined);
  return { stack, lines: log.lines, udp: udp.local.port, tcp: tcp.local.port };
};

const via = (branch: string) => ({
  Via: `SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK${branch}`,
  'Call-ID': `call${branch}`,
});

describe('the stack over UDP', () => {
  let stack: SipStack;
  let lines: readonly RecordedLine[];
  let port: number;
  let socket: Socket;
  const answers: string[] = [];
  let wake = (): void => {};
  let hold: Reply[] = [];
  before(async () => {
    const started = await start((message, answer) => {
      const body = Buffer.from(message.body).toString();
      if (body === 'defect') throw new Error('a bug');
      if (body === 'hold') hold.push(answer);
      else answer({ kind: 'done' });
    });
    ({ stack, lines, udp: port } = started);
    socket = createSocket('udp4', (bytes) => {
      answers.push(bytes.toString());
      wake();
    });
    await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  });
  after(async () => {
    socket.close();
    await stack.close(1_000);
  });
  const answer = async (text: string): Promise<string> => {
    const next = new Promise<void>((done) => {
      wake = done;
    });
    socket.send(text, port, '127.0.0.1');
    await next;
    return answers.pop() ?? '';
  };

  it('answers a request that is right', async () => {
    assert.match(await answer(requestText({ with: via('1') })), /^SIP\/2\.0 200 OK\r\n/);
  });

  it('answers a malformed one 400, and logs it once with its source', async () => {
    const seen = lines.length;
    const reply = await answer(requestText({ with: { ...via('2'), 'Content-Length': '99' } }));
    assert.match(reply, /^SIP\/2\.0 400 Content-Length says 99, the body has 5 bytes\r\n/);
    const logged = lines.slice(seen);
    assert.equal(logged.length, 1);
    assert.equal(logged[0]?.fields.source, `udp:127.0.0.1:${socket.address().port}`);
    assert.equal(logged[0]?.fields.callId, 'call2');
  });

  it('answers a request that meets a defect 500, and lives', async () => {
    const text = requestText({ body: 'defect', with: { ...via('3') } });
    assert.match(await answer(text), /^SIP\/2\.0 500 /);
    assert.equal(stack.counters.defects, 1);
    assert.match(await answer(requestText({ method: 'OPTIONS', with: via('4') })), /^SIP\/2\.0 200 /);
  });

  it('says nothing to garbage, ACK and keep-alives', async () => {
    const seen = answers.length;
    const ack = requestText({ method: 'ACK', with: via('5') });
    for (const text of ['garbage', '\r\n\r\n', ack, ack.replace('From', 'Fro m'), 'SIP/2.0 200 OK\r\n\r\n'])
      socket.send(text, port, '127.0.0.1');
    assert.match(await answer(requestText({ method: 'OPTIONS', with: via('6') })), /^SIP\/2\.0 200 /);
    assert.equal(answers.length, seen);
    assert.equal(stack.counters.garbage, 2);
    assert.equal(stack.counters.keepAlives, 1);
  });

  it('does not let a flood fill the log', async () => {
    const seen = lines.length;
    for (let i = 0; i < 200; i += 1) socket.send(`garbage ${i}`, port, '127.0.0.1');
    assert.match(await answer(requestText({ method: 'OPTIONS', with: via('7') })), /^SIP\/2\.0 200 /);
    assert.ok(lines.length - seen <= 50, `${lines.length - seen} lines`);
    assert.ok(stack.counters.log.linesSuppressed >= 140);
  });

  it('stops: new requests get 503, what is begun is answered', async () => {
    hold = [];
    socket.send(requestText({ body: 'hold', with: { ...via('8') } }), port, '127.0.0.1');
    assert.match(await answer(requestText({ method: 'OPTIONS', with: via('9') })), /^SIP\/2\.0 200 /);
    assert.equal(hold.length, 1);
    const closed = stack.close(5_000);
    assert.match(
      await answer(requestText({ method: 'OPTIONS', with: via('10') })),
      /^SIP\/2\.0 503 .*\r\n[\s\S]*\r\nRetry-After: /,
    );
    const last = new Promise<void>((done) => {
      wake = done;
    });
    // It comes again meanwhile: it is one of those that are begun.
    socket.send(requestText({ body: 'hold', with: via('8') }), port, '127.0.0.1');
    await until('it has come again', () => stack.counters.server.absorbed > 0);
    hold[0]?.({ kind: 'done' });
    await last;
    assert.match(answers.pop() ?? '', /^SIP\/2\.0 200 OK\r\n[\s\S]*Call-ID: call8\r\n/);
    await closed;
  });
});

describe('a stack that refuses', () => {
  it('answers new requests 503, and what is begun as ever', async () => {
    const held: Reply[] = [];
    const { stack, udp } = await start((_, reply) => void held.push(reply));
    const answers: string[] = [];
    const socket = createSocket('udp4', (bytes) => answers.push(bytes.toString().split('\r\n')[0] ?? ''));
    atEnd(() => socket.close());
    await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
    socket.send(requestText({ with: via('1') }), udp, '127.0.0.1');
    await until('it is held', () => held.length > 0);
    stack.refuse();
    socket.send(requestText({ with: via('2') }), udp, '127.0.0.1');
    await once(socket, 'message');
    held[0]?.({ kind: 'done' });
    while (answers.length < 2) await once(socket, 'message');
    assert.deepEqual(answers, ['SIP/2.0 503 The server is stopping', 'SIP/2.0 200 OK']);
    assert.equal(held.length, 1);
  });
});

describe('senders that are not trusted', () => {
  it('are turned away: 403, one log line each, and nothing is kept of them', async () => {
    const { stack, lines, udp } = await start(
      () => assert.fail('the engine must not see it'),
      () => false,
    );
    const answers: string[] = [];
    const socket = createSocket('udp4', (bytes) => answers.push(bytes.toString().split('\r\n')[0] ?? ''));
    atEnd(() => socket.close());
    await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
    const register = { method: 'REGISTER', uri: 'sip:localhost', with: { ...via('2'), Contact: '<sip:a@127.0.0.1>' } };
    for (const text of [requestText({ with: via('1') }), requestText(register), requestText(register)])
      socket.send(text, udp, '127.0.0.1');
    socket.send(requestText({ method: 'OPTIONS', with: via('3') }), udp, '127.0.0.1');
    while (answers.length < 4) await once(socket, 'message');
    const forbidden = 'SIP/2.0 403 Forbidden: your address is not among the trusted ones';
    assert.deepEqual(answers, [forbidden, forbidden, forbidden, 'SIP/2.0 200 OK']);
    assert.equal(stack.depths().serverKept, 0);
    assert.equal(stack.counters.location.bindings, 0);
    assert.equal(lines.filter(({ fields }) => fields.status === 403).length, 3);
  });
});

describe('an address that cannot be bound', () => {
  it('ends the stack: what was bound before it is free again, the file of bindings is closed, once', async () => {
    const taken = createSocket('udp4');
    atEnd(() => taken.close());
    await new Promise<void>((done) => taken.bind(0, '127.0.0.1', done));
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    await new Promise((done) => probe.close(done));
    const closed: string[] = [];
    const file = { load: () => [], write: () => {}, close: () => void closed.push('bindings') };
    const log = recordingLog();
    const stack = createSipStack({
      ...settings,
      log,
      listen: [
        { transport: 'tcp', host: '127.0.0.1', port },
        { transport: 'udp', host: '127.0.0.1', port: taken.address().port },
      ],
      location: openLocation({ clock: systemClock, log, file }),
    });
    const nobody = { message: () => assert.fail(), execute: () => assert.fail() };
    await assert.rejects(
      stack.listen(nobody),
      /^Error: cannot listen on udp:127\.0\.0\.1:\d+: another program listens there/,
    );
    assert.deepEqual(closed, ['bindings']);
    const again = createServer().listen(port, '127.0.0.1');
    await once(again, 'listening');
    await new Promise((done) => again.close(done));
    await stack.close(1_000);
    assert.deepEqual(closed, ['bindings']);
  });
});

describe('the stack over TCP', () => {
  let stack: SipStack;
  let port: number;
  before(async () => {
    ({ stack, tcp: port } = await start((_, answer) => answer({ kind: 'done' })));
  });
  after(() => stack.close(1_000));

  /** Status lines of what comes back, up to the connection's end or `count` of them. */
  const exchange = (text: string, count: number): Promise<readonly string[]> =>
    new Promise((done, fail) => {
      let got = '';
      const found = () => got.match(/^SIP\/2\.0 .*(?=\r\n)/gm) ?? [];
      const socket = connect(port, '127.0.0.1', () => socket.write(text));
      socket.on('error', fail);
      socket.on('data', (bytes) => {
        got += bytes.toString();
        if (found().length >= count) socket.destroy();
      });
      socket.on('close', () => done(found()));
    });
  const tcpVia = (branch: string) => ({ Via: `SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK${branch}` });

  it('answers requests of one connection in their order', async () => {
    const two = requestText({ with: tcpVia('1') }) + requestText({ method: 'OPTIONS', with: tcpVia('2') });
    assert.deepEqual(await exchange(two, 2), ['SIP/2.0 200 OK', 'SIP/2.0 200 OK']);
  });

  it('answers what cannot be framed', async () => {
    const without = requestText({ with: { ...tcpVia('3'), 'Content-Length': undefined } });
    assert.deepEqual(await exchange(without, 1), ['SIP/2.0 400 No Content-Length, which a stream needs']);
    const lies = requestText({ with: { ...tcpVia('4'), 'Content-Length': 'many' } });
    assert.deepEqual(await exchange(lies, 1), ['SIP/2.0 400 Content-Length is no number']);
    const head = requestText({ with: { ...tcpVia('6'), Subject: 'x'.repeat(70_000) } });
    assert.deepEqual(await exchange(head, 1), ['SIP/2.0 400 Header of more than 64 KiB']);
    const large = requestText({ body: 'x'.repeat(1_001), with: tcpVia('5') });
    assert.deepEqual(await exchange(large, 1), ['SIP/2.0 513 Message Too Large: at most 1000 bytes of body']);
  });
});
