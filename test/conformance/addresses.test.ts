import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { SipUser } from '../support/sip-client.ts';
import { openWorld, type World } from './place.ts';

/** Behaviour sections 1 and 2, line by line. */

let world: World;
let ann: SipUser;
before(async () => {
  world = await openWorld();
  ann = await world.user('ann');
});
after(() => world.close());

const nameOf = (uri: string): string => uri.slice(4, uri.indexOf('@'));
/** A room of ann's. */
const made = async (): Promise<string> => {
  const room = world.room();
  assert.equal((await ann.say(room, '#join')).status, 200);
  assert.equal(await ann.hears(), '*** room was created');
  return room;
};
const statusOf = async (uri: string, body: string): Promise<number> => {
  const { status, reason } = await ann.say(uri, body);
  if (status === 400) assert.match(await ann.hears(), new RegExp(reason.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')));
  return status;
};

describe('1. Addresses', () => {
  it('are compared without regard to case, parameters, port, password and headers', async () => {
    const room = await made();
    const other = `${room.replace('chat', 'CHAT').replace(world.place.domain, world.place.domain.toUpperCase())}:5060;x=y`;
    assert.equal((await ann.say(other, '#join')).status, 200);
    assert.equal(await ann.hears(), '*** You are in the room already');
    const reply = await ann.request({
      uri: room,
      body: '#list',
      from: `${ann.aor.toUpperCase().replace('SIP', 'sip')};a=b`,
    });
    assert.equal(reply.status, 200);
    assert.equal(await ann.hears(), `Members:\n*${ann.aor}`);
  });

  it('of users may be `sip:john@domain`, `john@domain` or `john`', async () => {
    const room = await made();
    for (const form of [(u: string) => u, (u: string) => u.slice(4), nameOf]) {
      const eve = await world.user('eve');
      assert.equal((await ann.say(room, `#invite ${form(eve.aor)}`)).status, 200);
      assert.match(await eve.hears(), /^INVITE from: /);
    }
  });

  it('of rooms may be a bare name, `name@domain` or a full SIP URI', async () => {
    for (const form of [(u: string) => u, (u: string) => u.slice(4), nameOf]) {
      const room = world.room();
      assert.equal((await ann.say(world.manager, `#join ${form(room)}`)).status, 200);
      const notice = await ann.next();
      assert.equal(notice.body.toString(), '*** room was created');
      assert.match(notice.headers.from ?? '', new RegExp(`^<${room}>`));
    }
  });

  it("are taken from To, and from the Request-URI where only that is a room's", async () => {
    const [one, two] = [await made(), await made()];
    const list = async (uri: string, to: string): Promise<string> => {
      assert.equal((await ann.request({ uri, to, body: '#list' })).status, 200);
      return (await ann.next()).headers.from ?? '';
    };
    assert.match(await list(two, one), new RegExp(`^<${one}>`));
    assert.match(await list(two, 'sip:team@example.org'), new RegExp(`^<${two}>`));
    assert.match(await list(`sip:${world.place.host}:${world.place.port}`, one), new RegExp(`^<${one}>`));
  });

  it('have their escapes undone before comparing', async () => {
    const room = await made();
    const escaped = room.replace('chat-', '%63hat%2d').replace('sip:', 'sips:');
    const from = ann.aor.replace('ann', 'a%6En');
    assert.equal((await ann.request({ uri: room, to: escaped, from, body: '#list' })).status, 200);
    assert.equal(await ann.hears(), `Members:\n*${ann.aor}`);
  });

  it('`#join`, `#invite` and the rest sent to the manager without a room argument: 400', async () => {
    for (const body of [
      '#join',
      '#invite bob',
      '#accept',
      '#deny',
      '#remove bob',
      '#exit',
      '#destroy',
      '#list',
      '#add bob',
      '#modify bob admin',
    ])
      assert.equal(await statusOf(world.manager, body), 400, body);
  });

  it("too long in the request's own address: 414; in From or an argument: 400", async () => {
    const { domain } = world.place;
    const room = await made();
    assert.equal((await ann.say(`sip:chat-${'1'.repeat(60)}@${domain}`, '#join')).status, 414);
    assert.equal((await ann.say(`sip:chat-${'1'.repeat(59 - domain.length - 4)}@${domain}`, '#join')).status, 414);
    assert.equal(
      (await ann.request({ uri: room, from: `sip:${'a'.repeat(65)}@${domain}`, body: '#join' })).status,
      400,
    );
    assert.equal(await statusOf(room, `#invite ${'a'.repeat(65)}`), 400);
    assert.equal(await statusOf(room, `#invite a@${'b'.repeat(65)}`), 400);
    assert.equal(await statusOf(world.manager, `#create chat-${'1'.repeat(59 - domain.length - 4)}`), 400);
    assert.equal(await statusOf(room, `#invite ${'a'.repeat(64)}`), 200);
    assert.match(await ann.hears(), /is not registered\. $/);
  });

  it('a room whose name does not match the routing rule, or on a domain that is not ours: 400', async () => {
    for (const name of ['lobby', 'chat-manager', 'chat-1@elsewhere', 'sip:chat-x@localhost'])
      assert.equal(await statusOf(world.manager, `#create ${name}`), 400, name);
  });
});

describe('2. Command syntax', () => {
  it('anything that does not begin with the start character is a chat message', async () => {
    const room = await made();
    const bob = await world.user('bob');
    await bob.say(room, '#join');
    await Promise.all([ann.hears(), bob.hears()]);
    assert.equal((await ann.say(room, ' #exit')).status, 200);
    assert.equal(await bob.hears(), `<${ann.aor.slice(4)}>:  #exit`);
  });

  it('a command ends at the first CR or LF; names in any case; words separated by spaces or tabs', async () => {
    const room = await made();
    for (const body of [
      '#LiSt',
      '#list\r\nmore words than it takes, and more',
      '#list\nx',
      `#list\t ${room} `,
      '#list\r',
    ]) {
      assert.equal((await ann.say(room, body)).status, 200, JSON.stringify(body));
      assert.match(await ann.hears(), /^Members:\n/);
    }
  });

  it('more words than the command takes, more than 5, none at all: 400', async () => {
    const room = await made();
    for (const body of [
      '#list a b',
      '#help a b c d e f',
      '#',
      '# list',
      '#\tlist',
      '#\r\nlist',
      '#invite',
      '#modify bob king',
    ])
      assert.equal(await statusOf(room, body), 400, JSON.stringify(body));
  });

  it("unknown command: 400, and `invalid command 'NAME' - send '#help' for details` once", async () => {
    const room = await made();
    const { status } = await ann.say(room, '#Foo bar');
    assert.equal(status, 400);
    assert.equal(await ann.hears(), "invalid command 'Foo' - send '#help' for details");
    await ann.hearsNothing();
  });
});
