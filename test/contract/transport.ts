import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Received, Target, Transport } from '../../src/sip/transport/transport.ts';

/** What every transport keeps, whatever carries it. */
export interface TransportSubject {
  readonly name: string;
  readonly create: () => Transport;
  /** Sends raw bytes to a listener, as a stranger would, and calls back once they are out. */
  readonly throwAt: (port: number, bytes: Uint8Array) => Promise<void>;
  /** A target that nothing can be sent to, and the failures that may tell so. */
  readonly unreachable: { readonly target: Target; readonly reasons: readonly string[] };
}

const message = (body: string): Buffer =>
  Buffer.from(`MESSAGE sip:a@b SIP/2.0\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);

export const transportContract = (subject: TransportSubject): void => {
  describe(`transport ${subject.name}`, () => {
    let here: Transport;
    let there: Transport;
    let port = 0;
    let received: Received[] = [];
    let arrived = (): void => {};

    const arrivals = async (count: number): Promise<void> => {
      while (received.length < count) {
        await new Promise<void>((done) => {
          arrived = done;
        });
      }
    };
    const target = (): Target => ({ transport: here.name, host: '127.0.0.1', port });
    const unexpected = (reason: string): void => assert.fail(`send failed: ${reason}`);

    beforeEach(async () => {
      received = [];
      here = subject.create();
      there = subject.create();
      const listener = await there.listen({ host: '127.0.0.1', port: 0 }, (one) => {
        received.push(one);
        arrived();
      });
      port = listener.local.port;
    });
    afterEach(async () => {
      await Promise.all([here.close(500), there.close(500)]);
    });

    it('binds port 0 to a port of its own, and says so', () => assert.notEqual(port, 0));

    it('refuses an address that is taken, with a sentence', async () => {
      await assert.rejects(
        here.listen({ host: '127.0.0.1', port }, () => {}),
        /cannot listen on .*: another program listens there/,
      );
    });

    it('names an address of IPv6 that it cannot bind in brackets', async () => {
      await assert.rejects(
        here.listen({ host: '2001:db8::1', port: 5060 }, () => {}),
        (error: Error) => error.message.startsWith(`cannot listen on ${here.name}:[2001:db8::1]:5060: `),
      );
    });

    it('refuses an address that is none', async () => {
      await assert.rejects(
        here.listen({ host: 'nowhere', port: 0 }, () => {}),
        /not an IP address/,
      );
    });

    it('carries a message whole, head and tail, there and back by its flow', async () => {
      let answer: Received | undefined;
      let answered = (): void => {};
      const back = new Promise<void>((done) => {
        answered = done;
      });
      await here.listen({ host: '127.0.0.1', port: 0 }, (one) => {
        answer = one;
        answered();
      });
      const whole = message('there');
      here.send(target(), whole.subarray(0, 30), whole.subarray(30), unexpected);
      await arrivals(1);
      assert.deepEqual(received[0]?.bytes, whole);
      assert.equal(received[0]?.cut, undefined);
      const from = received[0]?.from;
      assert.ok(from !== undefined);
      assert.equal(from.flow.open, true);
      there.send(from, message('back'), undefined, unexpected);
      await back;
      assert.deepEqual(answer?.bytes, message('back'));
    });

    it('lets go of bytes that it said were taken', async () => {
      await here.listen({ host: '127.0.0.1', port: 0 }, () => {});
      const head = message('0');
      for (let i = 0; i < 10; i += 1) {
        head[head.length - 1] = 0x30 + i;
        assert.equal(here.send(target(), head, undefined, unexpected), true);
      }
      await arrivals(10);
      const bodies = received.map(({ bytes }) => bytes.toString('latin1').slice(-1));
      assert.equal(bodies.sort().join(''), '0123456789');
    });

    it('carries 60,000 bytes', async () => {
      await here.listen({ host: '127.0.0.1', port: 0 }, () => {});
      const large = message('x'.repeat(60_000));
      here.send(target(), large, undefined, unexpected);
      await arrivals(1);
      assert.equal(received[0]?.bytes.equals(large), true);
    });

    it('lives through garbage', async () => {
      await here.listen({ host: '127.0.0.1', port: 0 }, () => {});
      for (const garbage of ['\0\0\0\0', '\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n', '\xff'.repeat(2_000), 'SIP/2.0 200']) {
        await subject.throwAt(port, Buffer.from(garbage, 'latin1'));
      }
      here.send(target(), message('still here'), undefined, unexpected);
      while (!received.some(({ bytes }) => bytes.equals(message('still here')))) await arrivals(received.length + 1);
    });

    it('makes an unreachable target a failed send', async () => {
      await here.listen({ host: '127.0.0.1', port: 0 }, () => {});
      const reason = await new Promise<string>((failed) => {
        here.send(subject.unreachable.target, message('lost'), undefined, failed);
      });
      assert.ok(subject.unreachable.reasons.includes(reason), reason);
      assert.equal(here.counters.failures[reason], 1);
    });

    it('fails a send to a name, and to no port', async () => {
      await here.listen({ host: '127.0.0.1', port: 0 }, () => {});
      const { name } = here;
      for (const wrong of [
        { transport: name, host: 'example.invalid', port: 5060 },
        { transport: name, host: '127.0.0.1', port: 0 },
      ]) {
        const reason = await new Promise((failed) => here.send(wrong, message('lost'), undefined, failed));
        assert.equal(reason, 'unroutable');
      }
    });

    it('fails sends after close', async () => {
      await here.listen({ host: '127.0.0.1', port: 0 }, () => {});
      here.send(target(), message('last'), undefined, unexpected);
      await arrivals(1);
      const flow = received[0]?.from;
      assert.ok(flow !== undefined);
      await there.close(500);
      assert.equal(flow.flow.open, false);
      const reason = await new Promise<string>((failed) => there.send(flow, message('late'), undefined, failed));
      assert.ok(reason === 'closed' || reason === 'unroutable', reason);
    });
  });
};
