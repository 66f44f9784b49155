import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { commands } from '../../src/cli/commands.ts';
import { cli, imcd, lines, temporaryFolder } from '../support/imcd.ts';

const folder = temporaryFolder();
const noTrace = (text: string) => assert.doesNotMatch(text, /\n\s+at |node_modules|\.ts:\d/);

describe('imcd: wrong usage ends with 2, and says what is possible', () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /Usage: imcd/],
    [['histroy', 'x'], /unknown command 'histroy'.*\n.*history/s],
    [['serve', '--listn', 'x'], /unknown option '--listn'.*\n.*--listen/s],
    [['serve', 'now'], /too many arguments/],
    [['mi'], /missing required argument 'method'/],
    [['mi', 'list_members', 'room=a', 'b'], /all by name or all by position: "b" has no name/],
    [['check-config', '--hash_size', '0'], /hash_size \(command line\): found "0"; allowed is a whole number from 1/],
    [['check-config', '--config', '/nowhere.yaml'], /nowhere\.yaml.*ENOENT/],
    [['check-config', '--listen'], /argument missing/],
    [['completion', 'tcsh'], /allowed is bash, zsh or fish/],
    [['serve', '\u001b[31m'], /too many arguments/],
  ];
  for (const [args, message] of cases) {
    it(JSON.stringify(args.join(' ')), async () => {
      const { code, out, err } = await imcd(args, { cwd: folder });
      assert.equal(code, 2, err);
      assert.equal(out, '');
      assert.match(err, message);
      noTrace(err);
      assert.doesNotMatch(err, /\u001b/);
    });
  }
});

describe('imcd --help', () => {
  it('names every command', async () => {
    const { code, out } = await imcd(['--help']);
    assert.equal(code, 0);
    for (const { usage } of commands) assert.match(out, new RegExp(`^ {2}${usage.split(' ')[0]} `, 'm'));
  });
  it('of each command has its options and an example that begins with imcd', async () => {
    for (const { usage, options = [], examples } of commands) {
      const name = usage.split(' ')[0] ?? '';
      const { code, out } = await imcd([name, '--help']);
      assert.equal(code, 0);
      assert.ok(examples.length > 0, name);
      for (const [line] of examples) {
        assert.ok(out.includes(`$ ${line}`), `${name}: ${line}`);
        assert.match(line, new RegExp(`imcd ${name}( |$|\\))`));
      }
      for (const [flags] of options) assert.ok(out.includes(flags.split(' ')[0] ?? ''), `${name} ${flags}`);
      assert.match(out, /--config <file>/);
    }
  });
  it('of serve lists every option with its default', async () => {
    const { out } = await imcd(['serve', '--help']);
    for (const name of ['listen', 'mi.http', 'log.level', 'db_url_file']) assert.ok(out.includes(`--${name} <`), name);
    assert.match(out.replace(/\s+/g, ' '), /--rooms <value> .*\(default: "chat-\[0-9\]\+"\)/);
  });
});

describe('imcd check-config', () => {
  it('prints the whole configuration as YAML that is a configuration again, secrets hidden', async () => {
    const file = join(folder, 'imcd.yaml');
    writeFileSync(file, 'hash_size: 6\ndb_url: mysql://me:hunter2@db/sip\nmi:\n  token: hunter2hunter2hunter2\n');
    const first = await imcd(['check-config', '--config', file]);
    assert.equal(first.code, 0);
    assert.match(first.out, /^hash_size: 6$/m);
    assert.match(first.out, /^rooms_table: imc_rooms$/m);
    assert.doesNotMatch(first.out + first.err, /hunter2/);
    const again = join(folder, 'again.yaml');
    writeFileSync(again, first.out.replace('token: "***"', 'token: 0123456789abcdef'));
    const second = await imcd(['check-config', '--config', again]);
    assert.equal(second.code, 0, second.err);
  });
  it('takes the environment, IMCD_CONFIG among it, and options with dashes or without a value', async () => {
    const file = join(folder, 'env.yaml');
    writeFileSync(file, 'hash_size: 7\n');
    const env = { IMCD_CONFIG: file, IMCD_MI__HTTP: '127.0.0.1:9', IMCD_DOMAINS: 'a.example,b.example' };
    const { out } = await imcd(['check-config', '--store-url', 'memory:', '--open'], { env });
    assert.match(out, /^hash_size: 7$/m);
    assert.match(out, /^ {2}http: 127\.0\.0\.1:9$/m);
    assert.match(out, /^ {2}- b\.example$/m);
    assert.match(out, /^store_url: "?memory:"?$/m);
    assert.match(out, /^open: true$/m);
  });
  it('names every mistake', async () => {
    const file = join(folder, 'wrong.yaml');
    writeFileSync(file, 'hash_size: -1\ndomain: x\nmi:\n  htp: none\n');
    const { code, err } = await imcd(['check-config', '--config', file]);
    assert.equal(code, 2);
    assert.match(err, /hash_size \(.*wrong\.yaml\): found -1/);
    assert.match(err, /did you mean domains\?/);
    assert.match(err, /did you mean mi\.http\?/);
  });
});

describe('imcd completion', () => {
  for (const shell of ['bash', 'zsh', 'fish'])
    it(`for ${shell} knows commands, options and methods`, async () => {
      const { code, out } = await imcd(['completion', shell]);
      assert.equal(code, 0);
      for (const word of ['history', 'check-config', 'follow', 'mi.http', 'imc_list_rooms'])
        assert.ok(out.includes(word), word);
    });
  it('for bash completes', async () => {
    const { out } = await imcd(['completion', 'bash']);
    const complete = (words: string) =>
      spawnSync(
        'bash',
        [
          '-c',
          `${out}\nCOMP_WORDS=(${words}); COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 )); _imcd; echo "\${COMPREPLY[@]}"`,
        ],
        { encoding: 'utf8' },
      ).stdout.trim();
    assert.equal(complete('imcd his'), 'history');
    assert.equal(complete('imcd history --fol'), '--follow');
    assert.equal(complete('imcd mi imc_list_r'), 'imc_list_rooms');
  });
});

describe('stdout', () => {
  it('that is closed early ends imcd in silence', () => {
    const pipe = `"$0" "$1" serve --help | head -n 1`;
    const { stdout, stderr } = spawnSync('bash', ['-c', `set -o pipefail; ${pipe}`, process.execPath, cli], {
      encoding: 'utf8',
    });
    assert.equal(lines(stdout).length, 1);
    assert.equal(stderr, '');
  });
});
