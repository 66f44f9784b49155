import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { after, describe, it } from 'node:test';
import { newMiCounters } from '../../../src/mi/counters.ts';
import { createMiDispatch } from '../../../src/mi/dispatch.ts';
import { type MiHttp, openMiHttp } from '../../../src/mi/fronts/http.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { logTo } from '../../../src/runtime/log.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { until } from '../../support/until.ts';
import { type Fake, fakePorts, put, room } from '../fake-ports.ts';

const opened: MiHttp[] = [];
after(() => Promise.all(opened.map((mi) => mi.close(100))));

const open = async (
  token?: string,
  clock: Clock = systemClock,
): Promise<{ mi: MiHttp; fake: Fake; port: number; ready: { why?: string } }> => {
  const fake = fakePorts();
  const log = logTo({ write: (line: string) => fake.lines.push(line) }, 'info');
  const ready: { why?: string } = {};
  const mi = await openMiHttp({
    host: '127.0.0.1',
    port: 0,
    names: new Set(['sip.example.org']),
    token,
    clock,
    dispatch: createMiDispatch(fake.ports, log, newMiCounters()),
    metrics: async () => ({ type: 'text/plain; version=0.0.4', text: 'imcd_rooms 1\n' }),
    notReady: () => ready.why,
    log,
  });
  opened.push(mi);
  return { mi, fake, port: mi.address.port, ready };
};

interface Given {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}
interface Got {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}
const ask = (port: number, { method = 'POST', path = '/mi', headers = {}, body }: Given): Promise<Got> =>
  new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, agent: false, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
const json = { 'content-type': 'application/json' };
const version = '{"jsonrpc":"2.0","method":"version","id":1}';

describe('MI over HTTP', async () => {
  const { port, fake, mi, ready } = await open();

  it('answers POST /mi with 200, also errors; 202 without id', async () => {
    const good = await ask(port, { headers: json, body: version });
    assert.equal(good.status, 200);
    assert.match(String(good.headers['content-type']), /^application\/json/);
    assert.match(JSON.parse(good.body).result.Server, /^imcd/);
    const bad = await ask(port, { headers: json, body: '{' });
    assert.deepEqual([bad.status, JSON.parse(bad.body).error.code], [200, -32700]);
    const none = await ask(port, { headers: json, body: version.replace(',"id":1', '') });
    assert.deepEqual([none.status, none.body], [202, '']);
    const empty = await ask(port, { headers: json });
    assert.ok(empty.status === 400 || JSON.parse(empty.body).error.code === -32700, empty.body);
  });

  it('is driven by no web page: Host', async () => {
    for (const host of ['evil.example', 'evil.example:8888', '192.0.2.1', 'localhost.evil.example', 'a b'])
      assert.ok([400, 403].includes((await ask(port, { headers: { ...json, host }, body: version })).status), host);
    for (const host of ['127.0.0.1', `localhost:${port}`, '[::1]:1', 'SIP.example.org'])
      assert.equal((await ask(port, { headers: { ...json, host }, body: version })).status, 200, host);
  });

  it('is driven by no web page: Origin', async () => {
    const host = `localhost:${port}`;
    for (const origin of ['http://evil.example', 'null', `http://localhost:${port + 1}`, 'file://', 'http://localhost'])
      assert.equal((await ask(port, { headers: { ...json, host, origin }, body: version })).status, 403, origin);
    assert.equal(
      (await ask(port, { headers: { ...json, host, origin: `http://${host}` }, body: version })).status,
      200,
    );
    const cross = { ...json, 'sec-fetch-site': 'cross-site' };
    assert.equal((await ask(port, { headers: cross, body: version })).status, 403);
  });

  it('is driven by no web page: what a form can send is not application/json', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/jsonp',
    ])
      assert.equal((await ask(port, { headers: { 'content-type': type }, body: version })).status, 415, type);
    assert.equal((await ask(port, { body: version })).status, 415);
    const charset = { 'content-type': 'application/json; charset=utf-8' };
    assert.equal((await ask(port, { headers: charset, body: version })).status, 200);
    assert.equal(fake.executed.length, 0);
  });

  it('names what there is, with no stack trace', async () => {
    const get = await ask(port, { method: 'GET' });
    assert.deepEqual([get.status, get.headers.allow], [405, 'POST']);
    const lost = await ask(port, { method: 'GET', path: '/' });
    assert.equal(lost.status, 404);
    assert.match(lost.body, /POST \/mi, GET \/metrics/);
    assert.doesNotMatch(get.body + lost.body, /node_modules|\.ts:/);
  });

  it('serves /metrics, /healthz and /readyz', async () => {
    const get = (path: string) => ask(port, { method: 'GET', path });
    assert.equal((await get('/metrics')).body, 'imcd_rooms 1\n');
    assert.equal((await get('/healthz')).status, 200);
    assert.equal((await get('/readyz')).status, 200);
    ready.why = 'the log is being read: 5 of 10';
    assert.deepEqual([(await get('/readyz')).status, (await get('/readyz')).body], [503, `${ready.why}\n`]);
    assert.equal((await get('/healthz')).status, 200);
  });

  it('refuses 10 MB with 413, announced or not, and goes on', async () => {
    const big = `{"jsonrpc":"2.0","method":"version","id":"${'x'.repeat(10_000_000)}"}`;
    const got = await ask(port, { headers: json, body: big }).catch((error: NodeJS.ErrnoException) => error);
    if (got instanceof Error) assert.match(String(got.code), /EPIPE|ECONNRESET/);
    else assert.equal(got.status, 413);
    const chunked = { ...json, 'transfer-encoding': 'chunked' };
    const second = await ask(port, { headers: chunked, body: big }).catch((error: NodeJS.ErrnoException) => error);
    if (second instanceof Error) assert.match(String(second.code), /EPIPE|ECONNRESET/);
    else assert.equal(second.status, 413);
    assert.equal((await ask(port, { headers: json, body: version })).status, 200);
  });

  it('takes 64 of 1,000 connections, and serves again when they are gone', async () => {
    const sockets: Socket[] = [];
    let closed = 0;
    const allButSome = new Promise<void>((resolve) => {
      for (let i = 0; i < 1_000; i += 1) {
        const socket = connect(port, '127.0.0.1');
        sockets.push(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          closed += 1;
          if (closed === 1_000 - 64) resolve();
        });
        socket.resume();
      }
    });
    await allButSome;
    assert.ok(mi.counters.refusedConnections >= 936, `${mi.counters.refusedConnections} refused`);
    const gone = Promise.all(sockets.filter((s) => !s.destroyed).map((s) => once(s, 'close')));
    for (const socket of sockets) socket.destroy();
    await gone;
    let served: Got | undefined;
    for (let tries = 0; served === undefined && tries < 100; tries += 1)
      served = await ask(port, { headers: json, body: version }).catch(() => undefined);
    assert.equal(served?.status, 200);
  });
});

describe('a caller that never reads', () => {
  it('costs no more than its buffers: the answer is made while it is read', async () => {
    const { port, fake } = await open();
    for (let i = 0; i < 1_000; i += 1) put(fake, room(`chat-${i}`, 'alice'));
    let made = 0;
    const all = fake.ports.rooms.all;
    Object.assign(fake.ports.rooms, {
      all: function* () {
        for (let round = 0; round < 2_000; round += 1)
          for (const one of all()) {
            made += 1;
            yield one;
          }
      },
    });
    const socket = connect(port, '127.0.0.1');
    const body = '{"jsonrpc":"2.0","method":"list_rooms","id":1}';
    socket.pause();
    socket.write(
      `POST /mi HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    let before = -1;
    while (made === 0 || made !== before) {
      before = made;
      for (let n = 0; n < 10; n += 1) await ask(port, { headers: json, body: version }); // until no more is made
    }
    assert.ok(made < 400_000, `${made} of 2,000,000 rows were made for a caller that reads nothing`);
    const other = await ask(port, { headers: json, body: version });
    assert.equal(other.status, 200);
    socket.destroy();
  });
});

describe('the token', async () => {
  const token = 'correct-horse-battery';
  const { port, mi } = await open(token);
  const bearer = (value: string) => ({ ...json, authorization: `Bearer ${value}` });

  it('is needed for /mi and /metrics, not for /healthz and /readyz', async () => {
    assert.equal((await ask(port, { headers: bearer(token), body: version })).status, 200);
    const none = await ask(port, { headers: json, body: version });
    assert.deepEqual([none.status, none.headers['www-authenticate']], [401, 'Bearer']);
    assert.equal((await ask(port, { method: 'GET', path: '/metrics' })).status, 401);
    assert.equal((await ask(port, { method: 'GET', path: '/metrics', headers: bearer(token) })).status, 200);
    for (const path of ['/healthz', '/readyz']) assert.equal((await ask(port, { method: 'GET', path })).status, 200);
  });

  it('when wrong is answered after a second, and delays no other', async () => {
    const clock = createFakeClock();
    const { port, mi } = await open(token, clock);
    let answered = false;
    const wrong = ask(port, { headers: bearer(`${token}x`), body: version }).finally(() => {
      answered = true;
    });
    await until('the wrong one is there', () => mi.counters.wrongTokens === 1);
    clock.advance(999);
    assert.equal((await ask(port, { headers: bearer(token), body: version })).status, 200);
    assert.equal(answered, false, 'the wrong one was answered early');
    clock.advance(1);
    assert.equal((await wrong).status, 401);
  });

  it('when wrong many times at once is answered 429', async () => {
    const before = mi.counters.wrongTokens;
    const all = await Promise.all(
      Array.from({ length: 40 }, () => ask(port, { headers: bearer('no'), body: version })),
    );
    assert.equal(mi.counters.wrongTokens - before, 40);
    assert.deepEqual([...new Set(all.map(({ status }) => status))].sort(), [401, 429]);
  });
});
