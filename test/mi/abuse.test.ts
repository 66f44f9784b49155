import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startTestServer, type TestServer } from '../support/server.ts';

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
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  const sent = new Map<string, number>();
  const took: number[] = [];
  let wake = (): void => undefined;
  socket.on('message', (bytes) => {
    const id = /Call-ID: (\S+)/.exec(bytes.toString())?.[1] ?? '';
    took.push(performance.now() - (sent.get(id) ?? 0));
    wake();
  });
  let serial = 0;
  const timer = setInterval(() => {
    serial += 1;
    const id = `ping-${serial}`;
    sent.set(id, performance.now());
    const lines = [
      'OPTIONS sip:localhost SIP/2.0',
      `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bK${id}`,
      'Max-Forwards: 70',
      'From: <sip:a@localhost>;tag=x',
      'To: <sip:localhost>',
      `Call-ID: ${id}`,
      'CSeq: 1 OPTIONS',
      'Content-Length: 0',
    ];
    socket.send(`${lines.join('\r\n')}\r\n\r\n`, server.udp, '127.0.0.1');
  }, 10);
  return {
    stop: async () => {
      clearInterval(timer);
      await new Promise<void>((resolve) => {
        wake = () => {
          if (took.length >= sent.size) resolve();
        };
        wake();
      });
      socket.close();
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
