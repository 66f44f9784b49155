import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import { imcd, jsonLines, lines, startImcd, temporaryFolder } from '../support/imcd.ts';
import { folderWithLog, openLogIn, randomLog, type Step } from './random-log.ts';

const { steps, where } = await folderWithLog(7);
const of = (room: string) => steps.filter(({ key }) => key === `${room}@example.org`);

describe('imcd history', () => {
  it('shows every event of a room in order, as JSON and as a table', async () => {
    for (const name of ['chat-1', 'CHAT-1', 'sip:chat-1@example.org;x=y']) {
      const { code, out } = await imcd(['history', name, '--json', ...where]);
      assert.equal(code, 0);
      assert.deepEqual(
        jsonLines(out).map(({ revision, type, time, actor }) => ({ revision, type, time, actor })),
        of('chat-1').map(({ revision, type, time, actor }) => ({ revision, type, time, actor })),
      );
    }
    const { out } = await imcd(['history', 'chat-1', ...where]);
    assert.match(
      out,
      /^TIME \(UTC\) +REV +EVENT +ACTOR +OBJECT +SOURCE +CALL-ID\n2026-11-22 14:00:\d\d\.000 UTC {2}0 /,
    );
    assert.equal(lines(out).length, of('chat-1').length + 1);
    const topics = of('chat-1').filter(({ type }) => type === 'TopicChanged');
    assert.ok(topics.length > 3);
    for (const { revision, actor, after } of topics)
      assert.match(lines(out)[revision + 1] ?? '', new RegExp(` TopicChanged +${actor} +"${after?.topic}" `));
  });

  it('has in each line of JSON what scripts hold on to', async () => {
    const [line] = jsonLines((await imcd(['history', 'chat-1', '--json', ...where])).out);
    const names = 'position stream revision type time room actor source callId data metadata';
    assert.equal(Object.keys(line).join(' '), names);
    assert.equal(typeof line.position, 'string');
    assert.equal(line.stream, 'room-chat-1@example.org');
    assert.equal(line.room, 'sip:chat-1@example.org');
    assert.equal(line.source, 'udp:192.0.2.1:5060');
  });

  it('--user follows one over all rooms, acting and acted upon', async () => {
    const bobs = (step: Step) => step.touched.has('bob@example.org');
    for (const user of ['bob', 'Bob@example.org', 'sip:bob@EXAMPLE.org']) {
      const { out } = await imcd(['history', '--user', user, '--json', ...where]);
      assert.deepEqual(
        jsonLines(out).map(({ stream, revision }) => [stream, revision]),
        steps.filter(bobs).map(({ key, revision }) => [`room-${key}`, revision]),
      );
    }
    const both = await imcd(['history', 'chat-2', '--user', 'bob', '--json', ...where]);
    assert.deepEqual(
      jsonLines(both.out).map(({ revision }) => revision),
      of('chat-2')
        .filter(bobs)
        .map(({ revision }) => revision),
    );
    const people = await imcd(['history', '--user', 'bob', ...where]);
    assert.match(people.out, /^TIME \(UTC\) +REV +ROOM +EVENT/);
  });

  it('filters by revision, time, type and actor', async () => {
    const asked = async (...filters: readonly string[]) =>
      jsonLines((await imcd(['history', 'chat-1', '--json', ...filters, ...where])).out).map((line) => line.revision);
    const wanted = (is: (step: Step) => boolean) =>
      of('chat-1')
        .filter(is)
        .map(({ revision }) => revision);
    assert.deepEqual(
      await asked('--from', '10'),
      wanted(({ revision }) => revision >= 10),
    );
    const [since, until] = ['2026-11-22T14:01:00.000Z', '2026-11-22T14:03:20.000Z'];
    const between = wanted(({ time }) => time >= since && time <= until);
    assert.ok(between.length > 5);
    assert.deepEqual(await asked('--since', since, '--until', until), between);
    assert.deepEqual(await asked('--since', '2026-11-22 14:01', '--until', '2026-11-22 14:03:20'), between);
    const kinds = ['MemberRemoved', 'RoomCreated'];
    const byType = wanted(({ type }) => kinds.includes(type));
    assert.deepEqual(await asked('--type', kinds.join(',')), byType);
    const byCarol = wanted(({ actor }) => actor === 'sip:carol@example.org');
    assert.deepEqual(await asked('--actor', 'carol'), byCarol);
    assert.deepEqual(await asked('--since', '-1s', '--until', 'now'), []);
  });

  it('shows times in the local zone with its name, and says what words were taken for', async () => {
    const berlin = { env: { TZ: 'Europe/Berlin' } };
    const { out, err } = await imcd(['history', 'chat-1', '--since', '2026-11-22 15:01', ...where], berlin);
    assert.match(out, /^TIME \(Europe\/Berlin\)/);
    assert.match(lines(out)[1] ?? '', /^2026-11-22 15:0[1-5]:\d\d\.000 CET /);
    assert.match(err, /--since 2026-11-22 15:01: 2026-11-22 15:01:00\.000 CET/);
  });

  it('--follow goes on live', async (t) => {
    const folder = temporaryFolder();
    const store = await openLogIn(folder);
    t.after(() => store.close());
    const before = (await randomLog(store, 20, 1)).filter(({ key }) => key === 'chat-1@example.org').length;
    const args = ['history', 'chat-1', '--json', '--follow', '--data', folder, '--domains', 'example.org'];
    const following = startImcd(args);
    const shown = (count: number) => following.hears((out) => lines(out).length === count);
    await shown(before);
    const data = { room: 'sip:chat-1@example.org', member: 'sip:x@example.org' };
    const metadata = { time: '2026-11-22T15:00:00.000Z', actor: 'sip:x@example.org' };
    const next = { id: crypto.randomUUID(), type: 'MemberExited', data, metadata };
    assert.ok(E.isRight(await store.append('room-chat-1@example.org', BigInt(before - 1), [next])()));
    await shown(before + 1);
    assert.equal(jsonLines(following.said.out).at(-1).revision, before);
    assert.equal((await following.kill('SIGINT')).code, 0);
  });

  it('shows nothing that a terminal would obey', async () => {
    const folder = temporaryFolder();
    const store = await openLogIn(folder);
    const hostile = 'x\u001b[2J\u009b31m\r\n\u202eevil';
    const metadata = { time: '2026-11-22T15:00:00.000Z', actor: hostile, source: hostile, callId: hostile };
    const event = { id: crypto.randomUUID(), type: hostile, data: { room: hostile, member: hostile }, metadata };
    assert.ok(E.isRight(await store.append('room-chat-1@example.org', 'no_stream', [event])()));
    await store.close();
    const { out } = await imcd(['history', 'chat-1', '--data', folder, '--domains', 'example.org']);
    assert.equal(lines(out).length, 2);
    assert.doesNotMatch(out, /[\0-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    assert.match(out, /x\\x1b\[2J\\x9b31m\\x0d\\x0a\\u202eevil/);
    const state = await imcd(['state', 'chat-1', '--data', folder, '--domains', 'example.org']);
    assert.equal(state.code, 1);
    assert.doesNotMatch(state.err, /[\0-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
  });

  it('says what is wrong', async () => {
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [['history'], 2, /name a room, or a user with --user/],
      [['history', 'chat-9'], 1, /the log has no events of chat-9@example.org/],
      [['history', '--user', 'nobody'], 1, /no events of nobody@example.org/],
      [['history', 'a b@c d'], 2, /is no room/],
      [['history', 'chat-1', '--since', 'blurb'], 2, /"blurb" was not understood as a time\. A time is 2026-/],
      [['history', 'chat-1', '--until', 'yesterday 14:00 sharp'], 2, /in part: "yesterday 14:00", not "sharp"/],
      [['history', 'chat-1', '--from', '-1'], 2, /--from: found "-1"; allowed is a whole number/],
      [['history', 'chat-1', '--type', 'MemberRemvd'], 2, /"MemberRemvd" is no event; did you mean MemberRemoved\?/],
      [['history', 'chat-1', 'chat-2'], 2, /too many arguments/],
      [['history', 'chat-1', '--data', '/nowhere'], 1, /there is no log at \/nowhere\/log\.db/],
      [['history', 'chat-1', '--store_url', 'memory:'], 1, /imcd mi room_history/],
    ];
    for (const [args, code, message] of cases) {
      const ended = await imcd(['history', ...where, ...args.slice(1)]);
      assert.equal(ended.code, code, `${args.join(' ')}: ${ended.err}`);
      assert.match(ended.err, message);
      assert.doesNotMatch(ended.err, /\n\s+at |node_modules/);
    }
  });
});
