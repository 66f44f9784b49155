import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openSipClient } from '../support/sip-client.ts';

let server: TestServer;
before(async () => {
  server = await startTestServer({ args: ['--db_url', 'none'] });
});
after(() => server.stop());

const residentMb = () =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1]) / 1024;

const call = async (method: string, params?: unknown) => {
  const response = await fetch(`http://127.0.0.1:${server.mi}/mi`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({ jsonrpc: '2.0', method, params, id: 1 }),
  });
  return Object(await response.json()).result;
};

/** Asks with OPTIONS every 10 ms until told to stop; resolves with the milliseconds that each answer took. */
const pinging = async () => {
  const client = await openSipClient({ server: { host: '127.0.0.1', port: server.udp } });
  const asked: Promise<number>[] = [];
  const ping = async (): Promise<number> => {
    const from = performance.now();
    await client.request({ method: 'OPTIONS', uri: 'sip:localhost' });
    return performance.now() - from;
  };
  const timer = setInterval(() => asked.push(ping()), 10);
  return {
    stop: async () => {
      clearInterval(timer);
      const took = await Promise.all(asked);
      client.close();
      return took;
    },
  };
};

describe('a management client that sends 10 MB, opens 1,000 connections and never reads', () => {
  it('costs a bound of memory, and SIP is answered all the while', { timeout: 120_000 }, async (test) => {
    assert.ok((await call('which')).length > 40);
    const calm = residentMb();
    const ping = await pinging();
    const script = join(import.meta.dirname, 'abusive-client.ts');
    const client = spawn(process.execPath, [script, String(server.mi)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    client.stdout.setEncoding('utf8').on('data', (part) => {
      out += part;
    });
    await once(client, 'close');
    const took = await ping.stop();
    const { large, many } = JSON.parse(out);
    for (const answer of large) assert.match(answer, /^(413|EPIPE|ECONNRESET)$/);
    assert.equal(many, '900 closed');
    assert.ok(took.length > 100, `${took.length} answers`);
    test.diagnostic(`SIP answers: ${took.length}, the slowest after ${Math.max(...took).toFixed(1)} ms`);
    const grown = residentMb() - calm;
    test.diagnostic(`resident memory grew by ${grown.toFixed(0)} MB`);
    assert.ok(grown < 100, `${grown} MB`);
    const refused = await call('get_statistics', ['mi:refused_refusedConnections']);
    assert.ok(refused['mi:refused_refusedConnections'] >= 900);
  });
});
