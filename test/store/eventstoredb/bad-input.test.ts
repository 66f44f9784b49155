import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import { component } from '../../support/component.ts';
import { anEvent, aStream, openOn, tryOpen } from '../../support/eventstoredb/open.ts';
import { startDouble } from '../../support/eventstoredb/server.ts';
import { recordingLog } from '../../support/world.ts';

/** Opening must fail with this kind, and a sentence that matches. */
const refused = async (
  url: string,
  kind: 'StoreRefused' | 'StoreUnavailable',
  message: RegExp,
  options: Parameters<typeof tryOpen>[1] = {},
): Promise<void> => {
  const opened = await tryOpen(url, { ...options, times: { openMs: 200 } });
  if (E.isRight(opened)) await opened.right.close();
  assert.ok(E.isLeft(opened), `${url} opened`);
  assert.equal(opened.left.kind, kind, opened.left.message);
  assert.match(opened.left.message, message);
};

const listening = async (t: TestContext, server: ReturnType<typeof createServer>): Promise<string> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
};

describe('EventStoreDB adapter: store_url that cannot work, each with a sentence', () => {
  for (const [url, message] of [
    ['mysql://a/b', /begins with mysql/],
    ['esdb://', /names no host/],
    ['esdb:host', /not of the form/],
    ['esdb://a b:2113', /host that cannot be read/],
    ['esdb://host:port', /host that cannot be read/],
    ['esdb://anna@host:2113', /user without a password.*store_password_file/],
    ['esdb://127.0.0.1:1?tls=perhaps', /cannot be read: .*true or false/],
    ['esdb://127.0.0.1:1?keepAliveInterval=soon', /cannot be read: .*Integer/],
  ] as const) {
    it(url, () => refused(url, 'StoreRefused', message));
  }

  it('nobody listens: it may come yet', () =>
    refused('esdb://127.0.0.1:1?tls=false', 'StoreUnavailable', /nothing listens at store_url/));
  it('an unknown host', () =>
    refused('esdb://no-such-host.invalid:2113?tls=false', 'StoreUnavailable', /host of store_url is not known/));

  it('TLS where the server speaks plain text', async (t) => {
    const server = await startDouble();
    t.after(() => server.stop());
    await refused(`esdb://${server.address}`, 'StoreRefused', /speaks plain text; add \?tls=false/);
  });

  it('a server that is too old', async (t) => {
    const server = await startDouble({ version: '22.10.3' });
    t.after(() => server.stop());
    await refused(server.url, 'StoreRefused', /EventStoreDB 22\.10\.3 is too old; imcd needs 23\.10/);
  });

  it('gRPC, but not EventStoreDB', async (t) => {
    const server = await startDouble({ withoutFeatures: true });
    t.after(() => server.stop());
    await refused(server.url, 'StoreRefused', /no EventStoreDB, or one older than 21\.10/);
  });

  it('HTTP, but not gRPC', async (t) => {
    const plain = createHttpServer((_, response) => response.end('hello'));
    await refused(`esdb://${await listening(t, plain)}?tls=false`, 'StoreRefused', /does not speak EventStoreDB/);
    const http2 = createHttp2Server((_, response) => response.end('hello'));
    await refused(`esdb://${await listening(t, http2)}?tls=false`, 'StoreRefused', /EventStoreDB/);
  });

  it('a server that waits for nothing and says nothing', async (t) => {
    // A client that waits for the first answer of a peer keeps its socket; so they are ended here.
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket));
    t.after(() => {
      for (const socket of sockets) socket.destroy();
    });
    await refused(`esdb://${await listening(t, silent)}?tls=false`, 'StoreUnavailable', /EventStoreDB/);
  });

  it('credentials over plain text are told about, since EventStoreDB never sees them', async (t) => {
    const server = await startDouble();
    t.after(() => server.stop());
    const log = recordingLog();
    const store = await openOn(server.url.replace('esdb://', 'esdb://admin:changeit@'), { log });
    await store.close();
    assert.ok(log.lines.some(({ message }) => /no credentials over plain text/.test(message)));
  });

  it('kurrentdb:// is the same', async (t) => {
    const server = await startDouble();
    t.after(() => server.stop());
    const store = await openOn(server.url.replace('esdb://', 'kurrentdb://'));
    assert.ok(E.isRight(await store.append(aStream(), 'no_stream', [anEvent()])()));
    await store.close();
  });
});

describe('EventStoreDB adapter: TLS and credentials', component('openssl', 'openssl'), () => {
  const certificate = (t: TestContext) => {
    const folder = mkdtempSync(join(tmpdir(), 'imcd-tls-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const form = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'];
    execFileSync('openssl', [...form, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' });
    return { cert, tls: { key: readFileSync(key), cert: readFileSync(cert), user: 'imcd', password: 'pass:word@1' } };
  };

  it('work with the authority named and the password given beside the URL; else say what is wrong', async (t) => {
    const { cert, tls } = certificate(t);
    const server = await startDouble({ tls });
    t.after(() => server.stop());
    const at = `${server.address}?tlsCAFile=${encodeURIComponent(cert)}`;
    const store = await openOn(`esdb://imcd@${at}`, { password: tls.password });
    const stream = aStream();
    assert.ok(E.isRight(await store.append(stream, 'no_stream', [anEvent()])()));
    assert.ok(E.isRight(await store.lastRevision(stream)()));
    await store.close();
    await refused(`esdb://imcd@${at}`, 'StoreRefused', /refused the user/, { password: 'wrong' });
    await refused(`esdb://${at}`, 'StoreRefused', /refused the user/);
    await refused(
      `esdb://imcd:x@${server.address}`,
      'StoreRefused',
      /certificate is not trusted; name its authority with tlsCAFile/,
    );
    await refused(
      `esdb://${server.address}?tls=false`,
      'StoreUnavailable',
      /tls= in store_url may not fit|cannot be reached/,
    );
    await refused(`esdb://${server.address}?tlsCAFile=%2Fnowhere.pem`, 'StoreRefused', /certificate file/);
  });
});
