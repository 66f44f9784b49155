import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import { MemberUri, memberKey, RoomUri } from '../../src/room/address.ts';
import { RoomCommand } from '../../src/room/commands.ts';
import { roomEvents } from '../../src/room/events.ts';
import { parseMember, parseRoom } from '../../src/room/parse-address.ts';
import { decode } from '../../src/room/upcast.ts';
import { anyCommand, anyEvent, anyMember, anyRoom } from './arbitraries.ts';

describe('codec round trips', () => {
  it('events, through JSON and back', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const stored: unknown = JSON.parse(JSON.stringify(event));
        assert.deepEqual(stored, event);
        assert.deepEqual(
          roomEvents[event.type].data.decode(JSON.parse(JSON.stringify(event.data))),
          E.right(event.data),
        );
        assert.deepEqual(decode({ ...event, metadata: { version: roomEvents[event.type].version } }), event);
      }),
    );
  });

  it('commands', () => {
    fc.assert(
      fc.property(anyCommand, (command) => {
        assert.deepEqual(RoomCommand.decode(JSON.parse(JSON.stringify(RoomCommand.encode(command)))), E.right(command));
      }),
    );
  });

  it('canonical addresses are parsed into themselves', () => {
    fc.assert(
      fc.property(anyMember, anyRoom, (uri, room) => {
        assert.deepEqual(parseMember(uri, ''), E.right({ uri, scheme: 'sip' }));
        assert.deepEqual(parseRoom(room, ''), E.right(room));
      }),
    );
  });

  it('any escapes of an address lead to the same identity', () => {
    fc.assert(
      fc.property(anyMember, fc.infiniteStream(fc.constantFrom(0, 1, 2)), (uri, choices) => {
        const [, user = '', domain = ''] = /^sip:(.*)@(.*)$/.exec(uri) ?? [];
        const escaped = user.replace(/%..|[^%]/g, (unit) => {
          const choice = choices.next().value;
          if (unit.length === 3) return choice === 0 ? unit : unit.toLowerCase();
          const hex = unit.charCodeAt(0).toString(16);
          return choice === 0 ? unit : `%${choice === 1 ? hex : hex.toUpperCase()}`;
        });
        assert.deepEqual(parseMember(`sips:${escaped}@${domain}:5061;x=y`, ''), E.right({ uri, scheme: 'sips' }));
      }),
    );
  });

  it('what is parsed is canonical, within the limits, and parsed into itself', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...'sip:@%2aZ[]<>.;?é') })),
        (text) => {
          const found = parseMember(text, 'x.org');
          if (E.isLeft(found)) return;
          const { uri, scheme } = found.right;
          assert.ok(MemberUri.is(uri));
          assert.deepEqual(parseMember(uri, ''), E.right({ uri, scheme: 'sip' }));
          assert.equal(scheme, /^<?sips:/i.test(text) ? 'sips' : 'sip');
          const again = parseMember(memberKey(uri), '');
          assert.ok(E.isRight(again) && memberKey(again.right.uri) === memberKey(uri));
          const room = parseRoom(text, 'x.org');
          if (E.isRight(room)) assert.ok(RoomUri.is(room.right));
        },
      ),
      { numRuns: 2000 },
    );
  });
});
