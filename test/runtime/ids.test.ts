import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomIds } from '../../src/runtime/ids.ts';

describe('ids', () => {
  const ids = randomIds();

  it('makes UUIDs of version 7, each once, that begin with the time', () => {
    const before = Date.now();
    const made = Array.from({ length: 20_000 }, () => ids.uuid());
    const after = Date.now();
    assert.equal(new Set(made).size, made.length);
    for (const uuid of made) {
      assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      const time = Number.parseInt(uuid.replace('-', '').slice(0, 12), 16);
      assert.ok(time >= before && time <= after, uuid);
    }
  });

  it('draws every bit of a UUID that is not time, version or variant', () => {
    const made = Array.from({ length: 500 }, () => ids.uuid().replaceAll('-', ''));
    const free = [...'0123456789abcdef'];
    for (let digit = 12; digit < 32; digit += 1) {
      const seen = new Set(made.map((uuid) => uuid[digit]));
      if (digit === 12) assert.deepEqual(seen, new Set('7'));
      else if (digit === 16) assert.equal(seen.size, 4);
      else assert.equal(seen.size, free.length, `digit ${digit}`);
    }
  });

  it('makes tokens of at least 64 bits in lower-case letters and digits', () => {
    const made = Array.from({ length: 20_000 }, () => ids.token());
    assert.equal(new Set(made).size, made.length);
    for (const token of made) assert.match(token, /^[0-9a-z]{13,}$/);
  });
});
