import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { imcd, jsonLines } from '../support/imcd.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openUser, type SipUser } from '../support/sip-client.ts';

let server: TestServer;
let ann: SipUser;
let bob: SipUser;
const room = 'sip:chat-1@localhost';
before(async () => {
  server = await startTestServer({ args: ['--log.level', 'debug', '--db_url', 'none'] });
  const place = { host: '127.0.0.1', port: server.udp, domain: 'localhost' };
  ann = await openUser(place, 'ann');
  bob = await openUser(place, 'bob');
  assert.equal((await ann.say(room, '#join')).status, 200);
  assert.equal(await ann.hears(), '*** room was created');
  assert.equal((await bob.say(room, '#join')).status, 200);
  for (const user of [ann, bob]) assert.match(await user.hears(), /has joined the room/);
});
after(async () => {
  ann.close();
  bob.close();
  await server.stop();
});

const mi = (...args: readonly string[]) => imcd(['mi', ...args, '--mi.http', `127.0.0.1:${server.mi}`]);
const history = async () =>
  jsonLines((await imcd(['history', 'chat-1', '--json', '--data', server.data, '--domains', 'localhost'])).out);

describe('an operator, through the management interface', () => {
  it('removes a member as the owner could: all are told, and the history names the operator and the call', async () => {
    const removed = await mi('remove_member', `room=${room}`, 'member=bob', 'operator=eve');
    assert.deepEqual([removed.code, removed.out], [0, '"OK"\n'], removed.err);
    assert.equal(await bob.hears(), 'You have been removed from this room');
    assert.equal(await ann.hears(), 'The user [bob] has left the room');
    const event = (await history()).at(-1);
    assert.deepEqual([event.type, event.actor, event.data.member], ['MemberRemoved', 'operator:eve', bob.aor]);
    assert.match(event.source, /^mi:http:127\.0\.0\.1:\d+$/);
    const line = await server.line(({ msg, method }) => msg === 'management call' && method === 'imc_remove_member');
    assert.equal(line.correlationId, event.metadata.$correlationId);
  });

  it('sets the topic: all are told, and state, history and the command line know it', async () => {
    const topic = 'two  blanks, \u043e\u0431\u0435\u0434';
    const set = await mi('set_topic', `room=${room}`, `topic=${topic}`, 'operator=eve');
    assert.deepEqual([set.code, set.out], [0, '"OK"\n'], set.err);
    assert.equal(await ann.hears(), `*** operator:eve has set the topic: ${topic}`);
    assert.equal(JSON.parse((await mi('room_state', room)).out).topic, topic);
    const event = (await history()).at(-1);
    assert.deepEqual([event.type, event.actor, event.data.topic], ['TopicChanged', 'operator:eve', topic]);
    assert.equal((await mi('set_topic', `room=${room}`, 'topic=')).code, 0);
    assert.equal(await ann.hears(), '*** operator:mi has set the topic: ');
    assert.equal(JSON.parse((await mi('room_state', room)).out).topic, undefined);
  });

  it('sees bindings, states and histories as they are', async () => {
    const bindings = JSON.parse((await mi('bindings', 'user=ann')).out);
    assert.equal(bindings.BINDINGS[0].AOR, ann.aor);
    assert.match(bindings.BINDINGS[0].Contact, new RegExp(`sip:ann@127\\.0\\.0\\.1:${ann.port}`));
    const now = JSON.parse((await mi('room_state', room)).out);
    const then = JSON.parse((await mi('room_state', `room=${room}`, 'revision=1')).out);
    assert.deepEqual(
      [now, then].map(({ revision, members }) => [revision, members.length]),
      [
        [4, 1],
        [1, 2],
      ],
    );
    const byUser = JSON.parse((await mi('user_history', 'bob')).out).EVENTS;
    assert.deepEqual(
      byUser.map(({ type }: { type: string }) => type),
      ['MemberJoined', 'MemberRemoved'],
    );
    assert.deepEqual(byUser, (await history()).slice(1, 3), 'the same JSON as imcd history');
  });

  it('destroys a room, once', async () => {
    assert.equal((await mi('imc:destroy_room', room)).code, 0);
    assert.equal(await ann.hears(), 'The room has been destroyed');
    const again = await mi('imc:destroy_room', room);
    assert.deepEqual([again.code, again.err], [1, 'imcd: no such room (404)\n']);
    assert.equal((await history()).at(-1).type, 'RoomDestroyed');
  });
});

describe('a line of the log', () => {
  it('leads to the event, and the event to the line: by the Call-ID', async () => {
    const joined = (await history()).find(({ type }) => type === 'MemberJoined');
    const line = await server.line(({ callId }) => callId === joined.callId);
    assert.deepEqual([line.actor, line.room, line.source], [joined.actor, joined.room, joined.source]);
    assert.equal(joined.metadata.$correlationId, joined.callId);
  });
  it('never holds what was said, nor a secret', async () => {
    await ann.say('sip:chat-2@localhost', '#join');
    await ann.say('sip:chat-2@localhost', 'the-secret-of-ann');
    await ann.say('sip:chat-2@localhost', '#the-secret-command');
    await server.line(({ reason, room }) => reason === 'UnknownCommand' && room === 'sip:chat-2@localhost');
    const text = JSON.stringify(server.lines);
    assert.doesNotMatch(text, /the-secret-of-ann/);
  });
});
