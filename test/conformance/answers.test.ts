import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { Reply, RequestOptions, SipUser } from '../support/sip-client.ts';
import { openWorld, type World } from './place.ts';

/** Behaviour section 5 over the wire. */

let world: World;
let ann: SipUser;
let room: string;
before(async () => {
  world = await openWorld();
  ann = await world.user('ann');
  room = world.room();
  assert.equal((await ann.say(room, '#join')).status, 200);
  await ann.hears();
});
after(() => world.close());

const ask = (options: Partial<RequestOptions>): Promise<Reply> =>
  ann.request({ uri: room, body: 'hello', contentType: 'text/plain', ...options });

describe('5. Answers', () => {
  const cases: readonly (readonly [string, () => Partial<RequestOptions>, number, RegExp?])[] = [
    ['405 with Allow', () => ({ method: 'INVITE', body: '' }), 405, /allow: .*MESSAGE.*OPTIONS/],
    ['405 to SUBSCRIBE', () => ({ method: 'SUBSCRIBE', body: '' }), 405, /allow: /],
    ['415 with Accept-Encoding', () => ({ headers: { 'Content-Encoding': 'gzip' } }), 415, /accept-encoding: identity/],
    [
      '415 with Accept for a command that cannot be read',
      () => ({ body: '#list', contentType: 'image/png' }),
      415,
      /accept: /,
    ],
    ['416 for a scheme that is not SIP', () => ({ uri: 'mailto:a@b', to: room }), 416],
    ['420 with Unsupported', () => ({ headers: { Require: 'foo, bar' } }), 420, /unsupported: foo, bar/],
    ['481 within a dialog that is not', () => ({ headers: { To: `<${room}>;tag=x` } }), 481],
    ['481 to a CANCEL of nothing', () => ({ method: 'CANCEL', body: '' }), 481],
    ['483 where no hop is left', () => ({ headers: { 'Max-Forwards': '0' } }), 483],
    [
      '513 for a body beyond max_message_size, over UDP as well',
      () => ({ body: 'x'.repeat(65_000), headers: {} }),
      200,
    ],
    ['400 for CSeq of another method', () => ({ headers: { CSeq: '1 OPTIONS' } }), 400],
    ['404 for an address that is nothing here', () => ({ uri: `sip:nobody@${world.place.domain}` }), 404],
    ['404 for a domain that is not ours', () => ({ uri: 'sip:chat-1@elsewhere.example' }), 404],
  ];
  for (const [title, options, status, header] of cases)
    it(title, async () => {
      const reply = await ask(options());
      assert.equal(reply.status, status, reply.reason);
      assert.ok((reply.headers.to ?? '').includes(';tag='));
      const headers = Object.entries(reply.headers).map(([name, value]) => `${name}: ${value}`);
      if (header !== undefined) assert.match(headers.join('\n'), header);
    });

  it('200 to OPTIONS with Allow, Accept, Supported, even with Max-Forwards 0', async () => {
    const reply = await ask({ method: 'OPTIONS', body: '', headers: { 'Max-Forwards': '0' } });
    assert.equal(reply.status, 200);
    assert.match(reply.headers.allow ?? '', /MESSAGE/);
    assert.ok(reply.headers.accept !== undefined && reply.headers.supported !== undefined);
  });

  it('repeats every Via in its order, with received and rport in the first', async () => {
    const via = `SIP/2.0/UDP 10.9.9.9:5999;rport;branch=z9hG4bKvia${Date.now()}`;
    const reply = await ask({
      method: 'OPTIONS',
      body: '',
      headers: { Via: via, Route: `<sip:${world.place.host};lr>` },
    });
    assert.equal(reply.headers.via, `${via.replace('rport', `rport=${ann.port}`)};received=127.0.0.1`);
  });

  it('482 to a merged request: same From tag, Call-ID and CSeq, another branch', async () => {
    const same = { From: `<${ann.aor}>;tag=merged`, 'Call-ID': `merged${Date.now()}` };
    assert.equal((await ask({ body: '#list', headers: same })).status, 200);
    assert.match(await ann.hears(), /^Members:/);
    assert.equal((await ask({ body: '#list', headers: same })).status, 482);
    await ann.hearsNothing();
  });

  it('the same request again gets the same answer, and is executed once', async () => {
    const headers = {
      Via: `SIP/2.0/UDP 127.0.0.1:${ann.port};rport;branch=z9hG4bKagain${Date.now()}`,
      From: `<${ann.aor}>;tag=again`,
      'Call-ID': `again${Date.now()}`,
    };
    const first = await ask({ body: '#list', headers });
    const second = await ask({ body: '#list', headers });
    assert.equal(first.status, 200);
    assert.deepEqual(second, first);
    assert.match(await ann.hears(), /^Members:/);
    await ann.hearsNothing();
  });

  it('423 with Min-Expires to a short registration; 404 for a foreign domain; the list to one without Contact', async () => {
    const brief = await ann.register(5);
    assert.deepEqual([brief.status, brief.headers['min-expires']], [423, '60']);
    const register = { method: 'REGISTER', uri: `sip:${world.place.domain}`, to: ann.aor, body: '' };
    assert.equal((await ask({ ...register, uri: 'sip:elsewhere.example' })).status, 404);
    const list = await ask(register);
    assert.match(list.headers.contact ?? '', new RegExp(`127\\.0\\.0\\.1:${ann.port}>;expires=\\d+`));
  });
});

describe('5. Answers over TCP', () => {
  it('513 to a body larger than max_message_size', {
    skip: process.env.CONFORMANCE_SERVER !== undefined && 'own server only',
  }, async () => {
    const head = [
      `MESSAGE ${room} SIP/2.0`,
      'Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKbig',
      `From: <${ann.aor}>;tag=1`,
      `To: <${room}>`,
      'Call-ID: big',
      'CSeq: 1 MESSAGE',
      'Content-Type: text/plain',
      'Content-Length: 65537',
    ];
    const status = await new Promise<string>((done, fail) => {
      const socket = connect(world.server?.tcp ?? 0, '127.0.0.1', () =>
        socket.write(`${head.join('\r\n')}\r\n\r\n${'x'.repeat(65_537)}`),
      );
      socket.on('error', fail);
      socket.on('data', (bytes) => {
        socket.destroy();
        done(bytes.toString().split('\r\n')[0] ?? '');
      });
    });
    assert.match(status, /^SIP\/2\.0 513 /);
  });
});
