import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ProjectionFault } from '../../src/projections/limits.ts';
import { runText } from './support.ts';

const event = (revision = 0, type = 'MemberJoined', stream = 'room-chat-1@a.org') => ({
  id: '00000000-0000-4000-8000-000000000001',
  type,
  stream,
  revision,
  data: '{"member":"sip:bob@a.org"}',
  metadata: '{"$correlationId":"call-1"}',
});
const fault = (message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ProjectionFault, String(error));
  assert.match(error.message, message);
  return true;
};
const handler = (body: string): string => `fromAll().when({ $any: (s, e) => { ${body} } })`;

describe('the sandbox of projections', () => {
  it('gives no way to files, processes, threads, sockets, the environment or new code', async () => {
    const attempts: Readonly<Record<string, string>> = {
      require: `s.got = typeof require`,
      process: `s.got = typeof process`,
      fetch: `s.got = typeof fetch`,
      'the outer realm by a constructor': `s.got = typeof globalThis.constructor.constructor`,
    };
    for (const [what, body] of Object.entries(attempts)) {
      const { outcomes } = await runText(handler(body), [event()]);
      const [{ state } = { state: undefined }] = outcomes;
      const allowed = what.startsWith('the outer') ? { got: 'function' } : { got: 'undefined' };
      assert.deepEqual(state, allowed, what);
    }
    // A function of the inner realm makes no code of strings, and its realm has no process.
    await assert.rejects(
      runText(handler(`Object.constructor('return process')()`), [event()]),
      fault(/Code generation|process is not defined/),
    );
    await assert.rejects(runText(handler(`eval('1')`), [event()]), fault(/Code generation|eval/));
    const { outcomes } = await runText(
      `let got = 'nothing yet'; import('node:fs').then((fs) => { got = Object.keys(fs).length }, (error) => { got = error.code });
       ${handler('s.got = got')}`,
      [event()],
    );
    assert.deepEqual(outcomes[0]?.state, { got: 'ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING' });
  });

  it('ends what does not end, within its time', async () => {
    await assert.rejects(runText('for (;;) {}', [], { batchMs: 500 }), fault(/within 0.5 s/));
    await assert.rejects(runText(handler('for (;;) {}'), [event()], { batchMs: 500 }), fault(/within 0.5 s/));
    await assert.rejects(
      runText('fromAll().when({}).transformBy(() => { for (;;) {} })', [event()], { batchMs: 500 }),
      fault(/within 0.5 s/),
    );
  });

  it('ends what grows, on the heap or beside it', async () => {
    const limits = { memoryMiB: 32 };
    await assert.rejects(
      runText('const a = []; for (;;) a.push(new Array(1e5).fill(a.length));', [], limits),
      fault(/more memory than 32 MiB/),
    );
    await assert.rejects(
      runText('const a = []; for (;;) a.push(new Uint8Array(1e7).fill(1));', [], limits),
      fault(/more memory than 32 MiB/),
    );
  });

  it('bounds partitions, the size of a state, what one event writes, what all write, and what is given back', async () => {
    const events = Array.from({ length: 50 }, (_, n) => event(n, 'X', `room-${n}`));
    await assert.rejects(
      runText('fromAll().foreachStream().when({ $any() {} })', events, { partitions: 10 }),
      fault(/more than 10 partitions/),
    );
    await assert.rejects(
      runText(`fromAll().foreachStream().when({ $any: (s) => { s.a = 'x'.repeat(5000) } })`, events, { state: 1_000 }),
      fault(/longer than 1000/),
    );
    await assert.rejects(
      runText(handler(`for (let i = 0; i < 20; i++) linkTo('out', e)`), events, { emittedByOne: 10 }),
      fault(/more than 10 events/),
    );
    await assert.rejects(
      runText(handler(`linkTo('out', e)`), events, { emitted: 10 }),
      fault(/more than 10 events and links/),
    );
    await assert.rejects(
      runText(handler(`emit('out', 'T', { a: 'x'.repeat(10000) })`), events, { bytes: 100_000 }),
      fault(/more than 100000 bytes/),
    );
  });

  it('says where a projection is wrong: in its text, its definition, or at which event', async () => {
    await assert.rejects(runText('\n\nfromAll(', []), fault(/line 3: SyntaxError/));
    await assert.rejects(runText('1 + 1', []), fault(/names no source/));
    await assert.rejects(runText(`fromAll()`, []), fault(/has no handlers/));
    await assert.rejects(runText(`fromCategory('room').when({ A: 5 })`, []), fault(/handler A takes a function/));
    await assert.rejects(
      runText(handler(`throw new Error('no such thing')`), [event(7)]),
      fault(/MemberJoined, 7@room-chat-1@a.org: Error: no such thing/),
    );
    await assert.rejects(runText(handler('null.x'), [event()]), fault(/TypeError/));
  });
});
