import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { after, before, describe, it } from 'node:test';
import { MemberUri } from '../../../src/room/address.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { type CourierOptions, createCourier, type FanOutCourier } from '../../../src/sip/fan-out/courier.ts';
import { ClientTransactions } from '../../../src/sip/transaction/client.ts';
import { createResolver, nextHopOf } from '../../../src/sip/transport/resolve.ts';
import { createSentBy } from '../../../src/sip/transport/sent-by.ts';
import type { Transport } from '../../../src/sip/transport/transport.ts';
import { createUdp } from '../../../src/sip/transport/udp.ts';
import { countingIds, quiet } from '../../support/world.ts';

const member = (text: string): MemberUri => {
  if (!MemberUri.is(text)) throw new Error(`${text} is no member's URI`);
  return text;
};

describe('a fan-out over UDP', () => {
  let udp: Transport;
  let transactions: ClientTransactions;
  let sink: Socket;
  let courier: FanOutCourier;
  let proxy = '';
  const requests: string[] = [];
  let statusFor = (_request: string): string => '200 OK';

  const courierWith = (options: Partial<CourierOptions>, port: number): FanOutCourier =>
    createCourier({
      clock: systemClock,
      transactions,
      send: udp.send,
      resolver: createResolver({ clock: systemClock, usable: (family) => family === 4 }),
      sentBy: createSentBy([{ transport: 'udp', local: { host: '127.0.0.1', port } }]),
      reachable: () => [],
      served: (domain) => domain === 'imc.test',
      trusted: () => false,
      userAgent: 'imcd/test',
      ...options,
    });

  let port = 0;
  before(async () => {
    udp = createUdp(quiet);
    transactions = new ClientTransactions({ clock: systemClock, ids: countingIds() });
    const listener = await udp.listen({ host: '127.0.0.1', port: 0 }, ({ bytes }) => transactions.response(bytes));
    port = listener.local.port;
    sink = createSocket('udp4');
    await new Promise<void>((done) => sink.bind(0, '127.0.0.1', done));
    sink.on('message', (bytes, from) => {
      const request = bytes.toString();
      requests.push(request);
      const lines = request.split('\r\n').filter((line) => /^(Via|From|To|Call-ID|CSeq):/.test(line));
      const answer = `SIP/2.0 ${statusFor(request)}\r\n${lines.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`;
      sink.send(answer, from.port, from.address);
    });
    proxy = `sip:127.0.0.1:${sink.address().port}`;
    courier = courierWith({ outboundProxy: nextHopOf(proxy) }, port);
  });
  after(async () => {
    transactions.close();
    await udp.close(100);
    sink.close();
  });

  it('sends each copy to the letter', async () => {
    requests.length = 0;
    await new Promise<void>((done) =>
      courier.send({
        from: 'sip:chat-1@imc.test',
        recipients: [member('sip:bob@imc.test')],
        contentType: 'text/plain',
        body: Buffer.from('<alice@imc.test>: hi'),
        inReplyTo: 'abc@client',
        onDelivery: () => done(),
      }),
    );
    const unique = /branch=z9hG4bK([a-z0-9]{24})/.exec(requests[0] ?? '')?.[1];
    assert.ok(unique !== undefined);
    assert.equal(
      requests[0],
      [
        'MESSAGE sip:bob@imc.test SIP/2.0',
        `Via: SIP/2.0/UDP 127.0.0.1:${port};rport;branch=z9hG4bK${unique}`,
        'Max-Forwards: 70',
        'To: <sip:bob@imc.test>',
        `From: <sip:chat-1@imc.test>;tag=${unique}`,
        `Call-ID: ${unique}`,
        'CSeq: 10 MESSAGE',
        'User-Agent: imcd/test',
        'In-Reply-To: abc@client',
        'Content-Type: text/plain',
        'Content-Length: 20',
        '',
        '<alice@imc.test>: hi',
      ].join('\r\n'),
    );
  });

  it('gives every copy a branch, Call-ID and tag of its own, leaves the sender out, and tells how each delivery ended', async () => {
    requests.length = 0;
    statusFor = (request) => (request.startsWith('MESSAGE sip:m7@') ? '486 Busy Here' : '200 OK');
    const recipients = Array.from({ length: 300 }, (_, i) => member(`sip:m${i}@imc.test`));
    const ended = new Map<string, string>();
    let handedOver = 0;
    await new Promise<void>((done) =>
      courier.send({
        from: 'sip:chat-1@imc.test',
        recipients,
        except: member('sip:M3@imc.test'),
        contentType: 'text/plain',
        body: Buffer.from('hello'),
        onHandedOver: () => {
          handedOver += 1;
        },
        onDelivery: (recipient, delivery) => {
          ended.set(recipient, delivery.kind === 'failed' ? delivery.reason : delivery.kind);
          if (ended.size === 299) done();
        },
      }),
    );
    statusFor = () => '200 OK';
    assert.equal(handedOver, 1);
    assert.equal(requests.length, 299);
    assert.equal(new Set(requests.map((r) => /branch=(\S+)/.exec(r)?.[1])).size, 299);
    assert.equal(new Set(requests.map((r) => /Call-ID: (\S+)/.exec(r)?.[1])).size, 299);
    assert.equal(new Set(requests.map((r) => /tag=(\S+)/.exec(r)?.[1])).size, 299);
    assert.equal(ended.get('sip:m7@imc.test'), '486');
    assert.equal(ended.get('sip:m8@imc.test'), 'delivered');
    assert.equal(ended.has('sip:m3@imc.test'), false);
    assert.equal(transactions.pending(), 0);
    assert.equal(courier.queueDepth(), 0);
  });

  it('fails at once for a user of ours without a binding', async () => {
    const direct = courierWith({}, port);
    const delivery = await new Promise((done) =>
      direct.send({
        from: 'sip:chat-1@imc.test',
        recipients: [member('sip:nobody@imc.test')],
        contentType: 'text/plain',
        body: Buffer.from('hello'),
        onDelivery: (_, ended) => done(ended),
      }),
    );
    assert.deepEqual(delivery, { kind: 'failed', reason: 'unroutable' });
  });
});
