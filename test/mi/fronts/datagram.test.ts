import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { newMiCounters } from '../../../src/mi/counters.ts';
import { createMiDispatch } from '../../../src/mi/dispatch.ts';
import { openMiDatagram } from '../../../src/mi/fronts/datagram.ts';
import { logTo } from '../../../src/runtime/log.ts';
import { fakePorts, put, room } from '../fake-ports.ts';

describe('MI over datagrams', () => {
  it('answers one datagram with one, says so where the answer is too long, and says nothing without id', async () => {
    const fake = fakePorts();
    const log = logTo({ write: () => true }, 'info');
    const dispatch = createMiDispatch(fake.ports, log, newMiCounters());
    const mi = await openMiDatagram({ host: '127.0.0.1', port: 0, dispatch, log });
    const socket = createSocket('udp4');
    const ask = async (text: string) => {
      const answer = once(socket, 'message');
      socket.send(text, mi.address.port, '127.0.0.1');
      return JSON.parse(String((await answer)[0]));
    };
    assert.match((await ask('{"jsonrpc":"2.0","method":"version","id":1}')).result.Server, /^imcd/);
    assert.equal((await ask('\u0000\u0001')).error.code, -32700);
    for (let i = 0; i < 3_000; i += 1) put(fake, room(`chat-${i}`, 'alice'));
    const long = await ask('{"jsonrpc":"2.0","method":"list_rooms","id":"long"}');
    assert.deepEqual([long.id, long.error.message], ['long', 'the answer is too long for a datagram']);
    socket.send('{"jsonrpc":"2.0","method":"version"}', mi.address.port, '127.0.0.1');
    assert.equal((await ask('{"jsonrpc":"2.0","method":"pwd","id":"next"}')).id, 'next');
    await assert.rejects(openMiDatagram({ host: '127.0.0.1', port: mi.address.port, dispatch, log }), /cannot listen/);
    socket.close();
    await mi.close();
  });
});
