import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Reply, SipUser } from '../support/sip-client.ts';
import { openWorld, type World } from './place.ts';

/** Behaviour section 3, `topic [TEXT]`, over real sockets: bytes as they come and go. */

let world: World;
before(async () => {
  world = await openWorld();
});
after(() => world.close());

const done = async (reply: Promise<Reply>): Promise<void> => {
  const { status, reason } = await reply;
  assert.equal(status, 200, reason);
};
/** Refused with this status and reason, and told so in a MESSAGE of the same reason (`notify_errors`). */
const refused = async (user: SipUser, reply: Promise<Reply>, expected: number, why: RegExp): Promise<void> => {
  const { status, reason } = await reply;
  assert.equal(status, expected, reason);
  assert.match(reason, why);
  assert.equal(await user.hears(), `*** ${reason}`);
};

/** A room of ann, its owner, and bob, a member: silent so far. */
const roomOfTwo = async (): Promise<{ room: string; ann: SipUser; bob: SipUser }> => {
  const room = world.room();
  const [ann, bob] = [await world.user('ann'), await world.user('bob')];
  await done(ann.say(room, '#join'));
  assert.equal(await ann.hears(), '*** room was created');
  await done(bob.say(room, '#join'));
  for (const user of [ann, bob]) assert.match(await user.hears(), /has joined the room$/);
  return { room, ann, bob };
};

const hear = async (users: readonly SipUser[], text: string): Promise<void> => {
  for (const user of users) assert.equal(await user.hears(), text);
};

describe('topic', () => {
  it('TEXT: the owner sets it, all are told, and any member is told who asks', async () => {
    const { room, ann, bob } = await roomOfTwo();
    await done(bob.say(room, '#topic'));
    await hear([bob], '*** No topic is set');
    await done(ann.say(room, '#topic lunch'));
    await hear([ann, bob], `*** ${ann.aor} has set the topic: lunch`);
    await done(bob.say(room, '#TOPIC'));
    await hear([bob], '*** The topic is: lunch');
    await ann.hearsNothing();
  });

  it('the same again: 200, and nobody is told', async () => {
    const { room, ann, bob } = await roomOfTwo();
    await done(ann.say(room, '#topic lunch'));
    await hear([ann, bob], `*** ${ann.aor} has set the topic: lunch`);
    await done(ann.say(room, '#topic lunch'));
    await ann.hearsNothing();
    await bob.hearsNothing();
  });

  it('is UTF-8, blanks and all, and ends at CR or LF', async () => {
    const { room, ann, bob } = await roomOfTwo();
    for (const [body, topic] of [
      ['#topic two  blanks,\tand a tab', 'two  blanks,\tand a tab'],
      ['#topic  one before and one behind \r\nthe next line', ' one before and one behind '],
      ['#topic first\rsecond', 'first'],
      ['#topic ma\u00f1ana, 13 h', 'ma\u00f1ana, 13 h'],
      [
        '#topic \u043e\u0431\u0435\u0434 \u0432 \u0447\u0430\u0441',
        '\u043e\u0431\u0435\u0434 \u0432 \u0447\u0430\u0441',
      ],
      ['#topic \u{1f355}', '\u{1f355}'],
    ] as const) {
      await done(ann.say(room, Buffer.from(body), 'text/plain;charset=UTF-8'));
      await hear([ann, bob], `*** ${ann.aor} has set the topic: ${topic}`);
      await done(bob.say(room, '#topic'));
      await hear([bob], `*** The topic is: ${topic}`);
    }
  });

  it('has at most 256 bytes; one line of UTF-8 without control characters; else 400', async () => {
    const { room, ann, bob } = await roomOfTwo();
    const most = '\u00fc'.repeat(128);
    await done(ann.say(room, `#topic ${most}`));
    await hear([ann, bob], `*** ${ann.aor} has set the topic: ${most}`);
    await refused(ann, ann.say(room, `#topic ${most}x`), 400, /^The topic has 257 bytes, allowed are 256$/);
    const latin1 = Buffer.from('#topic ma\u00f1ana', 'latin1');
    await refused(ann, ann.say(room, latin1, 'text/plain;charset=ISO-8859-1'), 400, /bytes that are not UTF-8/);
    for (const control of ['\u001b[2J', '\0', '\u007f', '\u0085', '\u2028'])
      await refused(ann, ann.say(room, `#topic x${control}y`), 400, /a control character/);
    await done(ann.say(room, '#topic'));
    await hear([ann], `*** The topic is: ${most}`);
    await bob.hearsNothing();
  });

  it('nothing but blanks, or `""`, takes it away', async () => {
    const { room, ann, bob } = await roomOfTwo();
    for (const body of ['#topic ', '#topic  \t ', '#topic ""']) {
      await done(ann.say(room, '#topic lunch'));
      await hear([ann, bob], `*** ${ann.aor} has set the topic: lunch`);
      await done(ann.say(room, body));
      await hear([ann, bob], `*** ${ann.aor} has set the topic: `);
      await done(bob.say(room, '#topic'));
      await hear([bob], '*** No topic is set');
    }
  });

  it('TEXT: owner and admins; others 403. Alone: members; others 403, the invited too', async () => {
    const { room, ann, bob } = await roomOfTwo();
    await refused(bob, bob.say(room, '#topic mine'), 403, /owner and admins/);
    await done(ann.say(room, `#modify ${bob.aor} admin`));
    await hear([ann, bob], `*** ${bob.aor} is now admin`);
    await done(bob.say(room, '#topic mine'));
    await hear([ann, bob], `*** ${bob.aor} has set the topic: mine`);
    const eve = await world.user('eve');
    await refused(eve, eve.say(room, '#topic'), 403, /not a member/);
    await refused(eve, eve.say(room, '#topic mine'), 403, /owner and admins/);
    await done(ann.say(room, `#invite ${eve.aor}`));
    assert.match(await eve.hears(), /^INVITE from: /);
    await refused(eve, eve.say(room, '#topic'), 403, /not a member/);
  });

  it('who becomes a member, by join, accept or add, is told after all are told of him', async () => {
    const { room, ann, bob } = await roomOfTwo();
    await done(ann.say(room, '#topic lunch'));
    await hear([ann, bob], `*** ${ann.aor} has set the topic: lunch`);
    const [carol, dave, eve] = [await world.user('carol'), await world.user('dave'), await world.user('eve')];
    const there = [ann, bob];
    const enters = async (user: SipUser): Promise<void> => {
      await hear([...there, user], `*** <${user.aor}> has joined the room`);
      await hear([user], '*** The topic is: lunch');
      there.push(user);
    };
    await done(carol.say(room, '#join'));
    await enters(carol);
    await done(ann.say(room, `#invite ${dave.aor}`));
    assert.match(await dave.hears(), /^INVITE from: /);
    await done(dave.say(room, '#accept'));
    await enters(dave);
    await done(ann.say(room, `#add ${eve.aor}`));
    await enters(eve);
    await ann.hearsNothing();
  });

  it('is gone with the room: the next of that name has none', async () => {
    const { room, ann, bob } = await roomOfTwo();
    await done(ann.say(room, '#topic lunch'));
    await hear([ann, bob], `*** ${ann.aor} has set the topic: lunch`);
    await done(ann.say(room, '#destroy'));
    await hear([ann, bob], 'The room has been destroyed');
    await done(ann.say(room, '#join'));
    await hear([ann], '*** room was created');
    await done(ann.say(room, '#topic'));
    await hear([ann], '*** No topic is set');
  });

  it('of no room: 404; sent to the manager: 400', async () => {
    const ann = await world.user('ann');
    const nowhere = world.room();
    await refused(ann, ann.say(nowhere, '#topic'), 404, /No such room/);
    await refused(ann, ann.say(nowhere, '#topic lunch'), 404, /No such room/);
    await refused(ann, ann.say(world.manager, '#topic'), 400, /needs a room/);
    await refused(ann, ann.say(world.manager, '#topic lunch'), 400, /needs a room/);
  });
});
