import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  isLoopback,
  isLoopbackAddress,
  isLoopbackNetwork,
  parseHostPort,
  parseNetwork,
  reachableHere,
  showHostPort,
  showNetwork,
  showTransportAddress,
  splitHostPort,
  within,
  withoutBrackets,
} from '../../src/net/address.ts';

describe('a host with a port, or without', () => {
  it('is read as it is written in options', () => {
    assert.deepEqual(parseHostPort('sip.example.org'), { host: 'sip.example.org' });
    assert.deepEqual(parseHostPort('192.0.2.1:5060'), { host: '192.0.2.1', port: 5060 });
    assert.deepEqual(parseHostPort('[2001:db8::1]'), { host: '2001:db8::1' });
    assert.deepEqual(parseHostPort('[::1]:0'), { host: '::1', port: 0 });
  });
  it('is refused where it is none', () => {
    for (const text of [
      '',
      ':1',
      '::1',
      '[::1',
      '[1]',
      '[::g]',
      'a b',
      'a_b',
      '-a',
      '300.1.1.1',
      'a:65536',
      'a:',
      'u@a',
    ])
      assert.equal(parseHostPort(text), undefined, text);
  });
  it('may be cut where the host need be no name of DNS', () => {
    assert.deepEqual(splitHostPort('my_host:80'), { host: 'my_host', port: 80 });
    for (const text of ['', 'a b', 'a:b', 'u@a', 'a/b', '[::g]:1']) assert.equal(splitHostPort(text), undefined, text);
  });
  it('is shown as it is read, an IPv6 address in brackets', () => {
    const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
    const port = fc.option(fc.integer({ min: 0, max: 65_535 }), { nil: undefined });
    fc.assert(
      fc.property(host, port, (name, number) => {
        const one = number === undefined ? { host: name } : { host: name, port: number };
        assert.deepEqual(parseHostPort(showHostPort(one)), one);
      }),
    );
    assert.equal(showTransportAddress({ transport: 'tcp', host: '2001:db8::1', port: 5060 }), 'tcp:[2001:db8::1]:5060');
    assert.equal(withoutBrackets('[::1]'), '::1');
    assert.equal(withoutBrackets('example.org'), 'example.org');
  });
  it('that is every address is reached on loopback', () => {
    const here = ['0.0.0.0', '::', '192.0.2.1'].map(reachableHere);
    assert.deepEqual(here, ['127.0.0.1', '::1', '192.0.2.1']);
  });
});

describe('networks', () => {
  it('are read and shown in CIDR', () => {
    for (const text of ['192.0.2.0/24', '192.0.2.1', '2001:db8::/32', '::1', '0.0.0.0/0']) {
      const network = parseNetwork(text);
      assert.ok(network !== undefined, text);
      assert.equal(showNetwork(network), text);
    }
    for (const text of ['', '10.0.0.0/33', '::/129', '10.0.0.0/8/8', '10.0.0.0/', 'example.org', '[::1]'])
      assert.equal(parseNetwork(text), undefined, text);
  });
  it('contain an IPv4 address also where it comes mapped into IPv6', () => {
    const trusted = within([{ address: '192.0.2.0', prefix: 24, family: 'ipv4' }]);
    assert.equal(trusted('192.0.2.77'), true);
    assert.equal(trusted('::ffff:192.0.2.77'), true);
    assert.equal(trusted('192.0.3.1'), false);
    assert.equal(trusted('not an address'), false);
  });
  it('know loopback', () => {
    for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost']) assert.equal(isLoopback(host), true, host);
    for (const host of ['0.0.0.0', '::', '128.0.0.1', 'localhost.example', '127.example.org'])
      assert.equal(isLoopback(host), false, host);
  });
  it('know loopback alike, whether asked by the options or by the fan-out', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('127.0.0.1', '127.255.0.9')), (address) => {
        // The fan-out is given addresses in their shortest form.
        fc.pre(!address.includes(':') || address === '::1');
        assert.equal(isLoopbackAddress(address), isLoopback(address));
      }),
    );
    assert.equal(isLoopbackAddress('::1'), true);
    assert.equal(isLoopbackAddress('2001:db8::1'), false);
  });
  it('lie within loopback, or reach beyond it', () => {
    const isWithin = ['127.0.0.0/8', '127.9.0.0/16', '::1', '127.0.0.0/7', '::/0', '10.0.0.1'].map((text) => {
      const network = parseNetwork(text);
      return network !== undefined && isLoopbackNetwork(network);
    });
    assert.deepEqual(isWithin, [true, true, true, false, false, false]);
  });
});
