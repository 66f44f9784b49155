import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Reply, SipUser } from '../support/sip-client.ts';
import { openWorld, type World } from './place.ts';

/** Behaviour section 3, row by row. */

let world: World;
before(async () => {
  world = await openWorld();
});
after(() => world.close());

const joined = (user: SipUser): string => `*** <${user.aor}> has joined the room`;
const nameOf = (user: SipUser): string => user.aor.slice(4, user.aor.indexOf('@'));
const short = (user: SipUser): string => user.aor.slice(4);
const hasLeft = (user: SipUser): string => `The user [${nameOf(user)}] has left the room`;
const done = async (reply: Promise<Reply>): Promise<void> => {
  const { status, reason } = await reply;
  assert.equal(status, 200, reason);
};
/** Refused with this status, and told so in a MESSAGE of the same reason (`notify_errors`). */
const refused = async (user: SipUser, reply: Promise<Reply>, expected: number): Promise<void> => {
  const { status, reason } = await reply;
  assert.equal(status, expected, reason);
  assert.equal(await user.hears(), `*** ${reason}`);
};

/** A room with an owner and members, all of them silent so far. */
const roomOf = async (
  count: number,
  secrecy = '',
): Promise<{ room: string; users: readonly SipUser[]; owner: SipUser }> => {
  const room = world.room();
  const users: SipUser[] = [];
  for (let i = 0; i < count; i += 1) {
    const user = await world.user(['ann', 'bob', 'carol', 'dave'][i] ?? 'eve');
    if (i === 0) await done(user.say(room, `#create ${room} ${secrecy}`));
    else if (secrecy === '') await done(user.say(room, '#join'));
    else await done((users[0] ?? assert.fail()).say(room, `#add ${user.aor}`));
    users.push(user);
    if (i === 0) assert.equal(await user.hears(), '*** room was created');
    else for (const member of users) assert.equal(await member.hears(), joined(user));
  }
  return { room, users, owner: users[0] ?? assert.fail() };
};

describe('create', () => {
  it('NAME: new room; sender is owner; to owner `*** room was created`, from the room', async () => {
    const ann = await world.user('ann');
    const room = world.room();
    await done(ann.say(world.manager, `#create ${room.slice(4, room.indexOf('@'))}`));
    const notice = await ann.next();
    assert.equal(notice.body.toString(), '*** room was created');
    assert.equal(notice.start, `MESSAGE sip:${nameOf(ann)}@127.0.0.1:${ann.port} SIP/2.0`);
    assert.match(notice.headers.from ?? '', new RegExp(`^<${room.replace(/[.+]/g, '\\$&')}>;tag=.+`));
    assert.equal(notice.headers.to, `<${ann.aor}>`);
    assert.match(notice.headers['content-type'] ?? '', /^text\/plain/);
    assert.ok(notice.headers['in-reply-to'] !== undefined);
    await done(ann.say(room, '#list'));
    assert.equal(await ann.hears(), `Members:\n*${ann.aor}`);
  });
  it('of an existing public room: same as join', async () => {
    const { room, users, owner } = await roomOf(2);
    const eve = await world.user('eve');
    await done(eve.say(world.manager, `#create ${room}`));
    for (const user of [owner, ...users.slice(1), eve]) assert.equal(await user.hears(), joined(eve));
  });
  it('of an existing private room: member: nothing changes; other: refused 403', async () => {
    const { room, owner } = await roomOf(1, 'private');
    await done(owner.say(room, `#create ${room}`));
    const eve = await world.user('eve');
    await refused(eve, eve.say(world.manager, `#create ${room}`), 403);
  });
});

describe('join', () => {
  it('room missing: as create (public)', async () => {
    const ann = await world.user('ann');
    const room = world.room();
    await done(ann.say(room, '#join'));
    assert.equal(await ann.hears(), '*** room was created');
  });
  it('public: becomes member; broadcast, joiner included', async () => {
    await roomOf(3);
  });
  it('private: 403 for one who is not invited; an invited one accepts by it', async () => {
    const { room, owner } = await roomOf(1, 'private');
    const eve = await world.user('eve');
    await refused(eve, eve.say(room, '#join'), 403);
    await done(owner.say(room, `#invite ${eve.aor}`));
    await eve.hears();
    await done(eve.say(room, '#join'));
    for (const user of [owner, eve]) assert.equal(await user.hears(), joined(eve));
  });
  it('by a member: nothing changes, 200, to sender `*** You are in the room already`', async () => {
    const { room, users, owner } = await roomOf(2);
    const [, bob] = users;
    assert.ok(bob !== undefined);
    await done(bob.say(room, '#join'));
    assert.equal(await bob.hears(), '*** You are in the room already');
    await owner.hearsNothing();
  });
});

describe('invite', () => {
  it('to USER: INVITE from: inviter; broadcast of nothing until it is accepted', async () => {
    const { room, users, owner } = await roomOf(2);
    const [, bob] = users;
    const eve = await world.user('eve');
    await done(owner.say(room, `#invite ${nameOf(eve)}`));
    assert.equal(await eve.hears(), `INVITE from: ${short(owner)}(Type: '#accept' or '#deny')`);
    await bob?.hearsNothing();
    await done(eve.say(room, '#accept'));
    for (const user of [...users, eve]) assert.equal(await user.hears(), joined(eve));
  });
  it('of one already invited: the invitation is sent again', async () => {
    const { room, owner } = await roomOf(1);
    const eve = await world.user('eve');
    for (const _ of [1, 2]) {
      await done(owner.say(room, `#invite ${eve.aor}`));
      assert.match(await eve.hears(), /^INVITE from: /);
    }
  });
  it('of a member: 409; by a member who is neither owner nor admin: 403', async () => {
    const { room, users, owner } = await roomOf(2);
    const [, bob] = users;
    assert.ok(bob !== undefined);
    await refused(owner, owner.say(room, `#invite ${bob.aor}`), 409);
    await refused(bob, bob.say(room, `#invite eve`), 403);
  });
  it('that ends in an answer of 300 or more is withdrawn; to the inviter `... is not registered. `', async () => {
    const { room, owner } = await roomOf(1);
    const eve = await world.user('eve');
    eve.answerWith = '486 Busy Here';
    await done(owner.say(room, `#invite ${eve.aor}`));
    assert.equal(await owner.hears(), `${short(eve)} is not registered. `);
    eve.answerWith = '200 OK';
    await eve.hears();
    await refused(eve, eve.say(room, '#accept'), 403);
  });
  it('of somebody who is registered nowhere: the same', async () => {
    const { room, owner } = await roomOf(1);
    await done(owner.say(room, '#invite nobody'));
    assert.equal(await owner.hears(), `nobody@${world.place.domain} is not registered. `);
  });
});

describe('accept and deny', () => {
  it('deny: to the inviter `The user [user] has denied the invitation`', async () => {
    const { room, owner } = await roomOf(1);
    const eve = await world.user('eve');
    await done(owner.say(room, `#invite ${eve.aor}`));
    await eve.hears();
    await done(eve.say(room, '#deny'));
    assert.equal(await owner.hears(), `The user [${nameOf(eve)}] has denied the invitation`);
    await refused(eve, eve.say(room, '#accept'), 403);
  });
  it('accept, deny, exit, list and chat by somebody who is neither member nor invited: 403', async () => {
    const { room } = await roomOf(1);
    const eve = await world.user('eve');
    for (const command of ['#accept', '#deny', '#exit', '#list']) await refused(eve, eve.say(room, command), 403);
    assert.equal((await eve.say(room, 'hello')).status, 403);
  });
});

describe('remove', () => {
  it('to USER `You have been removed from this room`; broadcast that the user has left', async () => {
    const { room, users, owner } = await roomOf(3);
    const [, bob, carol] = users;
    assert.ok(bob !== undefined && carol !== undefined);
    await done(owner.say(room, `#remove ${bob.aor}`));
    assert.equal(await bob.hears(), 'You have been removed from this room');
    for (const user of [owner, carol]) assert.equal(await user.hears(), hasLeft(bob));
    assert.equal((await bob.say(room, 'hello')).status, 403);
  });
  it('withdraws an invitation, and broadcasts nothing then', async () => {
    const { room, users, owner } = await roomOf(2);
    const [, bob] = users;
    const eve = await world.user('eve');
    await done(owner.say(room, `#invite ${eve.aor}`));
    await eve.hears();
    await done(owner.say(room, `#remove ${eve.aor}`));
    assert.equal(await eve.hears(), 'You have been removed from this room');
    await bob?.hearsNothing();
  });
  it('of the owner: 403; of one who is neither member nor invited: 404; by a plain member: 403', async () => {
    const { room, users, owner } = await roomOf(2);
    const [, bob] = users;
    assert.ok(bob !== undefined);
    await refused(owner, owner.say(room, `#remove ${owner.aor}`), 403);
    await refused(owner, owner.say(room, '#remove nobody'), 404);
    await refused(bob, bob.say(room, `#remove ${owner.aor}`), 403);
  });
});

describe('exit and destroy', () => {
  it('exit: broadcast to those who stay', async () => {
    const { room, users, owner } = await roomOf(3);
    const [, bob, carol] = users;
    assert.ok(bob !== undefined && carol !== undefined);
    await done(bob.say(room, '#exit'));
    for (const user of [owner, carol]) assert.equal(await user.hears(), hasLeft(bob));
    await bob.hearsNothing();
  });
  it("the owner's exit destroys the room: `The room has been destroyed` to all, the owner too", async () => {
    const { room, users, owner } = await roomOf(2);
    await done(owner.say(room, '#exit'));
    for (const user of users) assert.equal(await user.hears(), 'The room has been destroyed');
    await refused(owner, owner.say(room, '#list'), 404);
  });
  it("an invited user's exit is a deny", async () => {
    const { room, owner } = await roomOf(1);
    const eve = await world.user('eve');
    await done(owner.say(room, `#invite ${eve.aor}`));
    await eve.hears();
    await done(eve.say(room, '#leave'));
    assert.equal(await owner.hears(), `The user [${nameOf(eve)}] has denied the invitation`);
  });
  it('destroy: owner alone; the name is free again', async () => {
    const { room, users, owner } = await roomOf(2);
    const [, bob] = users;
    assert.ok(bob !== undefined);
    await refused(bob, bob.say(room, '#destroy'), 403);
    await done(owner.say(room, '#destroy'));
    for (const user of users) assert.equal(await user.hears(), 'The room has been destroyed');
    await done(bob.say(room, `#create ${room}`));
    assert.equal(await bob.hears(), '*** room was created');
  });
});

describe('list, help and rooms', () => {
  it('list: owner first, then in the order of joining, invited ones not shown, no newline after the last', async () => {
    const { room, users, owner } = await roomOf(3);
    const [, bob, carol] = users;
    const eve = await world.user('eve');
    await done(owner.say(room, `#invite ${eve.aor}`));
    await eve.hears();
    await refused(eve, eve.say(room, '#list'), 403);
    await done(owner.say(room, `#modify ${carol?.aor} admin`));
    for (const user of users) assert.equal(await user.hears(), `*** ${carol?.aor} is now admin`);
    await done(owner.say(room, '#members'));
    assert.equal(await owner.hears(), `Members:\n*${owner.aor}\n${bob?.aor}\n~${carol?.aor}`);
  });
  it('help: the commands, one a line', async () => {
    const ann = await world.user('ann');
    await done(ann.say(world.manager, '#help'));
    const lines = (await ann.hears()).split('\n');
    for (const name of ['create', 'join', 'invite', 'accept', 'deny', 'remove', 'exit', 'destroy', 'list', 'help'])
      assert.ok(
        lines.some((line) => line.startsWith(`#${name}`)),
        name,
      );
  });
  it("help WORD: with a command's name, its parameters and one sentence; 400 where there is none of that name", async () => {
    const ann = await world.user('ann');
    await done(ann.say(world.manager, '#help leave'));
    assert.match(await ann.hears(), /^#exit \[ROOM\] \(also #leave\)\n[^\n]+\.$/);
    assert.equal((await ann.say(world.manager, '#help dance')).status, 400);
    assert.equal(await ann.hears(), "invalid command 'dance' - send '#help' for details");
  });
  it('rooms: `Rooms:` then a line each; private ones only for those who are in them', async () => {
    const { room, users } = await roomOf(2);
    const { room: hidden, owner } = await roomOf(1, 'private');
    const [, bob] = users;
    await done(owner.say(world.manager, '#rooms'));
    const mine = (await owner.hears()).split('\n');
    assert.equal(mine[0], 'Rooms:');
    assert.ok(mine.includes(`${room} 2`) && mine.includes(`${hidden} 1 private`));
    await done(bob?.say(world.manager, '#rooms') ?? assert.fail());
    assert.doesNotMatch((await bob?.hears()) ?? '', / private/);
  });
});

describe('add and modify', () => {
  it('add: member at once, broadcast as join; also of one who is invited', async () => {
    const { room, owner } = await roomOf(1, 'private');
    const eve = await world.user('eve');
    await done(owner.say(room, `#invite ${eve.aor}`));
    await eve.hears();
    await done(owner.say(room, `#add ${eve.aor}`));
    for (const user of [owner, eve]) assert.equal(await user.hears(), joined(eve));
  });
  it('modify: `*** sip:user@domain is now ROLE`; owner hands the room over and becomes admin', async () => {
    const { room, users, owner } = await roomOf(2);
    const [, bob] = users;
    assert.ok(bob !== undefined);
    await refused(bob, bob.say(room, `#modify ${bob.aor} owner`), 403);
    await refused(owner, owner.say(room, `#modify ${owner.aor} member`), 403);
    await refused(owner, owner.say(room, '#modify nobody admin'), 404);
    await done(owner.say(room, `#modify ${bob.aor} owner`));
    for (const user of users) assert.equal(await user.hears(), `*** ${bob.aor} is now owner`);
    await done(bob.say(room, '#list'));
    assert.equal(await bob.hears(), `Members:\n*${bob.aor}\n~${owner.aor}`);
  });
});
