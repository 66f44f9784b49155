import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import { memberKey, RoomUri } from '../../src/room/address.ts';
import type { RoomCommand } from '../../src/room/commands.ts';
import { decide } from '../../src/room/decide.ts';
import type { RoomEvent } from '../../src/room/events.ts';
import { evolve, fold } from '../../src/room/fold.ts';
import { type ImportedEvent, importedBefore, importer, missingEvents, type PastEvent } from '../../src/room/import.ts';
import type { FoundRoom } from '../../src/room/import-tables.ts';
import type { Member } from '../../src/room/room.ts';
import { anyCommands, anyPolicy, run, someone } from './arbitraries.ts';

const room = 'sip:chat-1@example.org';
assert.ok(RoomUri.is(room));

const anyRole: fc.Arbitrary<Member['role']> = fc.constantFrom('admin', 'member', 'invited');
/** The tables' view of the one room that `anyCommands` are about. */
const anyFound: fc.Arbitrary<FoundRoom> = fc
  .tuple(fc.boolean(), someone, fc.array(fc.tuple(someone, anyRole), { maxLength: 5 }))
  .map(([isPrivate, owner, others]) => {
    const roles = new Map([[memberKey(owner), { uri: owner, role: 'owner' as Member['role'] }]]);
    for (const [uri, role] of others) if (!roles.has(memberKey(uri))) roles.set(memberKey(uri), { uri, role });
    const members = [...roles.values()].map((one) => ({ ...one, origin: `${one.uri} ${one.role}` }));
    return { uri: room, private: isPrivate, origin: 'chat-1', members };
  });

/** A stream that commands, and imports of other tables, have led to. */
const anyPast: fc.Arbitrary<readonly PastEvent[]> = fc
  .tuple(anyPolicy, anyCommands, fc.array(anyFound, { maxLength: 2 }))
  .map(([policy, commands, tables]) => {
    const past: PastEvent[] = run(policy, commands).facts.map((fact) => ({ ...fact, origins: [] }));
    for (const found of tables) past.push(...written(missingEvents(found, importedBefore(past)).events));
    return past;
  });

const time = '2026-11-23T00:00:00.000Z';
const written = (events: readonly ImportedEvent[]): readonly PastEvent[] =>
  events.map(({ event, origin }) => ({ event, time, origins: [origin] }));

/** The operator's command that leads to such an event. */
const commandOf = ({ type, data }: RoomEvent): RoomCommand | undefined => {
  if (type === 'MemberInvited') return { type: 'InviteMember', room: data.room, actor: importer, member: data.member };
  if (type === 'MemberAdded') return { type: 'AddMember', room: data.room, actor: importer, member: data.member };
  if (type !== 'RoleChanged') return undefined;
  return { type: 'ChangeRole', room: data.room, actor: importer, member: data.member, role: data.role };
};

describe('an import', () => {
  it('adds nothing when it is run again', () => {
    fc.assert(
      fc.property(anyPast, anyFound, (past, found) => {
        const { events } = missingEvents(found, importedBefore(past));
        const again = missingEvents(found, importedBefore([...past, ...written(events)]));
        assert.deepEqual(again.events, []);
      }),
      { numRuns: 1_000 },
    );
  });

  it('makes no event, its RoomCreated apart, that decide would not make for an operator', () => {
    fc.assert(
      fc.property(anyPast, anyFound, anyPolicy, (past, found, policy) => {
        let state = fold(undefined, past);
        for (const { event } of missingEvents(found, importedBefore(past)).events) {
          const command = commandOf(event);
          if (command === undefined) {
            assert.equal(event.type, 'RoomCreated');
            assert.equal(state, undefined);
          } else assert.deepEqual(decide(policy)(command)(state), E.right([event]));
          state = evolve(state, event, time);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('that is broken off anywhere and run again leaves the room as one that was not', () => {
    fc.assert(
      fc.property(anyPast, anyFound, fc.nat(8), (past, found, cut) => {
        const { events } = missingEvents(found, importedBefore(past));
        const brokenOff = [...past, ...written(events.slice(0, cut))];
        const rest = written(missingEvents(found, importedBefore(brokenOff)).events);
        assert.deepEqual(fold(undefined, [...brokenOff, ...rest]), fold(undefined, [...past, ...written(events)]));
      }),
      { numRuns: 1_000 },
    );
  });
});
