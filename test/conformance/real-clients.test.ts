import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { component, pathOf } from '../support/component.ts';
import { freePort } from '../support/database-server.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openUser, type ServedAt, type SipUser } from '../support/sip-client.ts';
import { untilItAnswers } from '../support/until.ts';

/** Programs that other people wrote, against imcd. */

const folder = mkdtempSync(join(tmpdir(), 'imcd-real-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a program to its end. */
const run = async (program: string, args: readonly string[]): Promise<{ code: number | null; text: string }> => {
  const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (text += String(bytes)));
  const [code] = await once(child, 'close');
  return { code: typeof code === 'number' ? code : null, text };
};

const roomsOf = async (server: TestServer): Promise<string> => {
  const reply = await fetch(`http://127.0.0.1:${server.mi}/mi`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', method: 'imc_list_rooms', id: 1 }),
  });
  return reply.text();
};

describe('sipp', component('sipp', 'sip-tester'), () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.stop());

  /** Plays a scenario; what came and went is in the returned trace. */
  const play = async (scenario: string, transport: 'u1' | 't1', user: string, room: string): Promise<string> => {
    const file = (name: string): string => join(import.meta.dirname, 'sipp', `${name}.xml`);
    const trace = join(folder, `${user}.msg`);
    const port = await freePort();
    const { code, text } = await run('sipp', [
      ...[`127.0.0.1:${transport === 'u1' ? server.udp : server.tcp}`, '-sf', file(scenario), '-oocsf', file('answer')],
      ...['-i', '127.0.0.1', '-p', String(port), '-t', transport, '-m', '1', '-s', room, '-nostdin', '-timeout', '20'],
      ...['-timeout_error', '-key', 'user', user, '-key', 'domain', 'localhost', '-trace_msg', '-message_file', trace],
    ]);
    assert.equal(code, 0, `sipp ended with ${code}: ${text.slice(-1_500)}`);
    return readFileSync(trace, 'utf8').replaceAll('\r\n', '\n');
  };

  for (const [name, transport] of [
    ['UDP', 'u1'],
    ['TCP', 't1'],
  ] as const)
    it(`create, join, chat, list, exit over ${name}`, async () => {
      const [ann, bob, room] = [`ann-${transport}`, `bob-${transport}`, `chat-${transport === 'u1' ? 1 : 2}`];
      const owner = play('owner', transport, ann, room);
      await untilItAnswers(async () => assert.ok((await roomsOf(server)).includes(`${room}@`)));
      const member = await play('member', transport, bob, room);
      const trace = await owner;
      for (const text of [
        '*** room was created',
        `*** <sip:${bob}@localhost> has joined the room`,
        `<${bob}@localhost>: member speaks`,
        `The user [${bob}] has left the room`,
        `Members:\n*sip:${ann}@localhost\n`,
        'The room has been destroyed',
      ])
        assert.ok(trace.includes(text), `the owner was not told: ${text}`);
      assert.ok(member.includes(`Members:\n*sip:${ann}@localhost\nsip:${bob}@localhost`));
      assert.ok(!member.includes('owner speaks'));
      assert.ok(!(await roomsOf(server)).includes(`${room}@`));
    });
});

describe('sipsak', component('sipsak', 'sipsak'), () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.stop());

  it('OPTIONS', async () => {
    const { code, text } = await run('sipsak', ['-vv', '-s', `sip:localhost:${server.udp}`]);
    assert.equal(code, 0, text);
    assert.match(text, /^SIP\/2\.0 200 OK/m);
    assert.match(text, /^Allow: MESSAGE/m);
  });

  it('REGISTER, and the list of what is registered', async () => {
    const proxy = `127.0.0.1:${server.udp}`;
    const register = [
      '-U',
      '-i',
      '-vvv',
      '-s',
      'sip:ann@localhost',
      '-p',
      proxy,
      '-x',
      '600',
      '-C',
      'sip:ann@127.0.0.1:5999',
    ];
    const { code, text } = await run('sipsak', register);
    assert.equal(code, 0, text);
    assert.match(text, /^Contact: <sip:ann@127\.0\.0\.1:5999>;expires=600/m);
  });
});

describe('Kamailio as proxy and registrar, imcd behind it', component('kamailio', 'kamailio'), () => {
  let imcd: TestServer;
  let kamailio: ChildProcess;
  let place: ServedAt;
  const users: SipUser[] = [];
  let said = '';
  before(async () => {
    const port = await freePort();
    imcd = await startTestServer({ args: ['--outbound_proxy', `sip:127.0.0.1:${port}`, '--domains', 'imc.test'] });
    const template = readFileSync(join(import.meta.dirname, 'kamailio', 'proxy.cfg'), 'utf8');
    const config = join(folder, 'kamailio.cfg');
    writeFileSync(config, template.replace('@PORT@', String(port)).replace('@IMCD@', String(imcd.udp)));
    const program = pathOf('kamailio') ?? assert.fail();
    // Its children are in its process group, which is ended whole.
    kamailio = spawn(program, ['-f', config, '-DD', '-E', '-m', '32', '-M', '4', '-Y', folder], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [kamailio.stdout, kamailio.stderr]) stream?.on('data', (bytes) => (said += String(bytes)));
    place = { host: '127.0.0.1', port, domain: 'imc.test' };
    const user = async (name: string): Promise<void> => void users.push(await openUser(place, name));
    await user('ann').catch((error) => assert.fail(`${error}: ${said.slice(-2_000)}`));
    await user('bob');
  });
  after(async () => {
    for (const user of users) user.close();
    const { pid } = kamailio;
    if (pid !== undefined && kamailio.exitCode === null) {
      process.kill(-pid, 'SIGTERM');
      await Promise.race([once(kamailio, 'exit'), pause(3_000)]);
      if (kamailio.exitCode === null) process.kill(-pid, 'SIGKILL');
    }
    await imcd.stop();
  });

  it('two users registered there talk in a room', async () => {
    const [ann, bob] = users;
    assert.ok(ann !== undefined && bob !== undefined);
    assert.equal((await ann.say('sip:chat-manager@imc.test', '#create chat-1')).status, 200);
    assert.equal(await ann.hears(), '*** room was created');
    assert.equal((await bob.say('sip:chat-1@imc.test', '#join')).status, 200);
    for (const user of [ann, bob]) assert.equal(await user.hears(), '*** <sip:bob@imc.test> has joined the room');
    assert.equal((await ann.say('sip:chat-1@imc.test', 'hello bob')).status, 200);
    const copy = await bob.next();
    assert.equal(copy.body.toString(), '<ann@imc.test>: hello bob');
    assert.match(copy.headers.from ?? '', /^<sip:chat-1@imc\.test>;tag=/);
    assert.equal((await bob.say('sip:chat-1@imc.test', 'hello ann')).status, 200);
    assert.equal(await ann.hears(), '<bob@imc.test>: hello ann');
  });

  it("the proxy's 404 for a user who is not registered ends an invitation", async () => {
    const [ann] = users;
    assert.ok(ann !== undefined);
    assert.equal((await ann.say('sip:chat-1@imc.test', '#invite harry')).status, 200);
    assert.equal(await ann.hears(), 'harry@imc.test is not registered. ');
  });

  it('refusals come through as they are', async () => {
    const [, bob] = users;
    assert.ok(bob !== undefined);
    const { status, reason } = await bob.say('sip:chat-1@imc.test', '#destroy');
    assert.equal(status, 403);
    assert.equal(await bob.hears(), `*** ${reason}`);
  });
});
