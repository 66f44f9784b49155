import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { allOptions } from '../../src/config/config.ts';
import { component } from '../support/component.ts';
import { imcd, temporaryFolder } from '../support/imcd.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const servers: TestServer[] = [];
after(() => Promise.all(servers.map((server) => server.kill())));

/** A server in a folder of its own; its data is to be made in it. */
const serve = async (args: readonly string[] = [], env: Record<string, string> = {}) => {
  const folder = temporaryFolder();
  const server = await startTestServer({ args, env, cwd: folder, data: join(folder, 'd') });
  servers.push(server);
  return { ...server, folder, logged: (message: RegExp) => server.line(({ msg }) => message.test(msg)) };
};

describe('imcd serve', () => {
  it('says which address it cannot listen on, and what to do', async () => {
    const first = await serve();
    const quiet = ['--data', temporaryFolder(), '--db_url', 'none'];
    for (const [option, address] of [
      ['--mi.http', `127.0.0.1:${first.mi}`],
      ['--listen', `udp:127.0.0.1:${first.udp}`],
    ] as const) {
      const { code, err } = await imcd(['serve', ...quiet, option, address]);
      assert.equal(code, 1);
      assert.match(err, new RegExp(`cannot listen on ${address}.*: another program listens there. Stop it`));
    }
    assert.equal(await first.stop(), 0);
  });

  it('says one line for each listener and one ready line, and exits 0 on SIGTERM and SIGINT', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const server = await serve();
      const messages = server.lines.map(({ msg, transport }) => `${msg} ${transport ?? ''}`.trim());
      assert.deepEqual(messages.filter((m) => m.startsWith('listening')).sort(), [
        'listening for SIP tcp',
        'listening for SIP udp',
        'listening for management http',
      ]);
      assert.equal(messages.filter((m) => m === 'ready').length, 1);
      assert.equal(statSync(server.data).mode & 0o777, 0o700);
      server.signal(signal);
      assert.equal(await server.ended, 0);
      assert.match(server.said(), /"msg":"stopped"/);
    }
  });

  it('does not start where it must not, and says why', async () => {
    const data = temporaryFolder();
    const off = await imcd(['serve', '--listen', 'udp:0.0.0.0:0', '--data', data]);
    assert.equal(off.code, 2);
    assert.match(off.err, /not loopback, and nothing tells whom to believe/);
    const taken = await serve();
    const port = String(taken.mi);
    const second = await imcd([
      'serve',
      '--listen',
      'udp:127.0.0.1:0',
      '--mi.http',
      `127.0.0.1:${port}`,
      '--data',
      data,
    ]);
    assert.equal(second.code, 1);
    assert.match(second.err, new RegExp(`${port}`));
    assert.doesNotMatch(second.err, /\n\s+at /);
    const locked = await imcd(['serve', '--listen', 'udp:127.0.0.1:0', '--mi.http', 'none', '--data', taken.data]);
    assert.equal(locked.code, 1);
    assert.match(locked.err, /log\.db/);
    assert.equal(await taken.stop(), 0);
  });

  it('reloads on SIGHUP what can be reloaded, and names what cannot be', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'imcd.yaml');
    writeFileSync(file, 'log: {level: info}\n');
    const server = await serve(['--config', file]);
    writeFileSync(file, 'log: {level: debug}\nhash_size: 9\nmi: {token: 0123456789abcdef}\n');
    server.signal('SIGHUP');
    const refused = await server.logged(/only a restart applies it/);
    assert.deepEqual(refused.options, ['hash_size', 'mi.token']);
    const reloaded = await server.logged(/^configuration reloaded$/);
    assert.equal(reloaded['log.level'], 'debug');
    for (const [name, { reloadable }] of allOptions) assert.ok(!reloadable || name in reloaded, `${name} is reloaded`);
    const mi = ['--mi.http', `127.0.0.1:${server.mi}`];
    assert.match((await imcd(['mi', 'log_level', ...mi])).out, /"Log level": "debug"/);
    writeFileSync(file, 'hash_size: many\n');
    server.signal('SIGHUP');
    await server.logged(/not reloaded: hash_size .*found "many"/);
    assert.match((await imcd(['mi', 'log_level', ...mi])).out, /"Log level": "debug"/);
    assert.equal(await server.stop(), 0);
    assert.doesNotMatch(server.said(), /0123456789abcdef/);
  });

  it('tells systemd when it is ready and when it stops', component('systemd-notify', 'systemd'), async () => {
    const folder = temporaryFolder();
    const told = join(folder, 'told');
    const program = join(folder, 'systemd-notify');
    writeFileSync(program, `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >> ${told}\n`);
    chmodSync(program, 0o755);
    const env = { PATH: `${folder}:${process.env.PATH}`, NOTIFY_SOCKET: '/run/x' };
    const server = await serve([], env);
    assert.equal(await server.stop(), 0);
    assert.equal(readFileSync(told, 'utf8'), '/run/x READY=1\n/run/x STOPPING=1\n');
    const help = spawnSync('systemd-notify', ['--help'], { encoding: 'utf8' });
    assert.match(help.stdout, /VARIABLE=VALUE/, 'the real program takes assignments as arguments');
  });
});

describe('imcd mi', () => {
  it('prints results on stdout and errors on stderr', async () => {
    const server = await serve();
    const mi = ['--mi.http', `127.0.0.1:${server.mi}`];
    const rooms = await imcd(['mi', 'imc_list_rooms', ...mi]);
    assert.deepEqual([rooms.code, JSON.parse(rooms.out)], [0, { ROOMS: [] }]);
    const which = await imcd(['mi', 'which', ...mi]);
    assert.ok(JSON.parse(which.out).includes('imc:list_rooms'));
    for (const params of [['room=sip:chat-9@localhost'], ['sip:chat-9@localhost']]) {
      const missing = await imcd(['mi', 'list_members', ...params, ...mi]);
      assert.deepEqual([missing.code, missing.out, missing.err], [1, '', 'imcd: no such room (404)\n']);
    }
    const statistics = await imcd(['mi', 'get_statistics', 'statistics=active_rooms', 'statistics=imc:members', ...mi]);
    assert.deepEqual(JSON.parse(statistics.out), { 'imc:active_rooms': 0, 'imc:members': 0 });
    assert.match((await imcd(['mi', 'lst_rooms', ...mi])).err, /Method not found \(-32601\)/);
    await server.stop();
    const gone = await imcd(['mi', 'which', ...mi]);
    assert.equal(gone.code, 1);
    assert.match(gone.err, /no server answers at http:\/\/127\.0\.0\.1:/);
  });

  it('shows the token', async () => {
    const token = 'correct-horse-battery';
    const server = await serve([], { IMCD_MI__TOKEN: token });
    const mi = ['mi', 'version', '--mi.http', `127.0.0.1:${server.mi}`];
    assert.equal((await imcd(mi, { env: { IMCD_MI__TOKEN: token } })).code, 0);
    const wrong = await imcd(mi);
    assert.equal(wrong.code, 1);
    assert.match(wrong.err, /answered 401/);
    assert.equal(await server.stop(), 0);
    assert.equal(existsSync(join(server.folder, 'imcd-data')), false);
  });
});
