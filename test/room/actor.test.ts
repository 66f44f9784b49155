import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Actor, isOperator, Operator, systemOperator, withScheme } from '../../src/room/actor.ts';
import { importer } from '../../src/room/import.ts';

describe('who acts', () => {
  it('is, of imcd itself, an operator as its codec wants one', () => {
    for (const own of [systemOperator, importer]) {
      assert.ok(Operator.is(own), own);
      assert.ok(Actor.is(own), own);
      assert.ok(isOperator(own), own);
    }
  });

  it('has a scheme where it is sips, and otherwise none at all', () => {
    assert.deepEqual(withScheme({ scheme: 'sips' }), { scheme: 'sips' });
    assert.deepEqual(withScheme({ scheme: 'sip' }), {});
    assert.deepEqual(withScheme({ scheme: undefined }), {});
    assert.deepEqual(withScheme({}), {});
  });
});
