import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { component } from '../support/component.ts';
import { jsonLines, temporaryFolder } from '../support/imcd.ts';

const root = join(import.meta.dirname, '..', '..');
const folder = temporaryFolder();
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill('SIGKILL');
});
// This Node first, so that `#!/usr/bin/env node` finds it.
const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` };
const run = (program: string, args: readonly string[], input = '') => {
  const ended = spawnSync(program, args, { cwd: folder, env, input, encoding: 'utf8', timeout: 240_000 });
  return { code: ended.status, out: ended.stdout, err: ended.stderr };
};
const installed = join(folder, 'node_modules', '.bin', 'imcd');
const data = ['--data', join(folder, 'data')];

describe('the npm package, installed into an empty folder', () => {
  it('is packed and installs', { timeout: 300_000 }, () => {
    const packed = spawnSync('npm', ['pack', '--json', '--pack-destination', folder], {
      cwd: root,
      env,
      encoding: 'utf8',
    });
    assert.equal(packed.status, 0, packed.stderr);
    const [{ filename, files }] = JSON.parse(packed.stdout.slice(packed.stdout.indexOf('[\n')));
    const paths: readonly string[] = files.map(({ path }: { path: string }) => path);
    assert.ok(paths.includes('dist/cli.js'));
    assert.deepEqual(
      paths.filter((path) => path.startsWith('src/') || path.startsWith('test/')),
      [],
    );
    writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
    const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
    const install = run('npm', ['install', ...flags, join(folder, filename)]);
    assert.equal(install.code, 0, install.err);
    assert.equal(
      run(installed, ['--version']).out,
      `${JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version}\n`,
    );
  });

  it('holds every file that its code names, worker threads too', () => {
    const dist = join(folder, 'node_modules', 'imcd', 'dist');
    const files = globSync('**/*.js', { cwd: dist });
    assert.ok(files.length > 100);
    for (const file of files) {
      const text = readFileSync(join(dist, file), 'utf8');
      for (const [, target = ''] of text.matchAll(/(?:from|import\(|new URL\() ?'(\.[^']+\.js)'/g))
        assert.ok(globSync(join(dist, dirname(file), target)).length === 1, `${file} names ${target}`);
    }
  });

  it('serves, keeps what was said in its log and mirror, and stops', { timeout: 60_000 }, async () => {
    const args = ['serve', '--listen', 'udp:127.0.0.1:0', '--mi.http', '127.0.0.1:0', ...data];
    const server = spawn(installed, args, { cwd: folder, env, stdio: ['ignore', 'inherit', 'pipe'] });
    children.push(server);
    let text = '';
    const ready = new Promise<void>((resolve, reject) => {
      server.stderr.setEncoding('utf8').on('data', (part) => {
        text += part;
        if (/"msg":"ready"/.test(text)) resolve();
      });
      server.on('close', (code) => reject(new Error(`ended with ${code}: ${text}`)));
    });
    await ready;
    const lines = jsonLines(text.slice(0, text.lastIndexOf('\n') + 1));
    const sip = lines.find(({ msg }) => msg === 'listening for SIP').port;
    const mi = ['--mi.http', `127.0.0.1:${lines.find(({ msg }) => msg === 'listening for management').port}`];
    const chat = run(
      installed,
      ['chat', 'sip:alice@localhost', 'chat-001', '--server', `sip:127.0.0.1:${sip}`],
      'hello\n',
    );
    assert.equal(chat.code, 0, chat.err);
    const history = run(installed, ['history', 'chat-001', '--json', ...data]);
    assert.deepEqual(
      jsonLines(history.out).map(({ type, actor }) => [type, actor])[0],
      ['RoomCreated', 'sip:alice@localhost'],
      history.err,
    );
    const verified = run(installed, ['verify', ...mi, ...data]);
    assert.equal(verified.code, 0, verified.out + verified.err);
    assert.match(verified.err, /mirror: \d+ rooms/);
    const ended = new Promise((resolve) => server.on('exit', resolve));
    server.kill('SIGTERM');
    assert.equal(await ended, 0);
  });
});

describe('the systemd unit', component('systemd-analyze', 'systemd'), () => {
  const unit = join(folder, 'imcd.service');
  writeFileSync(
    unit,
    readFileSync(join(root, 'packaging', 'imcd.service'), 'utf8').replace('/usr/local/bin/imcd', '/bin/true'),
  );
  it('is right', () => {
    const { code, err } = run('systemd-analyze', ['verify', unit]);
    assert.deepEqual([code, err], [0, '']);
  });
  it('is hardened: an exposure of at most 2.5 of 10', () => {
    const { code, out } = run('systemd-analyze', ['security', '--offline=true', '--no-pager', '--threshold=25', unit]);
    assert.equal(code, 0, out);
  });
});
