import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createTcp, type TcpOptions } from '../../../src/sip/transport/tcp/tcp.ts';
import type { Flow, Received, Transport } from '../../../src/sip/transport/transport.ts';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { quiet } from '../../support/world.ts';

const message = (body: string): string => `MESSAGE sip:a@b SIP/2.0\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

describe('TCP', () => {
  let clock: FakeClock;
  let tcp: Transport;
  let port = 0;
  let received: Received[];
  let arrived: () => void;
  const clients: Socket[] = [];

  const start = async (options: Partial<TcpOptions> = {}): Promise<void> => {
    await tcp?.close(0);
    clock = createFakeClock();
    received = [];
    arrived = () => {};
    tcp = createTcp({ clock, log: quiet, largestBody: 1_000, ...options });
    const listener = await tcp.listen({ host: '127.0.0.1', port: 0 }, (one) => {
      received.push(one);
      arrived();
    });
    port = listener.local.port;
  };
  beforeEach(() => start());
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    const closed = tcp.close(100);
    clock.advance(200);
    await closed;
  });

  const client = async (): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1');
    clients.push(socket);
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  };
  const arrivals = async (count: number): Promise<void> => {
    while (received.length < count) {
      await new Promise<void>((done) => {
        arrived = done;
      });
    }
  };
  const say = async (socket: Socket, text: string, messages: number): Promise<void> => {
    const before = received.length;
    socket.write(text);
    await arrivals(before + messages);
  };
  const closed = async (socket: Socket): Promise<void> => {
    socket.resume();
    if (!socket.closed) await once(socket, 'close');
  };
  const flowOf = (index: number): Received['from'] => {
    const from = received[index]?.from;
    assert.ok(from !== undefined);
    return from;
  };

  it('closes half a message that goes on no more after 30 s, and only that', async () => {
    const [silent, talking] = [await client(), await client()];
    await say(silent, `${message('one')}MESSAGE sip:half`, 1);
    await say(talking, message('two'), 1);
    clock.advance(29_000);
    assert.equal(tcp.counters.connections, 2);
    clock.advance(2_000);
    await closed(silent);
    assert.equal(tcp.counters.connections, 1);
    assert.equal(tcp.counters.dropped.unfinished, 1);
    await say(talking, message('three'), 1);
  });

  it('closes an idle connection after 3 minutes, unless its flow is needed', async () => {
    let needed: Flow | undefined;
    await start({ keep: (flow) => flow === needed });
    const [idle, registered] = [await client(), await client()];
    await say(idle, message('one'), 1);
    await say(registered, message('two'), 1);
    needed = flowOf(1).flow;
    clock.advance(181_000);
    await closed(idle);
    assert.equal(flowOf(0).flow.open, false);
    assert.equal(needed.open, true);
    const back = once(registered, 'data');
    tcp.send(flowOf(1), Buffer.from(message('back')), undefined, assert.fail);
    assert.equal(String((await back)[0]), message('back'));
  });

  it('hands on the head of a body that is too large, lets it be answered, and reads no more', async () => {
    const socket = await client();
    const answer = once(socket, 'data');
    await say(socket, `MESSAGE sip:a@b SIP/2.0\r\nContent-Length: 1001\r\n\r\n${message('hidden')}`, 1);
    assert.equal(received[0]?.cut, 'body-too-large');
    tcp.send(flowOf(0), Buffer.from('SIP/2.0 513 Message Too Large\r\n\r\n'), undefined, assert.fail);
    assert.match(String((await answer)[0]), /^SIP\/2\.0 513 /);
    socket.write(message('more'));
    clock.advance(3_000);
    await closed(socket);
    assert.equal(received.length, 1);
    assert.equal(tcp.counters.dropped['body-too-large'], 1);
  });

  it('closes at a head over 64 KiB', async () => {
    const socket = await client();
    socket.write(`MESSAGE sip:a@b SIP/2.0\r\nX: ${'a,'.repeat(40_000)}`);
    const reading = closed(socket);
    while (received.length === 0) await new Promise((done) => setImmediate(done));
    assert.equal(received[0]?.cut, 'head-too-large');
    assert.equal(received[0].bytes.length, 65_536);
    clock.advance(3_000);
    await reading;
    assert.equal(tcp.counters.dropped['head-too-large'], 1);
  });

  it('answers a keep-alive', async () => {
    const socket = await client();
    const pong = once(socket, 'data');
    socket.write('\r\n\r\n');
    assert.equal(String((await pong)[0]), '\r\n');
  });

  it('answers one who has closed his side', async () => {
    const socket = await client();
    const answer = once(socket, 'data');
    socket.end(message('last words'));
    await arrivals(1);
    tcp.send(flowOf(0), Buffer.from('SIP/2.0 200 OK\r\n\r\n'), undefined, assert.fail);
    assert.match(String((await answer)[0]), /^SIP\/2\.0 200 /);
  });

  it('looks after its connections once a second, also where one is dialled meanwhile', async () => {
    let rounds = 0;
    const keep = (): boolean => {
      rounds += 1;
      const nowhere = { transport: 'tcp', host: '127.0.0.1', port: 1 } as const;
      if (rounds === 1) tcp.send(nowhere, Buffer.from(message('x')), undefined, () => {});
      return true;
    };
    await start({ keep });
    await say(await client(), message('one'), 1);
    while (rounds === 0) clock.advance(1_000);
    clock.advance(10_000);
    assert.equal(rounds, 11);
  });

  it('takes so many connections of one peer and no more', async () => {
    await start({ maxPerPeer: 2 });
    const [first] = [await client(), await client()];
    await closed(await client());
    assert.equal(tcp.counters.connections, 2);
    assert.equal(tcp.counters.dropped.connections, 1);
    await say(first, message('still served'), 1);
  });

  it('drops for a reader that does not read, counted, and hangs up after 30 s', async () => {
    const socket = await client();
    await say(socket, message('one'), 1);
    socket.pause();
    const large = Buffer.from(message('x'.repeat(60_000)));
    let overflows = 0;
    for (let i = 0; i < 400; i += 1) {
      tcp.send(flowOf(0), large, undefined, (reason) => {
        if (reason === 'overflow') overflows += 1;
      });
    }
    assert.ok(overflows > 0 && overflows < 400, `${overflows}`);
    assert.equal(tcp.counters.failures.overflow, overflows);
    await new Promise(setImmediate);
    clock.advance(31_000);
    assert.equal(tcp.counters.connections, 0);
    assert.equal(tcp.counters.dropped.stalled, 1);
  });

  it('uses a dialled connection again, both ways, and dials anew when it is gone', async () => {
    const peers: Socket[] = [];
    const server = createServer((socket) => {
      peers.push(socket);
      socket.on('error', () => {});
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    const target = { transport: 'tcp', host: '127.0.0.1', port: address.port } as const;
    for (const body of ['one', 'two']) tcp.send(target, Buffer.from(message(body)), undefined, assert.fail);
    await once(server, 'connection');
    const [peer] = peers;
    assert.ok(peer !== undefined);
    let got = '';
    while (got.length < 2 * message('one').length) got += String((await once(peer, 'data'))[0]);
    assert.equal(got, message('one') + message('two'));
    peer.write('SIP/2.0 200 OK\r\nl: 0\r\n\r\n');
    await arrivals(1);
    assert.equal(flowOf(0).port, address.port);
    peer.destroy();
    while (flowOf(0).flow.open) await new Promise(setImmediate);
    tcp.send(target, Buffer.from(message('three')), undefined, assert.fail);
    const [second] = await once(server, 'connection');
    assert.equal(String((await once(second, 'data'))[0]), message('three'));
    for (const one of peers) one.destroy();
    server.close();
  });

  it('does not dial a place that refused for another second', async () => {
    const target = { transport: 'tcp', host: '127.0.0.1', port: 1 } as const;
    const send = () => new Promise((failed) => tcp.send(target, Buffer.from(message('x')), undefined, failed));
    assert.equal(await send(), 'refused');
    let now = '';
    tcp.send(target, Buffer.from(message('x')), undefined, (reason) => {
      now = reason;
    });
    assert.equal(now, 'refused');
    clock.advance(1_001);
    now = '';
    const later = send();
    assert.equal(now, '');
    assert.equal(await later, 'refused');
  });

  it('gives up a connection that is not made in 4 s', async () => {
    // TEST-NET-1 (RFC 5737): nobody is there; where the machine has no way out, that is told at once.
    const target = { transport: 'tcp', host: '192.0.2.1', port: 5060 } as const;
    const failed = new Promise((done) => tcp.send(target, Buffer.from(message('x')), undefined, done));
    clock.advance(4_001);
    assert.ok(['no-connection', 'unroutable'].includes(String(await failed)));
  });
});
