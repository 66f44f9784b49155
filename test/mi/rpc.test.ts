import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { encode, longList } from '../../src/mi/encode.ts';
import { parse } from '../../src/mi/rpc.ts';
import { fakePorts } from './fake-ports.ts';

const whole = async (value: unknown): Promise<{ text: string; pieces: number }> => {
  let text = '';
  let pieces = 0;
  for await (const piece of encode(value)) {
    text += piece;
    pieces += 1;
  }
  return { text, pieces };
};

describe('JSON-RPC 2.0', () => {
  const { ask } = fakePorts();
  const answered = async (text: string) => JSON.parse((await ask(text)) ?? 'null');

  it('keeps the type of the id', async () => {
    for (const id of ['1', 1, null, 'ä"\\']) {
      const answer = await answered(JSON.stringify({ jsonrpc: '2.0', method: 'pwd', id }));
      assert.deepEqual(answer, { jsonrpc: '2.0', result: { WD: process.cwd() }, id });
    }
  });
  it('gives no answer to a request without id, also where it fails', async () => {
    assert.equal(await ask('{"jsonrpc":"2.0","method":"version"}'), undefined);
    assert.equal(await ask('{"jsonrpc":"2.0","method":"nothing"}'), undefined);
  });
  it('answers bad JSON with -32700 and id null', async () => {
    for (const text of ['', '{', 'nonsense', '{"jsonrpc":"2.0",}']) {
      const { error, id } = await answered(text);
      assert.deepEqual([error.code, id], [-32700, null], text);
    }
  });
  it('answers what is no request with -32600', async () => {
    for (const request of [1, 'x', null, {}, { jsonrpc: '1.0', method: 'ps', id: 1 }, { jsonrpc: '2.0', id: 1 }, []]) {
      assert.equal((await answered(JSON.stringify(request))).error.code, -32600, JSON.stringify(request));
    }
    assert.equal((await answered('{"jsonrpc":"2.0","method":"ps","params":7,"id":1}')).error.code, -32600);
    assert.equal((await answered('{"jsonrpc":"2.0","method":"ps","id":{}}')).id, null);
  });
  it('answers an unknown method with -32601', async () => {
    for (const method of ['imc_list_room', 'constructor', '__proto__', ''])
      assert.equal((await answered(JSON.stringify({ jsonrpc: '2.0', method, id: 1 }))).error.code, -32601, method);
  });
  it('answers wrong parameters with -32602, as OpenSIPS words it and with what is taken', async () => {
    const call = (params: unknown) =>
      answered(JSON.stringify({ jsonrpc: '2.0', method: 'imc_list_members', params, id: 1 }));
    for (const params of [undefined, [], ['a', 'b'], {}]) {
      const { error } = await call(params);
      assert.equal(error.code, -32602);
      assert.match(error.data, /^Too few or too many parameters: taken are room$/);
    }
    assert.match((await call({ rom: 'x' })).error.data, /^Named parameters do not match: taken are room$/);
  });
  it('answers a batch, all of it or nothing, up to 100', async () => {
    const one = (id: unknown) => ({ jsonrpc: '2.0', method: 'pwd', id });
    const answers = await answered(JSON.stringify([one(1), 5, one(undefined), one('b')]));
    assert.deepEqual(
      answers.map((a: { id: unknown; error?: { code: number } }) => [a.id, a.error?.code]),
      [
        [1, undefined],
        [null, -32600],
        ['b', undefined],
      ],
    );
    assert.equal(await ask(JSON.stringify([one(undefined)])), undefined);
    assert.equal((await answered(JSON.stringify(Array(101).fill(one(1))))).error.code, -32600);
  });
  it('never throws, whatever the text', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => parse(text) !== undefined));
  });
});

describe('long results', () => {
  it('are the same JSON as at once, in pieces', async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => ({ URI: `sip:chat-${i}@x.org`, n: i }));
    const { text, pieces } = await whole({ ROOMS: longList(rows), COUNT: rows.length, nothing: undefined });
    assert.equal(text, JSON.stringify({ ROOMS: rows, COUNT: rows.length }));
    assert.ok(pieces > 5, `${pieces} pieces`);
  });
  it('may be empty, or asynchronous, or within another object', async () => {
    async function* items() {
      yield 1;
      yield undefined;
      yield 'x';
    }
    assert.equal((await whole({ a: longList([]) })).text, '{"a":[]}');
    assert.equal((await whole(longList(items()))).text, '[1,null,"x"]');
    assert.equal((await whole({ items: [1] })).text, '{"items":[1]}');
  });
  it('let the event loop turn in between', async () => {
    let turns = 0;
    let going = true;
    const tick = () => {
      turns += 1;
      if (going) setImmediate(tick);
    };
    setImmediate(tick);
    await whole(longList(Array.from({ length: 100_000 }, (_, i) => `sip:chat-${i}@example.org`)));
    going = false;
    assert.ok(turns > 20, `${turns} turns`);
  });
});
