import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import { commandNames } from '../../src/room/command-table.ts';
import { Command } from '../../src/room/commands.ts';
import { Malformed } from '../../src/room/refusals.ts';
import { parseBody } from '../../src/room/syntax.ts';
import { reasonOf } from '../../src/room/texts.ts';
import { bytes, context } from '../room/syntax-world.ts';

const word = fc.oneof(
  fc.constantFrom(
    ...commandNames,
    ...'private owner admin member bob chat-1 chat-1@example.org sip:bob@example.org sips:bob@example.org'.split(' '),
  ),
  fc.string({ unit: 'binary' }),
);
const blank = fc.constantFrom(' ', '\t', '  ', '\r', '\n', '\0', '\u00a0');
const commandLike = fc
  .array(fc.tuple(word, blank), { maxLength: 8 })
  .map((parts) => Buffer.from(`#${parts.flat().join('')}`));
const anyBytes = fc.uint8Array({ maxLength: 300 }).map((rest) => Uint8Array.of(0x23, ...rest));

describe('the parser never throws', () => {
  it('gives a command that its codec knows, or a reason that can be shown', () => {
    fc.assert(
      fc.property(
        fc.oneof(commandLike, anyBytes),
        fc.constantFrom('room' as const, 'manager' as const),
        (body, addressed) => {
          const parsed = parseBody(body, { ...context, addressed });
          if (E.isRight(parsed)) {
            assert.ok(Command.is(parsed.right));
          } else {
            assert.ok(Malformed.is(parsed.left));
            assert.match(reasonOf(parsed.left, '#'), /^[ -~]{1,200}$/);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('reads nothing after the line', () => {
    fc.assert(
      fc.property(commandLike, fc.constantFrom('\r', '\n'), fc.uint8Array(), (body, end, rest) => {
        const line = bytes(body.toString('latin1').replace(/[\r\n]/g, ' '));
        assert.deepEqual(parseBody(Buffer.concat([line, bytes(end), rest]), context), parseBody(line, context));
      }),
    );
  });
});

/** What a topic may be: one line of at most 256 bytes that is not blank, and not `""`. */
const aTopic = fc
  .string({ unit: 'grapheme', maxLength: 300 })
  .filter(
    (text) => Buffer.byteLength(text) <= 256 && !/[\p{Cc}\u2028\u2029]/u.test(text) && !/^\s*(?:"")?\s*$/.test(text),
  );

describe('a text', () => {
  it('comes out as it was written, whatever it is', () => {
    fc.assert(
      fc.property(aTopic, fc.constantFrom(' ', '\t'), fc.constantFrom('', '\r', '\n'), (topic, blank, end) => {
        const found = parseBody(Buffer.from(`#Topic${blank}${topic}${end}`), context);
        assert.ok(E.isRight(found) && found.right.type === 'SetTopic');
        assert.equal(found.right.topic, topic);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the parser is linear', () => {
  const size = 1024 * 1024;
  const fill = (unit: string) => bytes(`#join ${unit.repeat(size / unit.length)}`);
  const long = (unit: string) => bytes(`#invite ${unit.repeat(1000 / unit.length)}!@ `);

  // Of something quadratic the first of these bodies, 16 times a message's limit, would take an hour.
  it('on blanks, on one word, on many words, on an unknown name', () => {
    for (const unit of [' ', '\t', 'a', 'a ', '%2', '%41', '@', ':', '.', '\xff', '\0', '[', '<'])
      assert.ok(E.isLeft(parseBody(fill(unit), context)) || unit === ' ' || unit === '\t');
    assert.ok(E.isLeft(parseBody(bytes(`#${'a'.repeat(size)}`), context)));
  });

  it('on a text', () => {
    for (const unit of [' ', '\t', 'a', ' a', '"', '\xff', '\0', '\xc3\xbc', '\xe2\x80\xa8'])
      assert.ok(
        E.isLeft(parseBody(bytes(`#topic ${unit.repeat(size / unit.length)}`), context)) ||
          unit === ' ' ||
          unit === '\t',
      );
    for (const end of ['x', '""'])
      assert.ok(E.isLeft(parseBody(bytes(`#topic ${' '.repeat(size)}${end}${' '.repeat(size)}x`), context)));
  });

  it('on addresses made to have an expression go back', () => {
    for (const unit of ['a-', 'a.', '-', '.', 'a-a.', ':', '::', '1:', '%', '%%', '@', ';', '?', '<', 'sip:'])
      for (const domain of [`a@${unit.repeat(400)}!`, `a@[${unit.repeat(300)}!`, `${unit.repeat(400)}@`])
        assert.ok(E.isLeft(parseBody(bytes(`#invite ${domain}`), context)), unit);
    assert.ok(E.isLeft(parseBody(long('a-'), context)));
  });
});
