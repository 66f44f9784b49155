import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { cli, type Ended, imcd, temporaryFolder } from '../support/imcd.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

/**
 * Every command line of imcd that the documentation shows is run by a shell, in the order of its page, beside a server with
 * the rooms of the tutorial. `imcd serve` becomes `imcd check-config` with the same options; addresses and databases of the
 * examples are not there, so what asks them may say so, but not that it was called wrongly.
 */

const root = join(import.meta.dirname, '..', '..');
const pages = ['README.md', ...globSync('docs/**/*.md', { cwd: root })].sort();

/** Lines within code, fenced or indented, that call imcd, by npm or by its name. */
const shown = (page: string): readonly string[] => {
  const lines = readFileSync(join(root, page), 'utf8').split('\n');
  let fenced = false;
  const found: string[] = [];
  for (const line of lines) {
    if (/^\s*```/.test(line)) fenced = !fenced;
    else if (fenced || /^ {4}/.test(line)) {
      const command = line.trim().replace(/^\$ /, '');
      if (/(^|[|(] ?|\$\()(imcd [a-z]|npm run (-s )?(imcd|chat) )/.test(command)) found.push(command);
    }
  }
  return found;
};

const folder = temporaryFolder();
const bin = join(folder, 'bin');
const work = join(folder, 'work');
let server: TestServer;

before(async () => {
  mkdirSync(bin);
  mkdirSync(work);
  server = await startTestServer({ data: join(folder, 'data') });
  // `imcd-data`, the default of `data`, is the running server's.
  symlinkSync(server.data, join(work, 'imcd-data'));
  copyFileSync(join(root, 'imcd.example.yaml'), join(work, 'imcd.yaml'));
  writeFileSync(join(work, 'db_url'), 'none\n');
  const imcdShim = [
    '#!/bin/bash',
    'args=("$@")',
    `for i in "\${!args[@]}"; do [[ "\${args[$i]}" == /etc/imcd* ]] && args[$i]=imcd.yaml; done`,
    `[[ "\${args[0]}" == serve && "$*" != *--help* ]] && args[0]=check-config`,
    '# A restore goes into an empty log.',
    '[[ "$*" == *--restore* && "$*" != *--data* ]] && args+=(--data "restored-$$")',
    `exec timeout --preserve-status -s INT 20 "${process.execPath}" "${cli}" "\${args[@]}"`,
  ];
  const npmShim = [
    '#!/bin/bash',
    'shift; [[ "$1" == -s ]] && shift; script="$1"; shift; [[ "$1" == -- ]] && shift',
    '[[ "$script" == chat ]] && exec imcd chat "$@"',
    'exec imcd "$@"',
  ];
  for (const [name, text] of [
    ['imcd', imcdShim],
    ['npm', npmShim],
  ] as const) {
    writeFileSync(join(bin, name), `${text.join('\n')}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  for (const [user, room] of [
    ['alice', 'chat-001'],
    ['bob', 'chat-001'],
    ['carol', 'chat-002'],
  ] as const) {
    const args = ['chat', `sip:${user}@localhost`, room, '--server', `sip:127.0.0.1:${server.udp}`];
    assert.equal((await imcd(args, { input: 'hello\n' })).code, 0);
  }
});
after(() => server.stop());

const run = (line: string): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn('bash', ['-c', line], {
      cwd: work,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: `${bin}:${dirname(process.execPath)}:${process.env.PATH}`,
        HOME: work,
        IMCD_MI__HTTP: `127.0.0.1:${server.mi}`,
        ...(/--(db_url|listen)|--config|import/.test(line) ? {} : { IMCD_LISTEN: `udp:127.0.0.1:${server.udp}` }),
      },
    });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (part) => {
      out += part;
    });
    child.stderr.setEncoding('utf8').on('data', (part) => {
      err += part;
    });
    child.on('close', (code) => resolve({ code, out, err }));
  });

describe('command lines of the documentation', () => {
  it('are found', () => assert.ok(pages.flatMap(shown).length > 30));
  for (const page of pages) {
    const lines = shown(page);
    if (lines.length === 0) continue;
    it(`${page}: ${lines.length} run`, { timeout: 300_000 }, async () => {
      for (const line of lines) {
        const { code, err, out } = await run(line);
        const said = `${line}\n${err}`;
        assert.ok(code === 0 || code === 1, `exit ${code}: ${said}`);
        assert.doesNotMatch(err, /internal error|\n\s+at .*:\d+:\d+|unknown (command|option)|command not found/, said);
        if (code === 1) assert.match(err + out, /imcd: |difference/, said);
      }
    });
  }
});
