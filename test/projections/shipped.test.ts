import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import { roomEvents } from '../../src/room/events.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { openProjections } from '../../src/server/open-projections.ts';
import { all, openOn } from '../support/eventstoredb/open.ts';
import { withProjections } from '../support/eventstoredb/projections.ts';
import { startDouble } from '../support/eventstoredb/server.ts';
import { until } from '../support/until.ts';
import { eventStoreDbAt } from '../support/urls.ts';
import { activeRooms, commandsPerDay, linked, roomMembers, userAudit } from './expected.ts';
import { asProjectionEvents, everything, runText, shipped, story } from './support.ts';

const events = story(everything);

describe("imcd's own projections, run here", () => {
  it('have a story to run on with each type of event, in each version that a log may hold', () => {
    const versions = Object.entries(roomEvents).flatMap(([type, { version }]) =>
      Array.from({ length: version }, (_, older) => `${type} ${older + 1}`),
    );
    const told = events.map(({ event: { type, metadata } }) => `${type} ${Object(metadata).version}`);
    assert.deepEqual(new Set(told), new Set(versions));
  });

  const run = (name: string) => runText(shipped(name), asProjectionEvents(events));

  it('active-rooms: how many and which', async () => {
    const { outcomes } = await run('active-rooms');
    assert.deepEqual(outcomes, [{ partition: '', state: activeRooms, result: activeRooms }]);
  });
  it('room-members: members with roles, per room', async () => {
    const { outcomes } = await run('room-members');
    assert.deepEqual(Object.fromEntries(outcomes.map(({ partition, state }) => [partition, state])), roomMembers);
  });
  it('user-audit: looks at every field by which an event names a user', () => {
    const fields = new Set(Object.values(roomEvents).flatMap(({ users }) => users));
    assert.ok(fields.size > 0);
    for (const field of fields) assert.match(shipped('user-audit'), new RegExp(`\\b${field}\\b`));
  });
  it('user-audit: links every event to every user it touches', async () => {
    const { emitted } = await run('user-audit');
    const streams: Record<string, string[]> = {};
    for (const { stream, type, data, metadata } of emitted) {
      assert.equal(type, '$>');
      assert.match(String(metadata.$correlationId), /^call-\d+$/);
      assert.match(String(metadata.$causedBy), /^00000000-/);
      streams[stream] = [...(streams[stream] ?? []), data];
    }
    assert.deepEqual(streams, userAudit);
  });
  it('commands-per-day: what people did, not what imcd or an import did', async () => {
    const { outcomes } = await run('commands-per-day');
    assert.deepEqual(outcomes[0]?.state, commandsPerDay);
  });
  it('take foreign events and data that is no object', async () => {
    for (const name of ['active-rooms', 'room-members', 'user-audit', 'commands-per-day']) {
      const odd = [
        ['SomethingElse', 'null'],
        ['RoomRenamed', '"text"'],
        ['Another', '{"member":5}'],
      ].map(([type = '', data = ''], revision) => ({ id: 'x', type, stream: 'room-x', revision, data, metadata: '' }));
      await assert.doesNotReject(runText(shipped(name), odd), name);
    }
  });
});

/** Needs the server's rights over projections, and a log of its own: the state of a projection counts all rooms there are. */
describe("imcd's own projections, on the server (double)", () => {
  it('give the same', async (t) => {
    const server = await startDouble({ extend: withProjections });
    t.after(() => server.stop());
    const store = await openOn(server.url);
    t.after(() => store.close());
    const at = eventStoreDbAt(server.url);
    assert.ok(E.isRight(at));
    const projections = openProjections(at.right, systemClock);
    t.after(() => projections.close());
    for (const name of ['active-rooms', 'room-members', 'user-audit', 'commands-per-day']) {
      const deployed = await projections.deploy(name, shipped(name), { emits: name === 'user-audit', reset: false })();
      assert.ok(E.isRight(deployed), JSON.stringify(deployed));
    }
    for (const { stream, event } of events) {
      const last = await store.lastRevision(stream)();
      assert.ok(E.isRight(last));
      assert.ok(E.isRight(await store.append(stream, last.right ?? 'no_stream', [event])()));
    }
    const stateOf = async (name: string, partition = ''): Promise<unknown> => {
      const found = await projections.result(name, partition)();
      assert.ok(E.isRight(found), JSON.stringify(found));
      return found.right.state;
    };
    assert.deepEqual(await stateOf('active-rooms'), activeRooms);
    assert.deepEqual(await stateOf('commands-per-day'), commandsPerDay);
    for (const [room, state] of Object.entries(roomMembers))
      assert.deepEqual(await stateOf('room-members', room), state);
    assert.deepEqual(await stateOf('room-members', 'room-chat-9@a.org'), {});
    await until(
      'all is linked',
      async () => JSON.stringify(await stateOf('user-audit')) === JSON.stringify({ linked }),
    );
    for (const [stream, links] of Object.entries(userAudit)) {
      const written = await all(store.readStream(stream));
      assert.deepEqual(
        written.map(({ data }) => (data instanceof Uint8Array ? Buffer.from(data).toString() : data)),
        links,
      );
    }
  });
});
