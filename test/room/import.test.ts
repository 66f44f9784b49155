import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RoomEvent } from '../../src/room/events.ts';
import { importedBefore, importer, missingEvents } from '../../src/room/import.ts';
import type { FoundRoom } from '../../src/room/import-tables.ts';
import type { Member } from '../../src/room/room.ts';
import {
  added,
  alice,
  bob,
  carol,
  chat1,
  dave,
  destroyed,
  exited,
  invited,
  joined,
  made,
  role,
  time,
} from './scenario.ts';

type Row = readonly [uri: typeof alice, role: Member['role']];

/** chat-1 as another server's tables have it; a row's origin is what it says. */
const found = (...members: readonly Row[]): FoundRoom => ({
  uri: chat1,
  private: false,
  origin: 'chat-1',
  members: members.map(([uri, is]) => ({ uri, role: is, origin: `${uri} ${is}` })),
});

/** An event of the log, and of which row; of none where a user did it. */
type Past = RoomEvent | readonly [event: RoomEvent, origin: string];
const past = (...events: readonly Past[]) =>
  importedBefore(
    events.map((one) =>
      'type' in one ? { event: one, time, origins: [] } : { event: one[0], time, origins: [one[1]] },
    ),
  );

const created: RoomEvent = {
  type: 'RoomCreated',
  data: { room: chat1, owner: alice, private: false, cause: 'import' },
};
const imported = [
  [created, 'chat-1'],
  [added(bob, importer), `${bob} admin`],
] as const;
const promoted = [role(bob, 'admin', importer), `${bob} admin`] as const;

describe('what an import still has to write', () => {
  const tables = found([alice, 'owner'], [bob, 'admin'], [carol, 'member'], [dave, 'invited']);

  it('is all of a room that the log does not know, the owner by its creation', () => {
    assert.deepEqual(missingEvents(tables, past()), {
      events: [
        { event: created, origin: 'chat-1' },
        { event: added(bob, importer), origin: `${bob} admin` },
        { event: role(bob, 'admin', importer), origin: `${bob} admin` },
        { event: added(carol, importer), origin: `${carol} member` },
        { event: invited(dave, importer), origin: `${dave} invited` },
      ],
      notes: [],
    });
  });

  it('is nothing of a room without an owner, and of one that was imported and destroyed since', () => {
    assert.deepEqual(missingEvents(found(), past()), { events: [], notes: [] });
    assert.deepEqual(missingEvents(tables, past(...imported, destroyed())), {
      events: [],
      notes: [`room ${chat1}: it was imported before, and destroyed since`],
    });
  });

  it("is an admin's role where an import was broken off before it", () => {
    const events = [{ event: promoted[0], origin: promoted[1] }];
    assert.deepEqual(missingEvents(found([alice, 'owner'], [bob, 'admin']), past(...imported)), { events, notes: [] });
    const other = found([carol, 'owner'], [bob, 'admin']);
    const intoOther = past(made(), [added(carol, importer), `${carol} owner`]);
    const [first] = missingEvents(other, intoOther).events;
    assert.deepEqual(first, { event: role(carol, 'admin', importer), origin: `${carol} owner` });
  });

  it('is no role that somebody has given or taken since', () => {
    const admin = found([alice, 'owner'], [bob, 'admin']);
    const stays = [`member ${bob} of ${chat1}: admin in the table, stays member as the log has it`];
    for (const [name, since] of [
      ['demoted after the import', [promoted, role(bob, 'member')]],
      ['promoted and demoted after it was broken off', [role(bob, 'admin'), role(bob, 'member')]],
      ['left and come back', [exited(bob), joined(bob)]],
    ] as const) {
      assert.deepEqual(missingEvents(admin, past(...imported, ...since)), { events: [], notes: stays }, name);
    }
    assert.deepEqual(missingEvents(admin, past(created, joined(bob))), { events: [], notes: stays }, 'came by himself');
  });

  it('names the room in the case that the log has', () => {
    const shouting = { ...found([alice, 'owner'], [bob, 'member']), uri: 'sip:CHAT-1@example.org' as typeof chat1 };
    const { events } = missingEvents(shouting, past(made()));
    assert.deepEqual(
      events.map(({ event }) => event),
      [added(bob, importer)],
    );
  });
});
