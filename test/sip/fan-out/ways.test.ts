import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Outgoing } from '../../../src/ports/courier.ts';
import type { Flow } from '../../../src/sip/transport/transport.ts';
import { fanOutWorld, member, members, note } from '../support/fan-out-world.ts';

const outboundProxy = 'sip:192.0.2.9:5070';
const outgoing = (more: Partial<Outgoing> = {}): Outgoing => ({
  from: 'sip:chat-1@imc.test',
  recipients: [member('sip:bob@imc.test')],
  contentType: 'text/plain',
  body: Buffer.from('hello'),
  ...more,
});

describe('the way of a copy', () => {
  it('is the outbound proxy for everybody, where one is set', () => {
    const world = fanOutWorld({ outboundProxy: `${outboundProxy};transport=tcp` });
    world.bindings.set('bob@imc.test', [
      { target: { transport: 'udp', host: '10.0.0.1', port: 1 }, contact: 'sip:b@x' },
    ]);
    world.courier.send(outgoing({ recipients: [member('sip:bob@imc.test'), member('sip:eve@else.where')] }));
    world.turn();
    assert.deepEqual(
      world.sent.map(({ target, text }) => [target, text.split('\r\n').slice(0, 2).join(' ').slice(0, 81)]),
      [
        [
          { transport: 'tcp', host: '192.0.2.9', port: 5070 },
          'MESSAGE sip:bob@imc.test SIP/2.0 Via: SIP/2.0/TCP 192.0.2.1:5061;rport;branch=z9h',
        ],
        [
          { transport: 'tcp', host: '192.0.2.9', port: 5070 },
          'MESSAGE sip:eve@else.where SIP/2.0 Via: SIP/2.0/TCP 192.0.2.1:5061;rport;branch=z',
        ],
      ],
    );
  });

  it('waits for the proxy’s name to be known, and fails where it has no address', () => {
    const world = fanOutWorld({ outboundProxy: 'sip:proxy.example' });
    let found = (_: readonly { address: string; family: number }[]): void => {};
    world.network.lookup = (_, answer) => {
      found = answer;
    };
    const ended: string[] = [];
    world.courier.send(outgoing({ onDelivery: note(ended) }));
    world.turn();
    assert.equal(world.courier.queueDepth(), 1);
    found([]);
    world.turn();
    assert.deepEqual(ended, ['bob: unroutable']);
    world.advance(11_000);
    world.courier.send(outgoing());
    world.turn();
    found([{ address: '192.0.2.77', family: 4 }]);
    world.turn();
    assert.equal(world.sent[0]?.target.host, '192.0.2.77');
  });

  it('is a Contact without the headers of its URI, which no Request-URI may have (RFC 3261 19.1.1)', () => {
    const world = fanOutWorld();
    const target = { transport: 'udp', host: '10.0.0.1', port: 1 } as const;
    const contacts = ['sip:b@x;y=1?Subject=z', 'sip:x?Subject=z', 'sip:b?c@x'];
    world.bindings.set(
      'bob@imc.test',
      contacts.map((contact) => ({ target, contact })),
    );
    world.courier.send(outgoing());
    world.turn();
    assert.deepEqual(
      world.sent.map(({ text }) => text.slice(0, text.indexOf('\r'))),
      ['MESSAGE sip:b@x;y=1 SIP/2.0', 'MESSAGE sip:x SIP/2.0', 'MESSAGE sip:b?c@x SIP/2.0'],
    );
  });

  it('is every binding of the member, each with its Contact, by its flow', () => {
    const world = fanOutWorld();
    const flow: Flow = { id: 7, transport: 'tcp', local: { host: '192.0.2.1', port: 5061 }, open: true };
    const phone = { transport: 'udp', host: '10.0.0.1', port: 5062 } as const;
    const laptop = { transport: 'tcp', host: '10.0.0.2', port: 40_000, flow } as const;
    world.bindings.set('bob@imc.test', [
      { target: phone, contact: 'sip:bob@10.0.0.1:5062' },
      { target: laptop, contact: 'sip:bob@10.0.0.2:40000;transport=tcp' },
    ]);
    const ended: string[] = [];
    world.courier.send(outgoing({ recipients: [member('sip:Bob@IMC.test')], onDelivery: note(ended) }));
    world.turn();
    assert.deepEqual(
      world.sent.map(({ target }) => target),
      [phone, laptop],
    );
    assert.match(
      world.sent[0]?.text ?? '',
      /^MESSAGE sip:bob@10\.0\.0\.1:5062 SIP\/2\.0\r\n.*\r\n.*\r\nTo: <sip:Bob@IMC\.test>\r\n/,
    );
    assert.match(
      world.sent[1]?.text ?? '',
      /^MESSAGE sip:bob@10\.0\.0\.2:40000;transport=tcp SIP\/2\.0\r\nVia: SIP\/2\.0\/TCP /,
    );
    // The best of all devices: one refuses, the other takes it.
    for (const [i, request] of world.sent.entries()) world.answer(request, i === 0 ? 486 : 200);
    assert.deepEqual(ended, ['Bob: delivered']);
  });

  it('follows the bindings as they change, and fails where the last is gone', () => {
    const world = fanOutWorld();
    const ended: string[] = [];
    const send = (): void => {
      world.courier.send(outgoing({ onDelivery: note(ended) }));
      world.turn();
    };
    const at = (port: number) => [
      { target: { transport: 'udp' as const, host: '10.0.0.1', port }, contact: 'sip:b@c' },
    ];
    world.bindings.set('bob@imc.test', at(1));
    send();
    world.bindings.set('bob@imc.test', at(2));
    send();
    world.bindings.delete('bob@imc.test');
    send();
    assert.deepEqual(
      world.sent.map(({ target }) => target.port),
      [1, 2],
    );
    assert.deepEqual(ended, ['bob: unroutable']);
  });

  it('leaves out a Contact that would break the request line', () => {
    const world = fanOutWorld();
    const target = { transport: 'udp', host: '10.0.0.1', port: 1 } as const;
    world.bindings.set('bob@imc.test', [{ target, contact: 'sip:b SIP/2.0\r\nX: y' }]);
    const ended: string[] = [];
    world.courier.send(outgoing({ onDelivery: note(ended) }));
    world.turn();
    assert.deepEqual(world.sent, []);
    assert.deepEqual(ended, ['bob: unroutable']);
  });

  it('is the address of a foreign domain, asked for once', () => {
    const world = fanOutWorld();
    let asked = 0;
    world.network.lookup = (_, found) => {
      asked += 1;
      found([{ address: '198.51.100.1', family: 4 }]);
    };
    const recipients = members(40, 'else.where');
    for (let i = 0; i < 2; i += 1) world.courier.send(outgoing({ recipients }));
    world.turn();
    assert.equal(asked, 1);
    assert.equal(world.sent.length, 80);
    assert.deepEqual(world.sent[0]?.target, { transport: 'udp', host: '198.51.100.1', port: 5060 });
  });
});

describe('P-Asserted-Identity', () => {
  const assertedIdentity = member('sip:alice@imc.test');
  const asserted = (text: string | undefined): boolean =>
    text?.includes('\r\nP-Asserted-Identity: <sip:alice@imc.test>\r\n') === true;

  it('goes to the outbound proxy', () => {
    const world = fanOutWorld({ outboundProxy });
    world.courier.send(outgoing({ assertedIdentity }));
    world.turn();
    assert.equal(asserted(world.sent[0]?.text), true);
  });

  it('goes to trusted targets, and to no others', () => {
    const world = fanOutWorld();
    world.bindings.set('bob@imc.test', [
      { target: { transport: 'udp', host: '127.0.0.1', port: 1 }, contact: 'sip:b@c' },
      { target: { transport: 'udp', host: '10.0.0.1', port: 1 }, contact: 'sip:b@c' },
    ]);
    world.courier.send(outgoing({ assertedIdentity }));
    world.turn();
    assert.deepEqual(
      world.sent.map(({ text }) => asserted(text)),
      [true, false],
    );
  });
});

describe('what comes from outside', () => {
  it('writes no headers', () => {
    const world = fanOutWorld({ outboundProxy, extraHeaders: 'P-Flags: 3\\r\\nX-Room: yes\r\nno header' });
    world.courier.send(outgoing({ contentType: 'text/plain\r\nEvil: 1', inReplyTo: 'a\r\n\r\nb' }));
    world.turn();
    const [head, body] = (world.sent[0]?.text ?? '').split('\r\n\r\n');
    assert.deepEqual(head?.split('\r\n').slice(7), [
      'User-Agent: imcd/test',
      'In-Reply-To: a b',
      'P-Flags: 3',
      'X-Room: yes',
      'Content-Type: text/plain Evil: 1',
      'Content-Length: 5',
    ]);
    assert.equal(body, 'hello');
  });
});

describe('a header of the message', () => {
  it('is relayed as the bytes that came, which are Latin-1 here', () => {
    const world = fanOutWorld({ outboundProxy, extraHeaders: 'Organization: Bücher' });
    const utf8 = (text: string): string => Buffer.from(text).toString('latin1');
    world.courier.send(outgoing({ contentType: utf8('application/x; name="é"'), inReplyTo: utf8('ü@x') }));
    world.turn();
    const [head, body] = Buffer.from(world.sent[0]?.text ?? '', 'latin1')
      .toString('utf8')
      .split('\r\n\r\n');
    assert.deepEqual(head?.split('\r\n').slice(8), [
      'In-Reply-To: ü@x',
      'Organization: Bücher',
      'Content-Type: application/x; name="é"',
      'Content-Length: 5',
    ]);
    assert.equal(body, 'hello');
  });
});

describe('a request over 1,300 bytes towards UDP', () => {
  const body = Buffer.alloc(2_000, 'x');
  const noTcp = ({ transport }: { transport: string }): string | undefined =>
    transport === 'tcp' ? 'refused' : undefined;

  it('goes by TCP where that connects', () => {
    const world = fanOutWorld({ outboundProxy });
    world.courier.send(outgoing({ body }));
    world.turn();
    assert.deepEqual(
      world.sent.map(({ target }) => target),
      [{ transport: 'tcp', host: '192.0.2.9', port: 5070 }],
    );
    assert.match(world.sent[0]?.text ?? '', /Via: SIP\/2\.0\/TCP 192\.0\.2\.1:5061;/);
    assert.equal(world.courier.counters.largeOverTcp, 1);
  });

  it('goes by UDP all the same where TCP does not connect, which is remembered', () => {
    const world = fanOutWorld({ outboundProxy });
    world.network.fails = noTcp;
    const ended: string[] = [];
    let handedOver = 0;
    const message = outgoing({
      body,
      onDelivery: note(ended),
      onHandedOver: () => {
        handedOver += 1;
      },
    });
    world.courier.send(message);
    world.turn();
    assert.deepEqual(
      world.sent.map(({ target }) => target.transport),
      ['udp'],
    );
    assert.match(world.sent[0]?.text ?? '', /Via: SIP\/2\.0\/UDP 192\.0\.2\.1:5060;/);
    const [first] = world.sent;
    if (first !== undefined) world.answer(first, 202);
    assert.deepEqual(ended, ['bob: delivered']);
    assert.equal(handedOver, 1);
    world.courier.send(message);
    world.turn();
    assert.deepEqual([world.courier.counters.largeOverTcp, world.courier.counters.largeOverUdp, handedOver], [1, 2, 2]);
  });

  it('is cut into whole lines where it may be, and over TCP is not', () => {
    const lines = Array.from({ length: 100 }, (_, i) => `sip:member-number-${i}@imc.test`);
    const list = outgoing({ body: Buffer.from(['Members:', ...lines].join('\n')), split: 'lines' });
    const world = fanOutWorld({ outboundProxy });
    world.courier.send(list);
    world.turn();
    assert.ok(world.sent.length > 2);
    for (const { target, text } of world.sent) {
      assert.equal(target.transport, 'udp');
      assert.ok(text.length <= 1_300, `${text.length}`);
      assert.equal(Number(/Content-Length: (\d+)/.exec(text)?.[1]), text.split('\r\n\r\n')[1]?.length);
    }
    assert.equal(world.sent.map(({ text }) => text.split('\r\n\r\n')[1]).join('\n'), ['Members:', ...lines].join('\n'));
    const overTcp = fanOutWorld({ outboundProxy: `${outboundProxy};transport=tcp` });
    overTcp.courier.send(list);
    overTcp.turn();
    assert.equal(overTcp.sent.length, 1);
  });
});
