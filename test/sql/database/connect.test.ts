import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { sql } from 'kysely';
import { connect } from '../../../src/sql/database/connect.ts';
import type { Session } from '../../../src/sql/database/session.ts';
import { databaseSettings, UnreadableFile } from '../../../src/sql/database/settings.ts';
import { component } from '../../support/component.ts';
import type { DatabaseServer } from '../../support/database-server.ts';
import { startMariadb } from '../../support/mariadb.ts';
import { startPostgres } from '../../support/postgres.ts';
import { databaseAt } from '../../support/urls.ts';
import { createWorld, untilStatus } from '../world.ts';

describe('what a driver is given', () => {
  it('is a file, or a server with what its address holds', () => {
    assert.deepEqual(databaseSettings(databaseAt('sqlite:/var/x.db')), {
      dialect: 'sqlite',
      file: '/var/x.db',
      shown: 'sqlite:/var/x.db',
    });
    assert.deepEqual(databaseSettings(databaseAt('mariadb://im%40cd:p%2Fw@db.example.org/opensips')), {
      dialect: 'mysql',
      host: 'db.example.org',
      port: 3306,
      user: 'im@cd',
      password: 'p/w',
      database: 'opensips',
      shown: 'mysql://db.example.org:3306/opensips',
    });
  });

  it('says which file cannot be read, never with the password', () => {
    for (const name of ['ca', 'cert', 'key', 'password_file']) {
      assert.throws(
        () => databaseSettings(databaseAt(`postgres://u:hidden@h/d?tls=verify&${name}=/none.pem`)),
        (error) =>
          error instanceof UnreadableFile && error.message === `postgres://h:5432/d: ${name}=/none.pem cannot be read.`,
        name,
      );
    }
  });
});

const connectTo = (url: string): Promise<Session> => connect(databaseSettings(databaseAt(url)));

const wrongPassword = async (server: DatabaseServer): Promise<void> => {
  const url = (await server.newDatabase()).replace('secret-of-the-test', 'wrong-secret');
  const world = createWorld(url);
  const mirror = world.mirror();
  await untilStatus(mirror, ({ state }) => state === 'stopped');
  const said = JSON.stringify([mirror.status(), world.lines]);
  assert.match(said, /cannot be used: Access denied|password authentication failed/);
  assert.doesNotMatch(said, /wrong-secret/);
  await world.end();
};

/** Over TLS: with the right authority, without it, with one that has not signed. */
const overTls = async (
  server: DatabaseServer,
  ca: string,
  stranger: string,
  encrypted: ReturnType<typeof sql>,
): Promise<void> => {
  const plain = (await server.newDatabase()).replace('127.0.0.1', 'localhost');
  const session = await connectTo(`${plain}?tls=verify&ca=${ca}`);
  const { rows } = await encrypted.execute(session.db);
  await session.close();
  assert.match(JSON.stringify(rows), /TLSv1\.[23]/);
  for (const refused of [`${plain}?tls=verify`, `${plain}?tls=verify&ca=${stranger}`]) {
    await assert.rejects(connectTo(refused), /cannot be used: .*certificate/i, refused);
  }
  await (await connectTo(`${plain}?tls=unverified`)).close();
};

describe('a connection', component('openssl', 'openssl'), () => {
  let folder: string;
  const files = (name: string) => ({ cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) });
  const certify = (name: string, host: string): void => {
    const { cert, key } = files(name);
    const subject = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`];
    const keys = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key];
    const made = spawnSync('openssl', ['req', '-x509', '-days', '2', ...subject, ...keys, '-out', cert], {
      encoding: 'utf8',
    });
    assert.equal(made.status, 0, made.stderr);
  };
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'imcd-tls-'));
    certify('server', 'localhost');
    certify('other', 'other.test');
    certify('stranger', 'localhost');
  });
  after(() => rmSync(folder, { recursive: true }));

  it(
    'to MariaDB goes over TLS, and keeps its password to itself',
    component('mariadbd', 'mariadb-server'),
    async () => {
      const { cert, key } = files('server');
      const server = await startMariadb({ args: [`--ssl-cert=${cert}`, `--ssl-key=${key}`] });
      try {
        await overTls(server, cert, files('stranger').cert, sql`SHOW STATUS LIKE 'Ssl_version'`);
        await wrongPassword(server);
      } finally {
        await server.stop();
      }
      const other = files('other');
      const elsewhere = await startMariadb({ args: [`--ssl-cert=${other.cert}`, `--ssl-key=${other.key}`] });
      try {
        const url = (await elsewhere.newDatabase()).replace('127.0.0.1', 'localhost');
        await assert.rejects(connectTo(`${url}?ca=${other.cert}`), /Hostname\/IP does not match/);
      } finally {
        await elsewhere.stop();
      }
    },
  );

  it('to PostgreSQL goes over TLS', component('postgres', 'postgresql'), async () => {
    const server = await startPostgres(files('server'));
    try {
      await overTls(
        server,
        files('server').cert,
        files('stranger').cert,
        sql`SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()`,
      );
    } finally {
      await server.stop();
    }
  });

  it('takes its password from a file', component('mariadbd', 'mariadb-server'), async () => {
    const server = await startMariadb();
    try {
      const file = join(folder, 'password');
      writeFileSync(file, 'secret-of-the-test\n');
      const url = (await server.newDatabase()).replace(':secret-of-the-test', '');
      await (await connectTo(`${url}?password_file=${file}`)).close();
      await assert.rejects(connectTo(url), /Access denied/);
    } finally {
      await server.stop();
    }
  });
});
