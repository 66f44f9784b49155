import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { SipUser } from '../support/sip-client.ts';
import { openWorld, type World } from './place.ts';

/** Behaviour section 4, line by line. */

let world: World;
let room: string;
let ann: SipUser;
let bob: SipUser;
let carol: SipUser;
before(async () => {
  world = await openWorld();
  room = world.room();
  ann = await world.user('ann');
  bob = await world.user('bob');
  carol = await world.user('carol');
  for (const user of [ann, bob, carol]) assert.equal((await user.say(room, '#join')).status, 200);
  for (const [user, notices] of [
    [ann, 3],
    [bob, 2],
    [carol, 1],
  ] as const)
    for (let i = 0; i < notices; i += 1) assert.match(await user.hears(), /^\*\*\* /);
});
after(() => world.close());

const sender = (): string => ann.aor.slice(4);

describe('4. Chat messages', () => {
  it('every other member gets `<user@domain>: ` and the body, from the room; the sender nothing', async () => {
    assert.equal((await ann.say(room, 'hello')).status, 200);
    for (const user of [bob, carol]) {
      const copy = await user.next();
      assert.equal(copy.body.toString(), `<${sender()}>: hello`);
      assert.match(copy.headers.from ?? '', new RegExp(`^<${room}>;tag=`));
      assert.equal(copy.headers.to, `<${user.aor}>`);
      assert.equal(copy.headers['content-type'], 'text/plain');
      assert.equal(copy.headers['max-forwards'], '70');
      assert.equal(copy.headers.contact, undefined);
    }
    await ann.hearsNothing();
  });

  it('by one who is invited only: 403', async () => {
    const eve = await world.user('eve');
    assert.equal((await ann.say(room, `#invite ${eve.aor}`)).status, 200);
    await eve.hears();
    assert.equal((await eve.say(room, 'hello')).status, 403);
    assert.equal((await ann.say(room, `#remove ${eve.aor}`)).status, 200);
  });

  it('text/plain keeps its charset, other text/* is prefixed too', async () => {
    for (const type of ['text/plain;charset=UTF-8', 'text/html', 'TEXT/x-mine']) {
      assert.equal((await ann.say(room, 'x', type)).status, 200);
      for (const user of [bob, carol]) {
        const copy = await user.next();
        assert.equal(copy.headers['content-type'], type);
        assert.equal(copy.body.toString(), `<${sender()}>: x`);
      }
    }
  });

  it('message/cpim, application/* and the rest are relayed unchanged, the sender in P-Asserted-Identity', async () => {
    for (const type of ['message/cpim', 'application/json;a=b', 'image/png']) {
      const body = Buffer.from([0, 1, 2, 0xff, 0x0d, 0x0a, 0x0d, 0x0a, 3]);
      assert.equal((await ann.say(room, body, type)).status, 200);
      for (const user of [bob, carol]) {
        const copy = await user.next();
        assert.equal(copy.headers['content-type'], type);
        assert.deepEqual(copy.body, body);
        assert.equal(copy.headers['p-asserted-identity'], `<${ann.aor}>`);
      }
    }
  });

  it('typing notices are answered and dropped', async () => {
    assert.equal((await ann.say(room, '<isComposing/>', 'application/im-iscomposing+xml')).status, 200);
    await bob.hearsNothing();
  });

  it('bodies are bytes: nothing is encoded anew', async () => {
    const body = Buffer.from([0x68, 0xe9, 0x00, 0xf0, 0x9f, 0x98, 0x80, 0x80]);
    assert.equal((await ann.say(room, body)).status, 200);
    for (const user of [bob, carol])
      assert.deepEqual((await user.next()).body, Buffer.concat([Buffer.from(`<${sender()}>: `), body]));
  });

  it('a body that makes a request of more than 1,300 bytes arrives all the same', async () => {
    const body = 'x'.repeat(20_000);
    assert.equal((await ann.say(room, body)).status, 200);
    for (const user of [bob, carol]) assert.equal(await user.hears(), `<${sender()}>: ${body}`);
  });

  it('an empty body: 400; no Content-Type: taken as text/plain', async () => {
    assert.equal((await ann.say(room, '')).status, 400);
    assert.equal((await ann.request({ uri: room, body: 'hi' })).status, 200);
    for (const user of [bob, carol]) {
      const copy = await user.next();
      assert.equal(copy.body.toString(), `<${sender()}>: hi`);
      assert.equal(copy.headers['content-type'], 'text/plain');
    }
  });

  it('to the manager: 400, with the reason that only commands go there', async () => {
    const { status, reason } = await ann.say(world.manager, 'hello');
    assert.equal(status, 400);
    assert.match(reason, /[Cc]ommands/);
  });

  it('to a room that is not: 404', async () => {
    assert.equal((await ann.say(world.room(), 'hello')).status, 404);
  });

  it('a member without an answer holds up nobody', async () => {
    const transmissions: string[] = [];
    carol.answerWith = ({ headers }) => {
      transmissions.push(headers['call-id'] ?? '');
      return undefined;
    };
    for (const text of ['one', 'two', 'three']) assert.equal((await ann.say(room, text)).status, 200);
    for (const text of ['one', 'two', 'three']) assert.equal(await bob.hears(), `<${sender()}>: ${text}`);
    // The copy that she was sent first is not given up: that would be after 11 transmissions, 32 s.
    const first = transmissions.filter((callId) => callId === transmissions[0]);
    assert.ok(first.length < 11, `bob waited for ${first.length} transmissions to carol`);
    carol.answerWith = '200 OK';
  });
});
