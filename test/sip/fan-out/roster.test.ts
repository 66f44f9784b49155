import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Roster } from '../../../src/ports/courier.ts';
import type { MemberUri, RoomUri } from '../../../src/room/address.ts';
import { PreparedRooms } from '../../../src/sip/fan-out/prepared-rooms.ts';
import { createRecipients, type Recipient } from '../../../src/sip/fan-out/recipients.ts';
import { type FanOutWorld, fanOutWorld, member, members } from '../support/fan-out-world.ts';

const room = 'sip:chat-1@imc.test' as RoomUri;
const roster = (revision: number, uris: readonly MemberUri[], of = room): Roster => ({ room: of, revision, uris });
const late = member('sip:late@imc.test');

/** Who got a copy of one more message. */
const sentTo = (
  world: FanOutWorld,
  recipients: Roster | readonly MemberUri[],
  except?: MemberUri,
): readonly string[] => {
  const from = world.sent.length;
  world.courier.send({
    from: room,
    recipients,
    ...(except === undefined ? {} : { except }),
    contentType: 'text/plain',
    body: Buffer.from('hello'),
  });
  world.turn();
  return world.sent.slice(from).map(({ text }) => /To: <(.*)>/.exec(text)?.[1] ?? '');
};
const worldWithProxy = (): FanOutWorld => fanOutWorld({ outboundProxy: 'sip:192.0.2.9:5070' });

describe('a message to a roster', () => {
  for (const size of [3, 100]) {
    it(`of ${size} goes to each of its recipients, in their order, but the one left out`, () => {
      const world = worldWithProxy();
      const uris = members(size);
      for (let i = 0; i < 3; i += 1) assert.deepEqual(sentTo(world, roster(7, uris)), uris);
      assert.deepEqual(sentTo(world, roster(7, uris), uris[1]), uris.toSpliced(1, 1));
    });

    it(`of ${size} follows the revision, though the array is the same one and was changed in place`, () => {
      const world = worldWithProxy();
      const uris = [...members(size)];
      assert.deepEqual(sentTo(world, roster(7, uris)), members(size));
      uris.push(late);
      uris.shift();
      assert.deepEqual(sentTo(world, roster(8, uris)), [...members(size).slice(1), late]);
    });

    it(`of ${size} is the same for another array of the same revision`, () => {
      const world = worldWithProxy();
      const uris = members(size);
      assert.deepEqual(sentTo(world, roster(7, uris)), uris);
      assert.deepEqual(sentTo(world, roster(7, [...uris])), uris);
    });
  }

  it('of an earlier revision, which has waited, goes to whom it names', () => {
    const world = worldWithProxy();
    const before = members(100);
    const after = [...before, late];
    assert.deepEqual(sentTo(world, roster(8, after)), after);
    assert.deepEqual(sentTo(world, roster(7, before)), before);
    assert.deepEqual(sentTo(world, roster(8, after)), after);
  });

  it('is not mixed with that of another room at the same revision', () => {
    const world = worldWithProxy();
    const other = 'sip:chat-2@imc.test' as RoomUri;
    assert.deepEqual(sentTo(world, roster(7, members(100))), members(100));
    assert.deepEqual(sentTo(world, roster(7, members(50, 'b.org'), other)), members(50, 'b.org'));
    assert.deepEqual(sentTo(world, roster(7, members(100))), members(100));
  });

  it('that was changed while its copies leave goes to whom it named', () => {
    const world = worldWithProxy();
    const uris = [...members(100)];
    const body = Buffer.from('hello');
    world.courier.send({ from: room, recipients: roster(7, uris), contentType: 'text/plain', body });
    uris.length = 0;
    world.turn();
    assert.equal(world.sent.length, 100);
  });
});

describe('a message to a list of users', () => {
  it('goes to whom the list names at that time, whatever it named before', () => {
    const world = worldWithProxy();
    const uris = [...members(100)];
    assert.deepEqual(sentTo(world, uris), members(100));
    uris[0] = late;
    assert.deepEqual(sentTo(world, uris), [late, ...members(100).slice(1)]);
  });
});

describe('what is prepared for a roster', () => {
  it('serves every other one of the same room and revision, and none else', () => {
    const recipients = createRecipients();
    const uris = members(100);
    const prepared = recipients.of(roster(7, uris));
    assert.equal(recipients.of(roster(7, [...uris])), prepared);
    const next = recipients.of(roster(8, uris));
    assert.notEqual(next, prepared);
    assert.equal(recipients.of(roster(8, uris)), next);
    assert.notEqual(recipients.of(roster(8, uris, 'sip:chat-2@imc.test' as RoomUri)), next);
    assert.deepEqual(
      prepared.map(({ uri }) => uri),
      uris,
    );
  });

  it('is forgotten, where all rooms together have too many recipients', () => {
    const prepared = new PreparedRooms<Recipient>(250);
    const recipients = createRecipients().of(members(100));
    const of = (n: number, revision = 1) => roster(revision, [], `sip:chat-${n}@imc.test` as RoomUri);
    prepared.keep(of(1), recipients);
    for (let revision = 1; revision < 10; revision += 1) prepared.keep(of(2, revision), recipients);
    assert.equal(prepared.get(of(1)), recipients);
    assert.equal(prepared.get(of(2, 9)), recipients);
    assert.equal(prepared.get(of(2, 8)), undefined);
    prepared.keep(of(3), recipients);
    assert.deepEqual(
      [prepared.get(of(1)), prepared.get(of(2, 9)), prepared.get(of(3))],
      [undefined, undefined, recipients],
    );
    prepared.keep(of(1), recipients);
    assert.equal(prepared.get(of(3)), recipients);
  });
});
