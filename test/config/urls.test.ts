import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import { Secret } from '../../src/config/secret.ts';
import { type DatabaseUrl, parseDatabaseUrl, parseStoreUrl, withPassword } from '../../src/config/urls.ts';
import { connectionString } from '../../src/store/eventstoredb/address.ts';

const right = <A>(read: E.Either<string, A>): A => {
  if (E.isLeft(read)) assert.fail(read.left);
  return read.right;
};
/** Everything of a server, its secrets told. */
const plain = (url: DatabaseUrl) => {
  assert.ok(url.kind !== 'sqlite');
  const { password, url: _, ...rest } = url;
  return { ...rest, password: password?.reveal() };
};

describe('the URL of a database', () => {
  it('is read with what stands in it, and shown without user and password', () => {
    assert.deepEqual(plain(right(parseDatabaseUrl('mariadb://im%40cd:p%2Fw@db.example.org/opensips'))), {
      kind: 'mysql',
      host: 'db.example.org',
      port: 3306,
      socket: undefined,
      user: 'im@cd',
      password: 'p/w',
      passwordFile: undefined,
      database: 'opensips',
      tls: undefined,
      shown: 'mysql://db.example.org:3306/opensips',
      written: 'mariadb://im%40cd:***@db.example.org/opensips',
    });
    const url = withPassword('postgresql://imcd@[::1]:5433/opensips?socket=/run/postgresql', new Secret('given'));
    const { kind, host, port, password, socket, tls, shown } = plain(right(parseDatabaseUrl(url)));
    assert.deepEqual([kind, host, port, password], ['postgres', '::1', 5433, 'given']);
    assert.deepEqual([socket, tls, shown], ['/run/postgresql', undefined, 'postgres:///run/postgresql/opensips']);
  });

  it('may be a file of SQLite, as imcd, OpenSIPS and Kamailio write it', () => {
    for (const url of ['sqlite:/var/x.db', 'sqlite:///var/x.db', 'sqlite:////var/x.db']) {
      const read = right(parseDatabaseUrl(url));
      assert.ok(read.kind === 'sqlite');
      assert.match(read.file, /^\/{1,2}var\/x\.db$/);
    }
    assert.deepEqual(right(parseDatabaseUrl('sqlite:a%20b.db')), { kind: 'sqlite', file: 'a%20b.db' });
  });

  it('names files for TLS and password, and reads none of them', () => {
    const tlsOf = (query: string) => plain(right(parseDatabaseUrl(`mysql://u@h/d?${query}`))).tls;
    const [ca, cert, key] = ['/a', '/c', '/k'];
    assert.deepEqual(tlsOf('tls=verify&ca=/a&cert=/c&key=/k'), { verify: true, ca, cert, key });
    assert.equal(tlsOf('ca=/a')?.verify, true);
    assert.equal(tlsOf('tls=unverified&ca=/a')?.verify, false);
    assert.equal(tlsOf('tls=off'), undefined);
    assert.equal(plain(right(parseDatabaseUrl('mysql://u@h/d?password_file=/p'))).passwordFile, '/p');
  });

  it('that cannot be used says why, never with the password', () => {
    for (const [url, why] of [
      ['oracle://u:hidden@h/d', /starts with mysql:\/\/, postgres:\/\/ or sqlite:/],
      ['mysql://u:hidden@h/', /no database is named; write it after the host/],
      ['mysql://u:hidden@h/d/e', /no database is named/],
      ['mysql://h/d', /no user is named; write it before the host/],
      ['postgres://u:hidden@h/d?sslmode=require', /unknown parameter sslmode; possible are tls/],
      ['postgres://u:hidden@h/d?tls=yes', /tls=yes; possible are verify, unverified and off/],
      ['mysql://u:hid%den@h/d', /a % that is no escape/],
      ['mysql://u:hidden@h:x/d', /cannot be read as a URL; escape special characters of the password/],
      ['mysql:///d', /cannot be read as a URL/],
      ['sqlite:', /names no file/],
    ] as const) {
      const read = parseDatabaseUrl(url);
      assert.ok(E.isLeft(read), url);
      assert.match(read.left, why);
      assert.doesNotMatch(read.left, /hid/);
    }
  });
});

describe('the URL of a log', () => {
  const served = (url: string) => {
    const read = right(parseStoreUrl(url));
    assert.ok(read.kind === 'esdb');
    return read;
  };

  it('may be a file, or memory', () => {
    assert.deepEqual(right(parseStoreUrl('sqlite:/var/log.db')), { kind: 'sqlite', file: '/var/log.db' });
    assert.deepEqual(right(parseStoreUrl('memory:')), { kind: 'memory' });
  });

  it('is EventStoreDB under either of its names', () => {
    for (const scheme of ['esdb', 'kurrentdb', 'kurrent', 'KDB']) {
      const { url, shown } = served(`${scheme}+discover://u:p@a:1,[::1]:2/?tls=true`);
      assert.equal(url.reveal(), 'esdb+discover://u:p@a:1,[::1]:2?tls=true');
      assert.equal(shown, 'esdb+discover://u:***@a:1,[::1]:2?tls=true');
    }
    assert.equal(served('esdb://u:a:b@my_host').url.reveal(), 'esdb://u:a:b@my_host');
  });

  it('becomes a connection string with settings of ours, where it has none of that name', () => {
    assert.equal(
      connectionString(served('esdb://h'), 'n 1'),
      'esdb://h?connectionName=imcd-n%201&keepAliveTimeout=5000',
    );
    const own = 'esdb://h?Connection_Name=x&keep-alive-timeout=1';
    assert.equal(connectionString(served(own), 'n'), own);
    assert.equal(connectionString(served('esdb://h?tls=false'), undefined), 'esdb://h?tls=false&keepAliveTimeout=5000');
  });

  it('tells of a user whom EventStoreDB will not be told', () => {
    assert.equal(served('esdb://u:p@h?tls=false').unsentUser, true);
    assert.equal(served('esdb://u:p@h').unsentUser, false);
    assert.equal(served('esdb://h?tls=false').unsentUser, false);
  });

  it('that cannot be used says why, never with the password', () => {
    for (const [url, why] of [
      ['mysql://u:hidden@a/b', /begins with mysql:/],
      ['esdb:host', /not of the form esdb:\/\//],
      ['esdb://u:hidden@', /names no host/],
      ['esdb://u:hidden@a b:1', /host that cannot be read: a b/],
      ['esdb://u:hidden@host:port', /host that cannot be read: host:port/],
      ['esdb://host/path', /host that cannot be read: host\/path/],
      ['esdb://u@h', /user without a password; add it, or set store_password_file/],
      ['esdb://:hidden@h', /user without a password/],
      ['esdb://u:hidden@h?a b', /white space/],
      ['sqlite:', /names no file/],
    ] as const) {
      const read = parseStoreUrl(url);
      assert.ok(E.isLeft(read), url);
      assert.match(read.left, why);
      assert.doesNotMatch(read.left, /hidden/);
    }
  });
});
