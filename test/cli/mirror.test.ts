import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { imcd, lines, temporaryFolder } from '../support/imcd.ts';

const schema = readFileSync(new URL('../../schemas/sql/sqlite.sql', import.meta.url), 'utf8');

/** A database with one room of two members and one that is no room here. */
const tablesOfOpenSips = (folder: string): string => {
  const file = join(folder, 'opensips.db');
  const db = new DatabaseSync(file);
  db.exec(`${schema};
    INSERT INTO imc_rooms (name, domain, flag) VALUES ('chat-1', 'localhost', 0), ('lobby', 'localhost', 0);
    INSERT INTO imc_members (username, domain, room, flag) VALUES
      ('alice', 'localhost', 'sip:chat-1@localhost', 1), ('bob', 'localhost', 'sip:chat-1@localhost', 0);`);
  db.close();
  return `sqlite:${file}`;
};

describe('imcd import, rebuild and verify', () => {
  it('take rooms over, mirror them, see what is changed and heal it', async () => {
    const folder = temporaryFolder();
    const data = ['--data', join(folder, 'data'), '--mi.http', 'none'];
    const from = tablesOfOpenSips(folder);

    const first = await imcd(['import', '--from', from, ...data]);
    assert.equal(first.code, 0, first.err);
    assert.deepEqual(lines(first.out), ['room sip:lobby@localhost: its name does not match the option rooms']);
    assert.match(first.err, /1 rooms made, 2 members added, 0 were in the log already/);
    const second = await imcd(['import', '--from', from, ...data]);
    assert.match(second.err, /0 rooms made, 0 members added, 2 were in the log already/);
    const elsewhere = await imcd(['import', '--from', from, ...data, '--domains', 'example.org']);
    assert.match(elsewhere.out, /room sip:chat-1@localhost: its domain is none of the option domains/);
    const hidden = await imcd(['import', '--from', from, ...data, '--manager', 'CHAT-1']);
    assert.deepEqual(lines(hidden.out), [
      'room sip:chat-1@localhost: its name matches the option manager',
      'room sip:lobby@localhost: its name does not match the option rooms',
      'member sip:alice@localhost of sip:chat-1@localhost: its room is left out',
      'member sip:bob@localhost of sip:chat-1@localhost: its room is left out',
    ]);

    const rebuilt = await imcd(['rebuild', ...data]);
    assert.equal(rebuilt.code, 0, rebuilt.err);
    assert.match(rebuilt.err, /1 rooms and 2 members rebuilt from 2 events/);
    const right = await imcd(['verify', ...data]);
    assert.deepEqual([right.code, right.out], [0, ''], right.err);

    const mirror = new DatabaseSync(join(folder, 'data', 'mirror.db'));
    mirror.exec("DELETE FROM imc_members WHERE username = 'bob'");
    mirror.close();
    const wrong = await imcd(['verify', ...data]);
    assert.equal(wrong.code, 1);
    assert.deepEqual(lines(wrong.out), [
      'mirror: room sip:chat-1@localhost: member sip:bob@localhost is in the log, and has no row',
    ]);
    assert.equal((await imcd(['rebuild', ...data])).code, 0);
    assert.equal((await imcd(['verify', ...data])).code, 0);
  });

  it('say what is wrong, without a stack trace', async () => {
    const folder = temporaryFolder();
    const data = ['--data', join(folder, 'data')];
    for (const [args, code, says] of [
      [['import', ...data], 2, /--from is missing/],
      [['import', '--from', 'oracle:x', ...data], 1, /starts with mysql:\/\/, postgres:\/\/ or sqlite:/],
      [['import', '--from', `sqlite:${folder}/none.db`, ...data], 1, /none\.db cannot be used: unable to open/],
      [
        ['import', '--from', 'mysql://a:secret@127.0.0.1:1/b', ...data],
        1,
        /127\.0\.0\.1:1\/b cannot be used: .*ECONNREFUSED/,
      ],
      [['rebuild', ...data, '--db_url', 'none'], 1, /there is no mirror to rebuild/],
      [['rebuild', ...data, '--rooms_table', 'x'.repeat(33)], 2, /1 to 32 letters/],
    ] as const) {
      const ended = await imcd(args);
      assert.equal(ended.code, code, `${args}: ${ended.err}`);
      assert.match(ended.err, says);
      assert.doesNotMatch(ended.err, /secret|at file:|node:/);
    }
  });
});
