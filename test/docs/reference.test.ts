import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import * as E from 'fp-ts/lib/Either.js';
import { parse } from 'yaml';
import { generated } from '../../scripts/reference.ts';
import { allOptions } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { describeProblem } from '../../src/config/problems.ts';
import { methods } from '../../src/mi/methods.ts';
import { addEvents, fakePorts, put, room, uri } from '../mi/fake-ports.ts';
import { temporaryFolder } from '../support/imcd.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
ajv.addFormat('date-time', (text: string) => !Number.isNaN(Date.parse(text)));

const load = async (file?: string) => {
  const config = await loadConfig({ file, environment: {}, commandLine: {}, terminal: false })();
  if (E.isLeft(config)) assert.fail(config.left.map(describeProblem).join('\n'));
  return config.right;
};

describe('what is made from the code', () => {
  for (const [path, text] of generated())
    it(`${path} is up to date`, () => assert.equal(read(path), text, 'run: npm run reference'));

  it('is all that stands in docs/reference', () => {
    const pages = [...generated().keys()].filter((path) => path.startsWith('docs/reference/'));
    assert.deepEqual(
      readdirSync(join(root, 'docs', 'reference'))
        .map((name) => `docs/reference/${name}`)
        .sort(),
      pages.sort(),
    );
  });
});

describe('imcd.example.yaml', () => {
  it('has the defaults: loading it is the same as loading nothing', async () => {
    assert.deepEqual(await load(join(root, 'imcd.example.yaml')), await load());
  });
  it('names every option, those too that depend on the machine', () => {
    const text = read('imcd.example.yaml');
    for (const name of allOptions.keys()) {
      const last = name.split('.').at(-1) ?? '';
      assert.match(text, new RegExp(`^ *(# )?${last}: `, 'm'), name);
    }
  });
  it('with every comment sign before an option taken away is a configuration too', async () => {
    const file = join(temporaryFolder(), 'all.yaml');
    writeFileSync(file, read('imcd.example.yaml').replace(/^( *)# (store_url|db_url|node|format): /gm, '$1$2: '));
    assert.equal((await load(file)).node, 'HOSTNAME');
  });
});

describe('schemas/config.json', () => {
  const validate = ajv.compile(JSON.parse(read('schemas/config.json')));
  it('takes the example', () => {
    assert.ok(validate(parse(read('imcd.example.yaml'))), ajv.errorsText(validate.errors));
  });
  it('takes no unknown option and no wrong value', () => {
    const wrong = [{ domain: 'x' }, { mi: { htp: 'x' } }, { hash_size: 0 }, { listen: [] }, { log: { level: 'loud' } }];
    for (const config of [...wrong, { outbound_proxy: '10.0.0.1' }, { imc_cmd_start_char: '' }])
      assert.equal(validate(config), false, JSON.stringify(config));
  });
  it('takes what an operator would write', () => {
    const config = {
      listen: ['udp:192.0.2.1:5060'],
      trusted: ['192.0.2.9'],
      store_url: 'esdb+discover://cluster.example:2113',
      db_url: 'mysql://imcd@db.example/opensips',
      db_password_file: '/run/secrets/db',
      outbound_proxy: 'sip:192.0.2.9;transport=tcp',
      extra_hdrs: ['X-From: imcd'],
      create_on_join: 1,
      mi: { http: '192.0.2.1:8888', token_file: '/run/secrets/mi', fifo: '/tmp/opensips_fifo' },
    };
    assert.ok(validate(config), ajv.errorsText(validate.errors));
  });
});

describe('schemas/mi.json', () => {
  const { $defs } = JSON.parse(read('schemas/mi.json'));
  const fake = fakePorts();
  put(fake, room('chat-1', 'alice', '?bob'));
  addEvents(fake, 'chat-1', 3);
  fake.statistics.push({ group: 'imc', name: 'active_rooms', value: 1, incremental: true });
  fake.bindings.push({ user: uri('sip:a@x.org'), contact: 'sip:a@h', expires: 0, source: 'udp:192.0.2.1:5060' });
  const given: Readonly<Record<string, Record<string, string>>> = {
    imc_list_members: { room: 'sip:chat-1@x.org' },
    imc_room_history: { room: 'sip:chat-1@x.org', limit: '2' },
    imc_user_history: { user: 'u1' },
    imc_room_state: { room: 'sip:chat-1@x.org' },
    imc_destroy_room: { room: 'sip:chat-1@x.org' },
    imc_remove_member: { room: 'sip:chat-1@x.org', member: 'bob' },
    imc_set_topic: { room: 'sip:chat-1@x.org', topic: 'lunch' },
    get_statistics: { statistics: 'imc:' },
    reset_statistics: { statistics: 'imc:' },
  };
  for (const { spellings } of methods) {
    const name = spellings[0] ?? '';
    it(`holds for ${name}: what it takes and what it answers`, async () => {
      const { params, result } = $defs[name].properties;
      const takes = ajv.compile(params);
      assert.ok(takes(given[name] ?? {}), `${name}: ${ajv.errorsText(takes.errors)}`);
      assert.equal(takes({ nonsense: 1 }), false);
      const answer = await fake.call(name, given[name]);
      const gives = ajv.compile(result);
      assert.ok(gives(answer), `${name}: ${ajv.errorsText(gives.errors)}: ${JSON.stringify(answer)}`);
    });
  }
});
