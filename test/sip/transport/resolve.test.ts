import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { createResolver, nextHopOf, type Resolver } from '../../../src/sip/transport/resolve.ts';
import type { Target } from '../../../src/sip/transport/transport.ts';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';

describe('the next hop of a URI', () => {
  for (const [uri, hop] of [
    ['sip:192.0.2.1', { host: '192.0.2.1', port: 5060, transport: 'udp' }],
    ['sip:192.0.2.1:5080;transport=tcp', { host: '192.0.2.1', port: 5080, transport: 'tcp' }],
    ['sip:[2001:db8::1]:5080', { host: '2001:db8::1', port: 5080, transport: 'udp' }],
    ['SIP:alice@Example.ORG;lr;Transport=TCP', { host: 'example.org', port: 5060, transport: 'tcp' }],
    ['sip:a%40b@example.org?subject=x', { host: 'example.org', port: 5060, transport: 'udp' }],
    ['sips:alice@example.org', undefined],
    ['sip:example.org;transport=tls', undefined],
    ['sip:example.org:0', undefined],
    ['sip:example.org:70000', undefined],
    ['sip:exa mple', undefined],
    ['tel:123', undefined],
    ['', undefined],
  ] as const) {
    it(`of ${uri || 'nothing'}`, () => assert.deepEqual(nextHopOf(uri), hop));
  }
});

describe('the resolver', () => {
  let clock: FakeClock;
  let asked: { host: string; found: (addresses: { address: string; family: number }[]) => void }[];
  let resolver: Resolver;
  beforeEach(() => {
    clock = createFakeClock();
    asked = [];
    resolver = createResolver({
      clock,
      usable: (family) => family === 4,
      lookup: (host, found) => asked.push({ host, found }),
      limit: 4,
    });
  });
  const results: (Target | undefined)[] = [];
  const resolve = (host: string): void => {
    results.length = 0;
    resolver.resolve({ host, port: 5060, transport: 'udp' }, (target) => results.push(target));
  };

  it('answers literals and localhost at once', () => {
    resolve('192.0.2.7');
    assert.deepEqual(results, [{ host: '192.0.2.7', port: 5060, transport: 'udp' }]);
    resolve('localhost');
    assert.equal(results[0]?.host, '127.0.0.1');
    assert.deepEqual(asked, []);
  });

  it('knows no way to an address of a family that nothing listens on', () => {
    resolve('2001:db8::1');
    assert.deepEqual(results, [undefined]);
  });

  it('asks once for all who wait, remembers a minute, and takes the first usable address', () => {
    const both: (string | undefined)[] = [];
    for (let i = 0; i < 2; i += 1) {
      resolver.resolve({ host: 'h.example', port: 5060, transport: 'udp' }, (target) => both.push(target?.host));
    }
    asked[0]?.found([
      { address: '2001:db8::1', family: 6 },
      { address: '192.0.2.1', family: 4 },
    ]);
    assert.deepEqual(both, ['192.0.2.1', '192.0.2.1']);
    clock.advance(59_000);
    resolve('h.example');
    assert.equal(results[0]?.host, '192.0.2.1');
    assert.equal(asked.length, 1);
    clock.advance(2_000);
    resolve('h.example');
    assert.equal(asked.length, 2);
  });

  it('remembers for 10 s that a name has no address', () => {
    resolve('gone.example');
    asked[0]?.found([]);
    resolve('gone.example');
    assert.deepEqual(results, [undefined]);
    clock.advance(11_000);
    resolve('gone.example');
    assert.equal(asked.length, 2);
  });

  it('asks for three at a time, and fails what is over its bound', () => {
    for (const host of ['a', 'b', 'c', 'd']) resolve(`${host}.example`);
    assert.deepEqual(
      asked.map(({ host }) => host),
      ['a.example', 'b.example', 'c.example'],
    );
    resolve('e.example');
    assert.deepEqual(results, [undefined]);
    asked[0]?.found([]);
    assert.equal(asked[3]?.host, 'd.example');
  });
});
