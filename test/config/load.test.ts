import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { inspect } from 'node:util';
import * as E from 'fp-ts/lib/Either.js';
import { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { describeProblem } from '../../src/config/problems.ts';

const folder = mkdtempSync(join(tmpdir(), 'imcd-config-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const file = (text: string): string => {
  files += 1;
  const path = join(folder, `${files}.yaml`);
  writeFileSync(path, text);
  return path;
};

interface Given {
  readonly yaml?: string;
  readonly env?: Record<string, string>;
  readonly args?: Record<string, string>;
}
const load = ({ yaml, env = {}, args = {} }: Given) =>
  loadConfig({
    file: yaml === undefined ? undefined : file(yaml),
    environment: env,
    commandLine: args,
    terminal: false,
  })();
const right = async (given: Given): Promise<Config> => {
  const config = await load(given);
  if (E.isLeft(config)) assert.fail(config.left.map(describeProblem).join('\n'));
  return config.right;
};
const wrong = async (given: Given): Promise<string> => {
  const config = await load(given);
  if (E.isRight(config)) assert.fail('the configuration was taken');
  return config.left.map(describeProblem).join('\n');
};

describe('configuration: where it comes from', () => {
  it('needs nothing: the defaults are right, and on loopback', async () => {
    const config = await right({});
    assert.deepEqual(config.listen, [
      { transport: 'udp', host: '127.0.0.1', port: 5060 },
      { transport: 'tcp', host: '127.0.0.1', port: 5060 },
    ]);
    assert.deepEqual(config.store_url, { kind: 'sqlite', file: 'imcd-data/log.db' });
    assert.equal(config.create_on_join, true);
    assert.equal(config.check_on_create, false);
    assert.equal(config.log.format, 'json');
  });

  it('takes the environment over the file, and the command line over both', async () => {
    const yaml = 'hash_size: 5\ndomains: [a.example]\nmi:\n  http: 127.0.0.1:1\nlog: {level: error}\n';
    const env = { IMCD_HASH_SIZE: '6', IMCD_MI__HTTP: '127.0.0.1:2', IMCD_DOMAINS: 'b.example, c.example' };
    const config = await right({ yaml, env, args: { 'mi.http': '[::1]:3' } });
    assert.equal(config.hash_size, 6);
    assert.deepEqual(config.domains, ['b.example', 'c.example']);
    assert.deepEqual(config.mi.http, { host: '::1', port: 3 });
    assert.equal(config.log.level, 'error');
  });

  it('gives domains in lower case and the start character alone: nobody behind it looks again', async () => {
    const { domains, imc_cmd_start_char: startChar } = await right({
      args: { domains: 'Example.ORG,[2001:DB8::1]', imc_cmd_start_char: '!!' },
    });
    assert.deepEqual(domains, ['example.org', '[2001:db8::1]']);
    assert.equal(startChar, '!');
  });

  it('puts defaults that hang on data into that folder', async () => {
    const config = await right({ args: { data: '/var/lib/imcd' } });
    assert.deepEqual(config.store_url, { kind: 'sqlite', file: '/var/lib/imcd/log.db' });
    assert.deepEqual(config.db_url, { kind: 'sqlite', file: '/var/lib/imcd/mirror.db' });
  });

  it('encodes into what decodes to the same', async () => {
    const first = await right({
      yaml: 'outbound_proxy: sip:proxy.example:5080;transport=tcp\ntrusted: [10.0.0.0/8]\n',
    });
    const { stringify } = await import('yaml');
    const second = await right({ yaml: stringify(Config.encode(first)) });
    assert.deepEqual(second, first);
  });
});

describe('configuration: secrets', () => {
  const password = 'Pa55word-nobody-sees';

  it('are read from files, and put into the URL', async () => {
    const secret = file(`${password}\n`);
    const config = await right({
      args: { db_url: 'mysql://imcd@db.example/sip?tls=verify', db_password_file: secret, 'mi.token_file': secret },
    });
    assert.equal(config.mi.token?.reveal(), password);
    assert.ok(config.db_url.kind === 'mysql');
    const { host, port, user, database, tls } = config.db_url;
    assert.deepEqual(
      { host, port, user, database, verify: tls?.verify },
      { host: 'db.example', port: 3306, user: 'imcd', database: 'sip', verify: true },
    );
    assert.equal(config.db_url.password?.reveal(), password);
  });

  it('are in nothing that prints, logs or serialises the configuration', async () => {
    const config = await right({
      args: {
        db_url: `postgres://imcd:${password}@db/sip`,
        store_url: `kurrentdb+discover://admin:${password}@a:2113,b:2113?tls=true`,
        'mi.token': password,
      },
    });
    assert.equal(config.store_url.kind, 'esdb');
    for (const shown of [
      inspect(config, { depth: 9 }),
      JSON.stringify(config),
      JSON.stringify(Config.encode(config)),
    ]) {
      assert.doesNotMatch(shown, /Pa55word/);
      assert.match(shown, /admin:\*\*\*@a:2113/);
    }
    assert.ok(config.store_url.kind === 'esdb');
    assert.equal(config.store_url.url.reveal(), `esdb+discover://admin:${password}@a:2113,b:2113?tls=true`);
  });

  it('are not in what is said about a wrong one', async () => {
    assert.doesNotMatch(await wrong({ args: { db_url: `oracle://me:${password}@h/x` } }), /Pa55word/);
    assert.doesNotMatch(await wrong({ args: { 'mi.token': `${password} with a space` } }), /Pa55word/);
  });

  it('as a password without a user to belong to is refused', async () => {
    assert.match(await wrong({ args: { db_password: password } }), /db_password .*names no user/);
  });
});

describe('configuration: what is wrong is named with path, finding and what is allowed', () => {
  const cases: readonly (readonly [string, Given, RegExp])[] = [
    [
      'unknown option, nearly one',
      { yaml: 'domain: x\n' },
      /^domain \(.*\.yaml\): found an option .*did you mean domains\?/,
    ],
    ['unknown option, like none', { yaml: 'frobnicate: 1\n' }, /allowed are listen, advertise/],
    ['unknown variable', { env: { IMCD_MI__HTTPS: 'x' } }, /environment variable IMCD_MI__HTTPS.*mi\.http/],
    ['not YAML', { yaml: 'a: [1' }, /the file must be YAML/],
    ['an option twice', { yaml: 'open: true\nopen: false\n' }, /unique/],
    ['a list as the root', { yaml: '- 1\n' }, /found \[1\]; allowed are options/],
    ['a section that is none', { yaml: 'mi: 7\n' }, /^mi .*found an option that imcd does not know/],
    ['hash_size 0', { args: { hash_size: '0' } }, /^hash_size \(command line\): found "0"; allowed is a whole number/],
    ['hash_size -1', { yaml: 'hash_size: -1\n' }, /found -1; allowed is a whole number from 1 to 20/],
    ['listen without a transport', { args: { listen: '127.0.0.1:5060' } }, /udp:HOST:PORT or tcp:HOST:PORT/],
    ['listen with a port too high', { args: { listen: 'udp:127.0.0.1:70000' } }, /listen/],
    ['listen with an address that is none', { args: { listen: 'udp:300.1.1.1:5060' } }, /listen/],
    ['listen twice', { args: { listen: 'udp:127.0.0.1:5060,udp:127.0.0.1:5060' } }, /twice/],
    ['no listen', { yaml: 'listen: []\n' }, /found \[\]; allowed is a list/],
    ['tls, which comes later', { args: { listen: 'tls:127.0.0.1:5061' } }, /tls is not there yet/],
    ['users, which come later', { args: { users: '/etc/users' } }, /comes in a later version/],
    ['# without quotes', { yaml: 'imc_cmd_start_char: #\n' }, /found nothing; .*in YAML # stands in quotes/],
    ['a CIDR too long', { yaml: 'trusted: [10.0.0.0/33]\n' }, /item 1, "10.0.0.0\/33", is wrong/],
    ['a bad pattern', { args: { rooms: 'chat-(' } }, /rooms .*missing closing \)/],
    ['brackets that close ours', { args: { rooms: 'a)|(b' } }, /rooms/],
    ['a backreference', { args: { rooms: '(a+)\\1' } }, /rooms .*invalid escape sequence.*RE2/],
    ['a look ahead', { args: { rooms: 'a(?=b)b' } }, /rooms .*unsupported Perl syntax.*RE2/],
    ['a pattern that grows beyond bounds', { args: { rooms: '((a{30}){30}){30}' } }, /rooms .*invalid repeat count/],
    ['an unknown log level', { args: { 'log.level': 'loud' } }, /debug or info or warn or error/],
    ['a proxy without sip:', { args: { outbound_proxy: '10.0.0.1:5060' } }, /sip:HOST/],
    ['a header of imcd itself', { args: { extra_hdrs: 'Via: x' } }, /imcd writes Via itself/],
    ['a header that smuggles a line', { yaml: 'extra_hdrs: ["X-A: 1\\r\\nVia: x"]\n' }, /is no header line/],
    ['tables of one name', { args: { members_table: 'imc_rooms' } }, /the same as rooms_table/],
    ['a table name to inject with', { args: { rooms_table: 'x; DROP' } }, /rooms_table/],
    ['a file and a value', { yaml: 'mi: {token: 0123456789abcdef, token_file: /x}\n' }, /only one of them/],
    ['a secret file that is missing', { args: { 'mi.token_file': '/nowhere/x' } }, /cannot be read \(ENOENT\)/],
  ];
  for (const [title, given, expected] of cases) {
    it(title, async () => assert.match(await wrong(given), expected));
  }

  it('names all that is wrong at once', async () => {
    const all = await wrong({ args: { hash_size: 'x', rooms: '(', open: 'maybe' } });
    assert.equal(all.split('\n').length, 3);
  });

  it('a file that is missing is named', async () => {
    const config = await loadConfig({ file: '/nowhere/imcd.yaml', environment: {}, commandLine: {} })();
    assert.ok(E.isLeft(config));
    assert.match(config.left.map(describeProblem).join(), /nowhere.*ENOENT/);
  });
});
