import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Framer } from '../../../src/sip/transport/framing.ts';

const limits = { head: 4_096, body: 10_000 };

/** Pushes the chunks and writes down what came out. */
const framed = (chunks: readonly (string | Buffer)[]): { out: string[]; unfinished: boolean } => {
  const out: string[] = [];
  const framer = new Framer(limits, {
    message: (bytes) => out.push(`message ${bytes.toString('latin1')}`),
    cut: (head, why) => out.push(`${why} ${head.toString('latin1')}`),
    ping: () => out.push('ping'),
  });
  for (const chunk of chunks) framer.push(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk);
  return { out, unfinished: framer.unfinished() };
};

const message = (body: string, header = 'Content-Length: '): string =>
  `MESSAGE sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP c\r\n${header}${body.length}\r\n\r\n${body}`;

describe('framing of a stream', () => {
  it('takes messages of any body, one after the other', () => {
    const [a, b, c] = [message('hello'), message(''), message('\r\n\r\nSIP/2.0')];
    assert.deepEqual(framed([`${a}${b}${c}`]), {
      out: [`message ${a}`, `message ${b}`, `message ${c}`],
      unfinished: false,
    });
  });

  for (const header of ['content-length:', 'CONTENT-LENGTH : ', 'l: ', 'L\t:\t', 'Content-Length:\r\n ']) {
    it(`reads the length from ${JSON.stringify(header)}`, () => {
      const one = message('hello', header);
      assert.deepEqual(framed([one, one]).out, [`message ${one}`, `message ${one}`]);
    });
  }

  it('gives the same messages, however the stream is cut', () => {
    const part = fc.oneof(
      fc.string({ maxLength: 60 }).map((body) => message(body.replace(/[^\x20-\x7e]/g, ' '))),
      fc.constantFrom('\r\n', '\r\n\r\n', '\r\n\r\n\r\n', message('l: 5\r\n\r\n'), message('x'.repeat(9_000))),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), fc.array(fc.nat(20_000), { maxLength: 20 }), (parts, cuts) => {
        const stream = Buffer.from(parts.join(''), 'latin1');
        const places = [0, ...cuts.map((cut) => cut % (stream.length + 1)), stream.length].sort((x, y) => x - y);
        const chunks = places.slice(1).map((to, i) => stream.subarray(places[i], to));
        assert.deepEqual(framed(chunks), framed([stream]));
        const bytes = [...stream].map((byte) => Buffer.of(byte));
        if (stream.length < 500) assert.deepEqual(framed(bytes), framed([stream]));
      }),
      { numRuns: 200 },
    );
  });

  it('neither throws nor keeps more than the largest message, whatever comes', () => {
    const line = fc.constantFrom(
      '\r\n',
      'Content-Length: 3',
      'l:9',
      'MESSAGE sip:a SIP/2.0',
      '\n',
      '\r',
      'Content-Length: -1',
    );
    const chunk = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc.array(line, { maxLength: 10 }).map((lines) => Buffer.from(lines.join('\r\n'))),
    );
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 20 }), (chunks) => {
        framed(chunks);
      }),
      { numRuns: 500 },
    );
  });

  for (const [value, why] of [
    ['', 'no-content-length'],
    ['Content-Length: x\r\n', 'bad-content-length'],
    ['Content-Length: -5\r\n', 'bad-content-length'],
    ['Content-Length: 5 5\r\n', 'bad-content-length'],
    ['Content-Length:\r\n', 'bad-content-length'],
    ['Content-Length: 99999999999999999999\r\n', 'bad-content-length'],
    ['Content-Length: 5\r\nl: 6\r\n', 'bad-content-length'],
    ['Content-Length: 10001\r\n', 'body-too-large'],
    ['Content-Length: 999999999\r\n', 'body-too-large'],
  ] as const) {
    it(`hands on the head alone where the length is ${JSON.stringify(value)}, and nothing after`, () => {
      const head = `MESSAGE sip:a@b SIP/2.0\r\n${value}\r\n`;
      assert.deepEqual(framed([head, message('next')]).out, [`${why} ${head}`]);
    });
  }

  it('is no different for the same length twice', () => {
    const one = 'MESSAGE sip:a@b SIP/2.0\r\nl: 2\r\nContent-Length: 2\r\n\r\nok';
    assert.deepEqual(framed([one]).out, [`message ${one}`]);
  });

  it('ends a head over the limit', () => {
    const head = `MESSAGE sip:a@b SIP/2.0\r\nX: ${'y'.repeat(limits.head)}`;
    const cut = [`head-too-large ${head.slice(0, limits.head)}`];
    assert.deepEqual(framed([head, '\r\n\r\n']).out, cut);
    assert.deepEqual(framed([...head].concat('\r\n\r\n')).out, cut);
  });

  it('answers keep-alives between messages, and skips a single CRLF', () => {
    const one = message('hello');
    assert.deepEqual(framed(['\r\n', one, '\r\n\r\n', one, '\r', '\n\r', '\n']).out, [
      `message ${one}`,
      'ping',
      `message ${one}`,
      'ping',
    ]);
  });

  it('takes time linear in the bytes: 4 MB one by one, and a head without an end', () => {
    const started = process.threadCpuUsage();
    const one = Buffer.from(message('z'.repeat(9_900)), 'latin1');
    let seen = 0;
    const framer = new Framer(
      { head: 1 << 20, body: 10_000 },
      {
        message: () => {
          seen += 1;
        },
        cut: () => assert.fail(),
        ping: () => assert.fail(),
      },
    );
    for (let i = 0; i < 100; i += 1) for (let at = 0; at < one.length; at += 1) framer.push(one.subarray(at, at + 1));
    assert.equal(seen, 100);
    const endless = Buffer.alloc(1_000, 'a\r\n\r');
    for (let i = 0; i < 1_000; i += 1) framer.push(endless);
    // Quadratic, this would be 10^10 steps; linear it takes some 0.2 s.
    const { user, system } = process.threadCpuUsage(started);
    assert.ok(user + system < 10_000_000, `${user + system} microseconds of this thread`);
  });
});
