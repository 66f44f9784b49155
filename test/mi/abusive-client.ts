/**
 * A client that does what no client should, as a process of its own: `node abusive-client.ts PORT`. Prints what came of it.
 * Ten requests of 10 MB; a thousand connections; sixty that ask for all rooms and never read.
 */
import { request } from 'node:http';
import { connect } from 'node:net';

const port = Number(process.argv[2]);
const json = { 'content-type': 'application/json' };

const large = (): Promise<string> =>
  new Promise((resolve) => {
    const sent = request(
      { host: '127.0.0.1', port, path: '/mi', method: 'POST', headers: json, agent: false },
      (response) => {
        response.resume();
        resolve(String(response.statusCode));
      },
    );
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    sent.end(`{"jsonrpc":"2.0","method":"version","id":"${'x'.repeat(10_000_000)}"}`);
  });

const many = (): Promise<string> =>
  new Promise((resolve) => {
    let closed = 0;
    for (let i = 0; i < 1_000; i += 1) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.on('close', () => {
        closed += 1;
        if (closed === 900) resolve('900 closed');
      });
      socket.resume();
      setTimeout(() => socket.destroy(), 3_000);
    }
  });

const deaf = (): Promise<string> =>
  new Promise((resolve) => {
    const body = '{"jsonrpc":"2.0","method":"list_rooms","id":1}';
    const head = `POST /mi HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
    for (let i = 0; i < 60; i += 1) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.pause();
      for (let again = 0; again < 5; again += 1) socket.write(`${head}\r\n\r\n${body}`);
      setTimeout(() => socket.destroy(), 3_000);
    }
    setTimeout(() => resolve('deaf'), 3_000);
  });

const answers = await Promise.all(Array.from({ length: 10 }, large));
process.stdout.write(`${JSON.stringify({ large: answers, many: await many(), deaf: await deaf() })}\n`);
