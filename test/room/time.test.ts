import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import { eventTime, parseTime } from '../../src/room/time.ts';

describe('a time of RFC 3339', () => {
  it('is read in any zone, and becomes one of UTC and milliseconds', () => {
    for (const [text, time] of [
      ['2026-11-22T14:00:00Z', '2026-11-22T14:00:00.000Z'],
      ['2026-11-22t15:00:03.5+01:00', '2026-11-22T14:00:03.500Z'],
      ['2026-11-22 14:00:00.123456789z', '2026-11-22T14:00:00.123Z'],
      ['2026-11-22T14:00-01:30', '2026-11-22T15:30:00.000Z'],
      ['2028-02-29T00:00:00Z', '2028-02-29T00:00:00.000Z'],
    ] as const)
      assert.deepEqual(parseTime(text), E.right(time), text);
  });

  it('that is none is told from what has another form', () => {
    for (const text of ['2026-02-31T14:00:00Z', '2026-13-01T14:00:00Z', '2026-11-22T25:00:00Z', '2027-02-29T00:00Z'])
      assert.deepEqual(parseTime(text), E.left('no such time'), text);
    for (const text of [
      '',
      'yesterday',
      '2026-11-22',
      '2026-11-22T14:00:00',
      '-2h',
      '22.11.2026',
      ' 2026-11-22T14:00Z',
    ])
      assert.deepEqual(parseTime(text), E.left('another form'), text);
  });

  it('as an event has it is read as it stands, and compares as text', () => {
    const anyMs = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) });
    fc.assert(
      fc.property(anyMs, anyMs, (one, other) => {
        assert.deepEqual(parseTime(eventTime(one)), E.right(eventTime(one)));
        assert.equal(eventTime(one) < eventTime(other), one < other);
      }),
    );
  });
});
