import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stateJson, stateSchema } from '../../src/mi/event-json.ts';
import { methods } from '../../src/mi/methods.ts';
import { fieldsOf } from '../../src/room/codec-fields.ts';
import { Enrolled, Invited, RoomProperties } from '../../src/room/room.ts';
import { addEvents, fakePorts, put, room, uri } from './fake-ports.ts';

describe('which', () => {
  it('lists every spelling, and each can be called', async () => {
    const { call } = fakePorts();
    const names = await call('which');
    assert.ok(Array.isArray(names));
    for (const name of ['imc_list_rooms', 'list_rooms', 'imc:list_rooms', 'get_statistics', 'statistics:get', 'which'])
      assert.ok(names.includes(name), name);
    assert.equal(new Set(names).size, names.length, 'no spelling twice');
    for (const name of names) {
      const answer = await call(name);
      assert.ok(!JSON.stringify(answer).includes('-32601'), name);
    }
  });
});

describe('which of one method', () => {
  it('gives the sets of its parameters, by which opensips-cli completes', async () => {
    const { call } = fakePorts();
    assert.deepEqual(await call('which', { command: 'imc_list_members' }), [['room']]);
    assert.deepEqual(await call('which', ['list_rooms']), [[]]);
    assert.deepEqual(await call('which', ['imc:room_state']), [['room'], ['room', 'revision', 'at']]);
    assert.equal(Object(await call('which', ['nothing'])).code, 404);
  });
});

describe('list_rooms and list_members (behaviour 8)', () => {
  it('MEMBERS and NO_MEMBERS count invited ones too', async () => {
    const fake = fakePorts();
    put(fake, room('chat-1', 'alice', 'bob', '?carol'));
    put(fake, room('chat-2', 'dave'));
    for (const name of ['list_rooms', 'imc_list_rooms', 'imc:list_rooms']) {
      assert.deepEqual(await fake.call(name), {
        ROOMS: [
          { URI: 'sip:chat-1@x.org', MEMBERS: 3, OWNER: 'sip:alice@x.org' },
          { URI: 'sip:chat-2@x.org', MEMBERS: 1, OWNER: 'sip:dave@x.org' },
        ],
      });
    }
    const members = { MEMBERS: ['sip:alice@x.org', 'sip:bob@x.org', 'sip:carol@x.org'], NO_MEMBERS: 3 };
    assert.deepEqual(await fake.call('list_members', { room: 'sip:chat-1@x.org' }), {
      ROOM: 'sip:chat-1@x.org',
      ...members,
    });
    const echoed = await fake.call('imc_list_members', ['sips:chat-1@x.org;transport=tcp']);
    assert.deepEqual(echoed, { ROOM: 'sips:chat-1@x.org;transport=tcp', ...members }, 'ROOM is echoed as it was given');
  });
  it('says empty param, bad param and no such room as OpenSIPS does', async () => {
    const { call } = fakePorts();
    assert.deepEqual(await call('list_members', ['']), { code: 400, message: 'empty param' });
    for (const bad of ['chat-1', 7, null, 'tel:1', 'sip:'])
      assert.deepEqual(await call('list_members', [bad]), { code: 400, message: 'bad param' }, String(bad));
    assert.deepEqual(await call('list_members', ['sip:chat-9@x.org']), { code: 404, message: 'no such room' });
  });
});

describe('history and state', () => {
  it('room_history gives the JSON of imcd history, filtered', async () => {
    const fake = fakePorts();
    addEvents(fake, 'chat-1', 10);
    const all = (params: object) => fake.call('room_history', { room: 'sip:chat-1@x.org', ...params });
    const revisions = async (params: object) => {
      const answer = await all(params);
      assert.ok(typeof answer === 'object' && answer !== null && 'EVENTS' in answer && Array.isArray(answer.EVENTS));
      return answer.EVENTS.map(({ revision }: { revision: number }) => revision);
    };
    assert.deepEqual(await revisions({ limit: 2 }), [0, 1]);
    assert.deepEqual(await revisions({ from: 8 }), [8, 9]);
    assert.deepEqual(await revisions({ from: '8', limit: '1' }), [8]);
    assert.deepEqual(await revisions({ limit: 0 }), []);
    const window = { since: '2026-11-22T15:00:03+01:00', until: '2026-11-22T14:00:04.500Z' };
    assert.deepEqual(await revisions(window), [3, 4]);
    const [first] = Object.values(Object(await all({ limit: 1 })))[0] as object[];
    assert.deepEqual(first, {
      position: '0',
      stream: 'room-chat-1@x.org',
      revision: 0,
      type: 'RoomCreated',
      time: '2026-11-22T14:00:00.000Z',
      room: 'sip:chat-1@x.org',
      actor: 'sip:u0@x.org',
      source: 'udp:192.0.2.1:5060',
      callId: 'call-0',
      data: fake.events[0]?.data,
      metadata: fake.events[0]?.metadata,
    });
    for (const wrong of [
      { from: -1 },
      { limit: 'x' },
      { since: 'yesterday' },
      { since: '2026-02-31T00:00:00Z' },
      { until: 5 },
    ])
      assert.equal(Object(await all(wrong)).code, 400, JSON.stringify(wrong));
  });
  it('user_history follows one user over all rooms', async () => {
    const fake = fakePorts();
    addEvents(fake, 'chat-1', 3);
    addEvents(fake, 'chat-2', 3);
    const answer = Object(await fake.call('user_history', ['u2']));
    assert.deepEqual(
      answer.EVENTS.map(({ room: at }: { room: string }) => at),
      ['sip:chat-1@x.org', 'sip:chat-2@x.org'],
    );
    assert.equal(Object(await fake.call('user_history', ['a b'])).code, 400);
  });
  it('room_state shows roles, now and then', async () => {
    const fake = fakePorts();
    put(fake, room('chat-1', 'alice', '?bob'));
    const state = {
      room: 'sip:chat-1@x.org',
      revision: 7,
      private: false,
      owner: 'sip:alice@x.org',
      members: [
        { uri: 'sip:alice@x.org', role: 'owner', since: '2026-11-22T14:00:00.000Z' },
        { uri: 'sip:bob@x.org', role: 'invited', since: '2026-11-22T14:00:00.000Z' },
      ],
    };
    assert.deepEqual(await fake.call('room_state', ['sip:chat-1@x.org']), state);
    assert.deepEqual(await fake.call('room_state', ['sip:chat-1@x.org', 3]), { ...state, revision: 3 });
    put(fake, { ...room('chat-2', 'alice'), topic: 'lunch' });
    assert.equal(Object(await fake.call('room_state', ['sip:chat-2@x.org'])).topic, 'lunch');
    assert.equal(Object(await fake.call('room_state', ['sip:chat-9@x.org'])).code, 404);
    const both = { room: 'sip:chat-1@x.org', revision: 1, at: '2026-11-22T14:00:00Z' };
    assert.equal(Object(await fake.call('room_state', both)).code, 400);
  });
});

describe('the state of a room', () => {
  it('shows every field that a room has, and its schema names it', () => {
    const { room: uri, ...shown } = stateJson(0n, { ...room('chat-1', 'alice'), topic: 'lunch' }) ?? assert.fail();
    for (const [name] of fieldsOf(RoomProperties)) {
      assert.ok(name in { uri, ...shown }, name);
      assert.ok(name in { uri, ...stateSchema.properties }, name);
    }
  });

  it('shows every field of a member but those left out on purpose, and its schema names no other', () => {
    // How an invitation came about and by which scheme to reach somebody: what imcd needs, and people do not ask for.
    const leftOut = ['inviter', 'scheme'];
    const known = [Enrolled, Invited].flatMap((codec) => fieldsOf(codec).map(([name]) => name));
    for (const name of leftOut) assert.ok(known.includes(name), `${name} is left out, and no field`);
    const shown = new Set(known.filter((name) => !leftOut.includes(name)));
    const { members } = stateJson(0n, room('chat-1', 'alice', '?bob')) ?? assert.fail();
    assert.equal(members.length, 2);
    for (const member of members) assert.deepEqual(new Set(Object.keys(member)), shown);
    assert.deepEqual(new Set(Object.keys(stateSchema.properties.members.items.properties)), shown);
  });
});

describe('commands of an operator', () => {
  it('go through the conference with the operator as actor', async () => {
    const fake = fakePorts();
    assert.equal(await fake.call('destroy_room', ['sip:chat-1@x.org']), 'OK');
    assert.equal(await fake.call('remove_member', { room: 'sip:chat-1@x.org', member: 'bob', operator: 'eve' }), 'OK');
    assert.equal(await fake.call('set_topic', ['sip:chat-1@x.org', ' two  blanks ']), 'OK');
    assert.equal(await fake.call('set_topic', { room: 'sip:chat-1@x.org', topic: '', operator: 'eve' }), 'OK');
    assert.deepEqual(
      fake.executed.map(({ command }) => command),
      [
        { type: 'DestroyRoom', room: 'sip:chat-1@x.org', actor: 'operator:mi' },
        { type: 'RemoveMember', room: 'sip:chat-1@x.org', actor: 'operator:eve', member: 'sip:bob@x.org' },
        { type: 'SetTopic', room: 'sip:chat-1@x.org', actor: 'operator:mi', topic: ' two  blanks ' },
        { type: 'SetTopic', room: 'sip:chat-1@x.org', actor: 'operator:eve', topic: '' },
      ],
    );
    assert.deepEqual(
      fake.executed.map(({ origin }) => origin.source),
      ['mi:test', 'mi:test', 'mi:test', 'mi:test'],
    );
    const logged = fake.lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'management call');
    assert.deepEqual(
      logged.map(({ method, outcome, correlationId }) => [method, outcome, correlationId]),
      [
        ['imc_destroy_room', 'done', fake.executed[0]?.origin.correlationId],
        ['imc_remove_member', 'done', fake.executed[1]?.origin.correlationId],
        ['imc_set_topic', 'done', fake.executed[2]?.origin.correlationId],
        ['imc_set_topic', 'done', fake.executed[3]?.origin.correlationId],
      ],
      'the id of the log line is the one that goes into the event',
    );
  });
  it('are refused with a code and the reason', async () => {
    const fake = fakePorts();
    const remove = () => fake.call('remove_member', ['sip:chat-1@x.org', 'bob']);
    fake.answer = { kind: 'refused', refusal: { reason: 'NoSuchRoom' } };
    assert.deepEqual(await remove(), { code: 404, message: 'no such room' });
    fake.answer = { kind: 'refused', refusal: { reason: 'OwnerCannotBeRemoved' } };
    assert.deepEqual(await remove(), { code: 403, message: 'no: OwnerCannotBeRemoved' });
    fake.answer = { kind: 'refused', refusal: { reason: 'NoSuchMember', member: uri('sip:bob@x.org') } };
    assert.deepEqual(await remove(), { code: 404, message: 'no: NoSuchMember' });
    fake.answer = { kind: 'refused', refusal: { reason: 'AlreadyMember', member: uri('sip:bob@x.org') } };
    assert.deepEqual(await remove(), { code: 409, message: 'no: AlreadyMember' }, 'as in SIP');
    fake.answer = { kind: 'refused', refusal: { reason: 'RoomNeeded', command: 'remove' } };
    assert.deepEqual(await remove(), { code: 400, message: 'no: RoomNeeded' }, 'as in SIP');
    fake.answer = { kind: 'failed', failure: { kind: 'StoreUnavailable', message: 'the log cannot be reached' } };
    assert.deepEqual(await remove(), { code: 500, message: 'the log cannot be reached' });
    assert.equal(Object(await fake.call('destroy_room', ['sip:chat-1@x.org', 'a b'])).code, 400);
  });
  it('take a topic as a member could write it', async () => {
    const fake = fakePorts();
    const set = (topic: unknown) => fake.call('set_topic', { room: 'sip:chat-1@x.org', topic });
    const bad = (why: string) => ({ code: 400, message: `bad param: topic: ${why}` });
    assert.deepEqual(await set('\u00fc'.repeat(129)), bad('no: TooLong'));
    for (const text of ['two\nlines', 'a\0b', '\ud800']) assert.deepEqual(await set(text), bad('no: BadText'));
    assert.deepEqual(await set(7), bad('it must be text'));
    assert.equal(await set('\u00fc'.repeat(128)), 'OK');
    assert.equal(fake.executed.length, 1);
  });
});

describe('statistics', () => {
  const filled = () => {
    const fake = fakePorts();
    fake.statistics.push(
      { group: 'imc', name: 'active_rooms', value: 3, incremental: false },
      { group: 'sip', name: 'requests', value: 10, incremental: true },
    );
    return fake;
  };
  it('get_statistics by name, group and list, positions and names', async () => {
    const { call } = filled();
    for (const asked of ['active_rooms', 'imc:', 'imc:active_rooms'])
      for (const params of [[asked], [[asked]], { statistics: asked }, { statistics: [asked] }])
        for (const method of ['get_statistics', 'statistics:get'])
          assert.deepEqual(await call(method, params), { 'imc:active_rooms': 3 }, JSON.stringify(params));
    assert.deepEqual(await call('get_statistics', ['all']), { 'imc:active_rooms': 3, 'sip:requests': 10 });
    assert.equal(Object(await call('get_statistics', ['nothing'])).code, 404);
    assert.equal(Object(await call('get_statistics', [7])).code, 400);
  });
  it('reset_statistics lets what only grows start from 0', async () => {
    const fake = filled();
    assert.equal(await fake.call('reset_statistics', ['requests']), 'OK');
    fake.statistics[1] = { group: 'sip', name: 'requests', value: 12, incremental: true };
    assert.deepEqual(await fake.call('get_statistics', ['requests']), { 'sip:requests': 2 });
    assert.equal(Object(await fake.call('reset_statistics', ['active_rooms'])).code, 400);
    assert.deepEqual(await fake.call('list_statistics'), {
      'imc:active_rooms': 'non-incremental',
      'sip:requests': 'incremental',
    });
  });
});

describe('the rest', () => {
  it('version, uptime, ps, help as users of opensips-cli expect them', async () => {
    const { call } = fakePorts();
    assert.match(Object(await call('version')).Server, /^imcd \(1\.2\.3 /);
    const up = Object(await call('uptime'));
    assert.match(up['Up time'], /^6[5-9] \[sec\]$/);
    assert.match(up.Now, /^[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d \d{4}$/);
    assert.equal(Object(await call('ps')).Processes[0].PID, process.pid);
    assert.equal(Object(Object(await call('help')).Methods).imc_list_rooms !== undefined, true);
    assert.match(Object(await call('help', ['imc:list_members'])).Params[0], /^room: /);
    assert.equal(Object(await call('help', ['nothing'])).code, 404);
  });
  it('log_level shows and sets, in our words and in numbers', async () => {
    const fake = fakePorts();
    assert.deepEqual(await fake.call('log_level'), { 'Log level': 'info' });
    for (const [given, level] of [
      ['debug', 'debug'],
      [4, 'debug'],
      ['3', 'info'],
      [1, 'warn'],
      [-1, 'error'],
    ] as const) {
      assert.deepEqual(await fake.call('log_level', [given]), { 'New global log level': level });
      assert.equal(fake.level, level);
    }
    for (const wrong of ['loud', {}, 77]) assert.equal(Object(await fake.call('log_level', [wrong])).code, 400);
  });
  it('bindings of one user or of all', async () => {
    const fake = fakePorts();
    for (const name of ['a', 'b'])
      fake.bindings.push({
        user: uri(`sip:${name}@x.org`),
        contact: `sip:${name}@192.0.2.1`,
        expires: 0,
        source: 'udp:192.0.2.1:5060',
      });
    assert.equal(Object(await fake.call('bindings')).BINDINGS.length, 2);
    assert.deepEqual(Object(await fake.call('bindings', ['a'])).BINDINGS, [
      {
        AOR: 'sip:a@x.org',
        Contact: 'sip:a@192.0.2.1',
        Expires: '1970-01-01T00:00:00.000Z',
        Source: 'udp:192.0.2.1:5060',
      },
    ]);
  });
  it('every method says what it does, takes and gives', () => {
    for (const { summary, params, result } of methods) {
      assert.ok(summary.length > 5);
      assert.ok(Object.keys(result).length > 0);
      for (const { meaning } of params) assert.ok(meaning.length > 5);
    }
  });
});
