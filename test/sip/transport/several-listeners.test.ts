import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { describe, it } from 'node:test';
import { createSentBy } from '../../../src/sip/transport/sent-by.ts';
import { createUdp } from '../../../src/sip/transport/udp.ts';
import { quiet } from '../../support/world.ts';

const own = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

describe('of several listeners the one that reaches the next hop', () => {
  const at = (transport: 'udp' | 'tcp', host: string, port: number) => ({ transport, local: { host, port } });

  it('stands in Via', () => {
    const sentBy = createSentBy([
      at('udp', '127.0.0.1', 5060),
      at('udp', '::1', 5061),
      at('udp', '192.0.2.1', 5062),
      at('tcp', '192.0.2.1', 5063),
      at('tcp', '127.0.0.1', 5064),
    ]);
    assert.equal(sentBy('udp', '127.0.0.9'), '127.0.0.1:5060');
    assert.equal(sentBy('udp', '198.51.100.7'), '192.0.2.1:5062');
    assert.equal(sentBy('udp', '2001:db8::7'), '[::1]:5061', 'the only one of its family');
    assert.equal(sentBy('tcp', '127.0.0.9'), '127.0.0.1:5064');
    assert.equal(sentBy('tcp', '198.51.100.7'), '192.0.2.1:5063');
  });

  it('is the UDP socket that a message leaves by', {
    timeout: 5_000,
    skip: own === undefined && 'this machine has no IPv4 address but loopback',
  }, async (t) => {
    const udp = createUdp(quiet);
    t.after(() => udp.close(0));
    const loopback = await udp.listen({ host: '127.0.0.1', port: 0 }, () => {});
    const other = await udp.listen({ host: own ?? '', port: 0 }, () => {});
    const sourceAt = async (host: string): Promise<number> => {
      const sink = createSocket('udp4');
      t.after(() => sink.close());
      await new Promise<void>((done) => sink.bind(0, host, done));
      const arrived = once(sink, 'message', { signal: t.signal });
      udp.send({ transport: 'udp', host, port: sink.address().port }, Buffer.from('x'), undefined, undefined);
      const [, from] = await arrived;
      return from.port;
    };
    assert.equal(await sourceAt(own ?? ''), other.local.port);
    assert.equal(await sourceAt('127.0.0.1'), loopback.local.port);
  });
});
