import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runText } from './support.ts';

const event = (stream: string, revision: number, type = 'A', data: unknown = { n: revision }) => ({
  id: `00000000-0000-4000-8000-00000000000${revision}`,
  type,
  stream,
  revision,
  data: JSON.stringify(data),
  metadata: '{"$correlationId":"c1","time":"2026-01-01T00:00:00.000Z"}',
});
const two = [event('room-x', 0), event('room-y', 0, 'B'), event('room-x', 1), event('other-z', 0)];
const statesOf = async (text: string, events = two) =>
  Object.fromEntries((await runText(text, events)).outcomes.map(({ partition, state }) => [partition, state]));

describe("EventStoreDB's projection language", () => {
  it('gives a handler the event as the server does, and neither time nor position', async () => {
    const { '': state } = await statesOf(
      `fromCategory('room').when({ $any: (s, e) => { s.event = e; s.names = Object.keys(e) } })`,
      [event('room-chat-1@a.org', 3, 'A', { n: 5 })],
    );
    assert.ok(typeof state === 'object' && state !== null && 'event' in state && 'names' in state);
    assert.deepEqual(state.event, {
      isJson: true,
      data: { n: 5 },
      body: { n: 5 },
      bodyRaw: '{"n":5}',
      sequenceNumber: 3,
      eventType: 'A',
      streamId: 'room-chat-1@a.org',
      eventId: '00000000-0000-4000-8000-000000000003',
      category: 'room',
      partition: '',
      metadata: { $correlationId: 'c1', time: '2026-01-01T00:00:00.000Z' },
      metadataRaw: '{"$correlationId":"c1","time":"2026-01-01T00:00:00.000Z"}',
      linkMetadata: {},
      linkMetadataRaw: '{}',
    });
    assert.ok(
      Array.isArray(state.names) && !state.names.some((name) => ['created', 'timestamp', 'position'].includes(name)),
    );
  });

  it('a handler that returns nothing keeps the state, one that returns replaces it; without $init it begins as {}', async () => {
    assert.deepEqual(await statesOf(`fromAll().when({ $any: (s) => { s.n = (s.n || 0) + 1 } })`), { '': { n: 4 } });
    assert.deepEqual(await statesOf(`fromAll().when({ $init: () => 0, $any: (s) => s + 1 })`), { '': 4 });
  });

  it('the handler of a type comes before $any', async () => {
    assert.deepEqual(
      await statesOf(
        `fromAll().when({ $init: () => ({ a: 0, any: 0 }), A: (s) => { s.a++ }, $any: (s) => { s.any++ } })`,
      ),
      { '': { a: 3, any: 1 } },
    );
  });

  it('sources: a category is what stands before the first dash, streams go by their names', async () => {
    const count = `.when({ $init: () => 0, $any: (s) => s + 1 })`;
    assert.deepEqual(await statesOf(`fromCategory('room')${count}`), { '': 3 });
    assert.deepEqual(await statesOf(`fromStream('room-x')${count}`), { '': 2 });
    assert.deepEqual(await statesOf(`fromStreams('room-x', 'other-z')${count}`), { '': 3 });
    assert.deepEqual(await statesOf(`fromCategory('rooms')${count}`), { '': 0 });
  });

  it('foreachStream: a state for each stream', async () => {
    assert.deepEqual(
      await statesOf(`fromCategory('room').foreachStream().when({ $init: () => ({ n: 0 }), $any: (s) => { s.n++ } })`),
      { 'room-x': { n: 2 }, 'room-y': { n: 1 } },
    );
  });

  it('partitionBy: what gives no partition is left out', async () => {
    assert.deepEqual(
      await statesOf(
        `fromAll().partitionBy((e) => (e.eventType === 'A' ? 'p' + e.data.n : undefined)).when({ $init: () => 0, $any: (s) => s + 1 })`,
      ),
      { p0: 2, p1: 1 },
    );
  });

  it('$initShared: the handler gets its own state and the shared one, which is the state without a partition', async () => {
    assert.deepEqual(
      await statesOf(
        `fromCategory('room').foreachStream().when({ $init: () => ({ n: 0 }), $initShared: () => ({ all: 0 }), $any: (s) => { s[0].n++; s[1].all++ } })`,
      ),
      { '': { all: 3 }, 'room-x': { n: 2 }, 'room-y': { n: 1 } },
    );
  });

  it('transformBy and filterBy change the result, never the state', async () => {
    const text = `fromCategory('room').foreachStream().when({ $init: () => ({ n: 0 }), $any: (s) => { s.n++ } })
      .transformBy((s) => ({ twice: s.n * 2 })).filterBy((r) => r.twice > 2).outputState()`;
    const { outcomes } = await runText(text, two);
    assert.deepEqual(outcomes, [
      { partition: 'room-x', state: { n: 2 }, result: { twice: 4 } },
      { partition: 'room-y', state: { n: 1 }, result: null },
    ]);
  });

  it('linkTo writes links with our metadata, the cause and the correlation; emit events of their own', async () => {
    const { emitted } = await runText(
      `fromAll().when({ A: (s, e) => { linkTo('links', e, { why: 'x' }); emit('own', 'Seen', { n: e.data.n }, { m: 1 }); } })`,
      [event('room-x', 2)],
    );
    const cause = { $causedBy: '00000000-0000-4000-8000-000000000002', $correlationId: 'c1' };
    assert.deepEqual(emitted, [
      { stream: 'links', type: '$>', data: '2@room-x', metadata: { why: 'x', ...cause } },
      { stream: 'own', type: 'Seen', data: '{"n":2}', metadata: { m: 1, ...cause } },
    ]);
  });

  it('a state passes through JSON whenever another partition comes in between', async () => {
    assert.deepEqual(
      await statesOf(
        `fromCategory('room').foreachStream().when({ $any: (s, e) => { s.lost ??= undefined; s.n = (s.n ?? 0) + 1; } })`,
      ),
      { 'room-x': { n: 2 }, 'room-y': { n: 1 } },
    );
  });

  it("functions of the projection find no `this` but the realm's global", async () => {
    const { outcomes } = await runText(
      `fromAll().partitionBy(function () { return 'by ' + (this === globalThis) }).when({
        $any: function (s) { s.handler = this === globalThis },
      }).transformBy(function (s) { s.transform = this === globalThis; return s }).filterBy(function (s) { s.filter = this === globalThis; return true })`,
      [event('room-x', 0)],
    );
    assert.deepEqual(
      outcomes.map(({ partition, result }) => [partition, result]),
      [['by true', { handler: true, transform: true, filter: true }]],
    );
  });

  it('modern syntax runs', async () => {
    assert.deepEqual(
      await statesOf(
        `fromAll().when({ $init: () => ({ list: [] }), $any: (s, e) => ({ ...s, list: [...s.list, [new Map([[1, e?.data?.n]]).get(1), [[1], [2]].flat().at(-1), Number(2n)]] }) })`,
        [event('room-x', 1)],
      ),
      { '': { list: [[1, 2, 2]] } },
    );
  });
});
