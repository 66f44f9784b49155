import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { imcd, lines, temporaryFolder } from '../support/imcd.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openLogIn, randomLog } from './random-log.ts';

const data = temporaryFolder();
const common = ['--data', data, '--domains', 'example.org,localhost'];
let server: TestServer;
let rooms = 0;

before(async () => {
  const store = await openLogIn(data);
  const steps = await randomLog(store, 200, 22);
  rooms = [...new Map(steps.map((step) => [step.key, step.after])).values()].filter(
    (room) => room !== undefined,
  ).length;
  await store.close();
  server = await startTestServer({ data, args: ['--domains', 'example.org,localhost'] });
});
after(() => server.stop());

const verify = (...more: readonly string[]) =>
  imcd(['verify', ...common, '--mi.http', `127.0.0.1:${server.mi}`, ...more]);
const mirrorIsThere = async () => {
  for (;;) {
    const { out } = await imcd(['mi', 'mirror_status', '--mi.http', `127.0.0.1:${server.mi}`]);
    if (JSON.parse(out).state === 'live') return;
  }
};

describe('imcd verify', () => {
  it('finds no difference where there is none', async () => {
    await mirrorIsThere();
    const { code, out, err } = await verify();
    assert.deepEqual([code, out], [0, ''], err);
    assert.match(err, new RegExp(`log: ${rooms} rooms\n`));
    assert.match(err, new RegExp(`server: ${rooms} rooms compared at http`));
    assert.match(err, /mirror: \d+ rooms and \d+ members compared\nno difference\n$/);
  });

  it('says so where no server runs, or one with another log, and exits 0', async () => {
    const nobody = await imcd(['verify', ...common, '--mi.http', '127.0.0.1:1']);
    assert.equal(nobody.code, 0, nobody.out);
    assert.match(nobody.err, /server: not compared, none runs at/);
    const other = temporaryFolder();
    const store = await openLogIn(other);
    await randomLog(store, 10, 1);
    await store.close();
    const foreign = await imcd(['verify', '--data', other, '--mi.http', `127.0.0.1:${server.mi}`, '--db_url', 'none']);
    assert.equal(foreign.code, 0, foreign.out);
    assert.match(foreign.err, /server: not compared, the one at .* uses another log/);
  });

  it('finds what was changed in the mirror: each difference a line, exit 1', async () => {
    const mirror = new DatabaseSync(join(data, 'mirror.db'));
    const [member] = mirror.prepare('SELECT id, username FROM imc_members ORDER BY id DESC LIMIT 1').all();
    mirror.prepare('UPDATE imc_members SET flag = flag + 4 WHERE id = ?').run(Number(member?.id));
    const { code, out, err } = await verify();
    assert.equal(code, 1);
    assert.equal(lines(out).length, 1);
    assert.match(out, new RegExp(`^mirror: .*${member?.username}@example\\.org has the flag`));
    assert.match(err, /1 differences/);
    mirror.prepare('UPDATE imc_members SET flag = flag - 4 WHERE id = ?').run(Number(member?.id));
    mirror.close();
    assert.equal((await verify()).code, 0);
  });

  it('finds a server whose rooms are not those of the log', async () => {
    const real = `http://127.0.0.1:${server.mi}/mi`;
    // A server in between that tells a lie: every revision-holding room has lost its last member.
    const liar = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part);
      const body = Buffer.concat(parts).toString();
      const answer = await fetch(real, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      const told = (await answer.text()).replace(/,\{"uri":"[^"]+","role":"[^"]+","since":"[^"]+"\}\]/, ']');
      response.setHeader('content-type', 'application/json').end(told);
    });
    await new Promise<void>((resolve) => liar.listen(0, '127.0.0.1', resolve));
    const address = liar.address();
    assert.ok(typeof address === 'object' && address !== null);
    const { code, out } = await imcd(['verify', ...common, '--mi.http', `127.0.0.1:${address.port}`]);
    liar.close();
    assert.equal(code, 1);
    assert.match(out, /^server: sip:chat-\d@example\.org at revision \d+ is \{.*; by the log it is \{/);
  });

  it('finds a snapshot that is not what the log says', async () => {
    await server.stop();
    const file = join(data, 'rooms.snapshot');
    assert.ok(existsSync(file), 'a stop writes a snapshot');
    const alone = ['verify', ...common, '--mi.http', 'none', '--db_url', 'none'];
    const right = await imcd(alone);
    assert.equal(right.code, 0, right.out);
    assert.match(right.err, new RegExp(`snapshot: ${rooms} rooms compared`));
    const text = readFileSync(file, 'utf8');
    const told = text.slice(0, text.lastIndexOf('{"sha256"'));
    const lies: readonly [what: string, lie: string, field: RegExp][] = [
      [
        'a public room is private, or the other way round',
        told.replace(/("sip:chat-\d@example\.org",)([01])/, (_all, uri, is) => `${uri}${is === '1' ? 0 : 1}`),
        /"private":/,
      ],
      [
        'another has invited',
        told.replace(/("invited","[^"]+",)"[^"]+"/, '$1"operator:eve"'),
        /"inviter":"operator:eve"/,
      ],
      [
        'a member came by sips',
        told.replace(/("(?:owner|admin|member)","[^"]+")(,"sips")?\]/, (_all, place, sips) =>
          sips === undefined ? `${place},"sips"]` : `${place}]`,
        ),
        /"scheme":"sips"/,
      ],
    ];
    for (const [what, body, field] of lies) {
      assert.notEqual(body, told, what);
      // The checksum fits.
      writeFileSync(file, `${body}{"sha256":"${createHash('sha256').update(body).digest('hex')}"}\n`);
      const wrong = await imcd(alone);
      assert.equal(wrong.code, 1, `${what}: ${wrong.err}`);
      assert.match(wrong.out, /^snapshot: sip:chat-\d@example\.org is \{.*; by the log it is \{/, what);
      assert.match(wrong.out, field, what);
    }
    writeFileSync(file, text.slice(0, -10));
    const damaged = await imcd(alone);
    assert.equal(damaged.code, 1);
    assert.match(damaged.out, /^snapshot: the snapshot .*rooms\.snapshot/);
  });
});
