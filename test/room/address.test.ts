import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MemberUri, memberKey } from '../../src/room/address.ts';

describe('1. identity and canonical form', () => {
  it('has one identity for both cases', () => {
    const uri = 'sip:Alice@Example.org';
    assert.ok(MemberUri.is(uri));
    assert.equal(memberKey(uri), 'alice@example.org');
  });
});
