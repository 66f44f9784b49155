import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import { loadConfig } from '../../src/config/load.ts';

const problems = async (commandLine: Record<string, string>): Promise<string> => {
  const config = await loadConfig({ file: undefined, environment: {}, commandLine })();
  return E.isLeft(config) ? config.left.map(({ path }) => path).join() : '';
};

describe('on an address that is not loopback', () => {
  const off = { listen: 'udp:192.0.2.1:5060' };
  it('it does not start where only loopback is trusted', async () => {
    assert.equal(await problems(off), 'listen');
    assert.equal(await problems({ listen: 'tcp:0.0.0.0:5060' }), 'listen');
    assert.equal(await problems({ listen: 'udp:[::]:5060' }), 'listen');
    assert.equal(await problems({ listen: 'udp:sip.example.org:5060' }), 'listen');
    assert.equal(await problems({ ...off, trusted: '127.0.0.1,::1,127.0.0.0/16' }), 'listen');
  });
  it('it starts where a proxy is trusted, or open is set', async () => {
    assert.equal(await problems({ ...off, trusted: '192.0.2.9' }), '');
    assert.equal(await problems({ ...off, trusted: '127.0.0.0/7' }), '', 'a network that reaches beyond loopback');
    assert.equal(await problems({ ...off, open: 'true' }), '');
  });
  it('MI over HTTP needs a token, datagrams are refused', async () => {
    assert.equal(await problems({ 'mi.http': '0.0.0.0:8888' }), 'mi.http');
    assert.equal(await problems({ 'mi.http': '0.0.0.0:8888', 'mi.token': '0123456789abcdef' }), '');
    assert.equal(await problems({ 'mi.http': '0.0.0.0:8888', 'mi.token': 'short' }), 'mi.token');
    assert.equal(await problems({ 'mi.datagram': '192.0.2.1:9999' }), 'mi.datagram');
    assert.equal(await problems({ 'mi.datagram': '127.0.0.1:9999' }), '');
  });
});

describe('the routing rule', () => {
  const rooms = async (pattern: string) => {
    const config = await loadConfig({ file: undefined, environment: {}, commandLine: { rooms: pattern } })();
    assert.ok(E.isRight(config));
    return config.right.rooms;
  };
  it('matches the whole user part without regard to case', async () => {
    const pattern = await rooms('chat-[0-9]+|lobby');
    for (const user of ['chat-1', 'CHAT-22', 'lobby']) assert.equal(pattern.test(user), true, user);
    for (const user of ['chat-', 'chat-1x', 'xchat-1', 'lobby2', 'chat-1\n'])
      assert.equal(pattern.test(user), false, user);
  });
  it('takes ordinary patterns', async () => {
    for (const [pattern, user] of [
      ['(?:room|chat)-[0-9]{1,6}', 'Room-123456'],
      ['[a-z]+-(x|y)', 'abc-Y'],
      ['a+b*c?', 'aab'],
      ['[(+*]+', '(+*'],
      ['(ab)*', 'abAB'],
      ['\\(a+\\)', '(aa)'],
      ['^chat-\\d+$', 'chat-1'],
    ] as const) {
      const compiled = await rooms(pattern);
      assert.equal(compiled.test(user), true, pattern);
      assert.equal(compiled.test(`${user}\n`), false, pattern);
    }
  });
  // A backtracking engine takes 32 s for forty `a`, and does not live to see the end of these.
  it('takes no longer than the user part is, whatever the pattern', { timeout: 60_000 }, async () => {
    for (const pattern of ['(?:aa?)+x', '([a-z]+)*x', '(a|a)*x', '(a+)+x', 'a*a*a*a*a*x', '(a?){40}x', '(.*)(.*)(.*)x'])
      assert.equal((await rooms(pattern)).test('a'.repeat(65_536)), false, pattern);
  });
});
