import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addressedBy, type RoutingRule, serves } from '../../src/room/routing-rule.ts';

const rule: RoutingRule = {
  domains: new Set(['example.org', '[::1]']),
  manager: /^(?:chat-manager|chat-0)$/i,
  rooms: /^chat-[0-9]+$/i,
};

describe('the routing rule', () => {
  it('names rooms and the manager by their user parts, and nothing else', () => {
    assert.equal(addressedBy(rule, 'chat-12'), 'room');
    assert.equal(addressedBy(rule, 'CHAT-12'), 'room');
    assert.equal(addressedBy(rule, 'Chat-Manager'), 'manager');
    assert.equal(addressedBy(rule, 'alice'), undefined);
    assert.equal(addressedBy(rule, ''), undefined);
  });

  it('takes a user part that both patterns match for the manager: no room of that name can be reached', () => {
    assert.ok(rule.rooms.test('chat-0'));
    assert.equal(addressedBy(rule, 'chat-0'), 'manager');
  });

  it('serves a domain in any case, and none beneath or beside it', () => {
    assert.ok(serves(rule, 'Example.ORG'));
    assert.ok(serves(rule, '[::1]'));
    assert.ok(!serves(rule, 'a.example.org'));
    assert.ok(!serves(rule, 'example.org.'));
  });
});
