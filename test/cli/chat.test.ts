import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import { runChat } from '../../src/cli/chat/session.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { randomIds } from '../../src/runtime/ids.ts';
import { member, roomUri } from '../room/scenario.ts';
import { freePort } from '../support/database-server.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const main = join(import.meta.dirname, '..', '..', 'src', 'cli.ts');

interface Session {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly said: { out: string; err: string };
  /** Resolves when stdout holds this text. */
  readonly hears: (text: string) => Promise<void>;
  readonly type: (line: string) => void;
  /** Ends the input; resolves with the exit code. */
  readonly leave: () => Promise<unknown>;
}

const chat = (...args: readonly string[]): Session => {
  const child = spawn(process.execPath, [main, 'chat', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  const said = { out: '', err: '' };
  const closed = once(child, 'close');
  let wake = (): void => {};
  child.stdout.on('data', (bytes) => {
    said.out += String(bytes);
    wake();
  });
  child.stderr.on('data', (bytes) => {
    said.err += String(bytes);
  });
  return {
    child,
    said,
    hears: async (text) => {
      const late = setTimeout(() => child.kill(), 20_000);
      while (!said.out.includes(text)) {
        assert.ok(
          child.exitCode === null && child.signalCode === null,
          `ended without ${text}: ${said.out} ${said.err}`,
        );
        await Promise.race([closed, new Promise<void>((done) => (wake = done))]);
      }
      clearTimeout(late);
    },
    type: (line) => void child.stdin.write(`${line}\n`),
    leave: async () => {
      child.stdin.end();
      return (await closed)[0];
    },
  };
};

describe('imcd chat', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.stop());
  const address = (transport: 'udp' | 'tcp' = 'udp'): string =>
    transport === 'udp' ? `sip:127.0.0.1:${server.udp}` : `sip:127.0.0.1:${server.tcp};transport=tcp`;
  const registeredAt = async (user: string): Promise<unknown> => {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const lines = [
      'REGISTER sip:localhost SIP/2.0',
      `Via: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK${user}${socket.address().port}`,
      `From: <sip:${user}@localhost>;tag=1`,
      `To: <sip:${user}@localhost>`,
      `Call-ID: ${user}${socket.address().port}`,
      'CSeq: 1 REGISTER',
    ];
    socket.send(`${lines.join('\r\n')}\r\n\r\n`, server.udp, '127.0.0.1');
    const [bytes] = await once(socket, 'message');
    socket.close();
    return /^Contact: (.*)\r$/m.exec(String(bytes))?.[1];
  };

  it('is a conversation: joins, sends each line, prints what comes as it is, unregisters', async () => {
    const alice = chat('sip:alice@localhost', 'chat-1', '--server', address());
    await alice.hears('*** room was created\n');
    const bob = chat('bob@localhost', 'chat-1', '--server', address('tcp'));
    await alice.hears('*** <sip:bob@localhost> has joined the room\n');
    await bob.hears('*** <sip:bob@localhost> has joined the room\n');
    bob.type('hi, it is bob');
    await alice.hears('<bob@localhost>: hi, it is bob\n');
    alice.type('hello \u00fcber \u{1F600}');
    await bob.hears('<alice@localhost>: hello \u00fcber \u{1F600}\n');
    bob.type('#list');
    await bob.hears('Members:\n*sip:alice@localhost\nsip:bob@localhost\n');
    assert.match(String(await registeredAt('alice')), /^<sip:alice@127\.0\.0\.1:\d+>;expires=/);
    assert.equal(await bob.leave(), 0);
    alice.type('/quit');
    assert.equal(await alice.leave(), 0);
    assert.equal(alice.said.err + bob.said.err, '');
    assert.equal(await registeredAt('alice'), undefined);
  });

  it('shows a refusal once, as a sentence, and goes on', async () => {
    const carol = chat('sip:carol@localhost', 'chat-2', '--server', address());
    await carol.hears('*** room was created\n');
    carol.type('#remove carol');
    carol.type('#nonsense');
    carol.type('#list');
    await carol.hears('Members:\n');
    assert.equal(await carol.leave(), 0);
    assert.equal(
      carol.said.err,
      "! The owner cannot be removed (403)\n! invalid command 'nonsense' - send '#help' for details (400)\n",
    );
    assert.doesNotMatch(carol.said.out, /cannot be removed|invalid command/);
  });

  it('sends the lines of a pipe, and waits for what they lead to', async () => {
    const dave = chat('sip:dave@localhost', 'chat-3', '--server', address());
    dave.type('one');
    dave.type('');
    dave.type('#list');
    assert.equal(await dave.leave(), 0);
    assert.equal(dave.said.out, '*** room was created\nMembers:\n*sip:dave@localhost\n');
  });

  it('completes commands at Tab on a terminal', async () => {
    const input = Object.assign(new PassThrough(), { isTTY: true });
    const output = Object.assign(new PassThrough(), { isTTY: true });
    let seen = '';
    output.on('data', (piece) => {
      seen += String(piece);
    });
    const shows = async (text: string): Promise<void> => {
      while (!seen.includes(text)) await once(output, 'data');
    };
    const ended = runChat(
      {
        clock: systemClock,
        ids: randomIds(),
        aor: member('sip:tabea@localhost'),
        room: roomUri('sip:chat-5@localhost'),
        server: { transport: 'udp', host: '127.0.0.1', port: server.udp },
        startChar: '#',
        password: undefined,
        product: 'imcd/test',
      },
      { input, output, errors: output },
    )();
    await shows('tabea> ');
    // A Tab within a longer piece is pasted, and stands for itself.
    for (const piece of ['#mem', '\t', '\r']) input.write(piece);
    await shows('Members:\n*sip:tabea@localhost\n');
    input.write('\x04');
    assert.deepEqual(await ended, E.right(0));
    assert.ok(seen.includes('#members '), seen);
  });

  it('does not let a stranger write control characters to the terminal', async () => {
    const eve = chat('sip:eve@localhost', 'chat-4', '--server', address());
    await eve.hears('*** room was created\n');
    const mallory = chat('sip:mallory@localhost', 'chat-4', '--server', address());
    await mallory.hears('has joined');
    mallory.type('\u001b[2Jgone\u0007');
    await eve.hears('gone');
    assert.ok(eve.said.out.includes('<mallory@localhost>: \\x1b[2Jgone\\x07\n'));
    assert.deepEqual([await mallory.leave(), await eve.leave()], [0, 0]);
  });

  it('says so at once where no server is, where it does not let one in, and where the arguments are wrong', async () => {
    const port = await freePort();
    const from = Date.now();
    const nobody = chat('sip:a@localhost', 'chat-1', '--server', `sip:127.0.0.1:${port}`);
    assert.equal(await nobody.leave(), 1);
    assert.match(
      nobody.said.err,
      new RegExp(`^imcd chat: no answer from udp:127\\.0\\.0\\.1:${port} .*Does imcd run there`),
    );
    assert.ok(Date.now() - from < 5_000);
    // The kernel lets no socket send there that has not asked to broadcast.
    const noWay = chat('sip:a@localhost', 'chat-1', '--server', 'sip:255.255.255.255');
    assert.equal(await noWay.leave(), 1);
    assert.match(noWay.said.err, /^imcd: There is no way to 255\.255\.255\.255: .*EACCES.*\n$/);
    const stranger = chat('sip:a@example.org', 'chat-1', '--server', address());
    assert.equal(await stranger.leave(), 1);
    assert.match(stranger.said.err, /does not register sip:a@example\.org: .*\(404\)/);
    const noRoom = chat('sip:a@localhost', 'lobby', '--server', address());
    assert.equal(await noRoom.leave(), 1);
    assert.match(noRoom.said.err, /\(404\)\n.*could not be joined/);
    for (const args of [
      ['sip:a', 'chat-1'],
      ['a@localhost', 'chat 1@@'],
      ['sip:a@localhost', 'chat-1', '--server', 'http://localhost/'],
    ]) {
      const wrong = chat(...args);
      assert.equal(await wrong.leave(), 2, wrong.said.err);
      assert.match(wrong.said.err, /^imcd: .*Write /);
    }
  });
});

describe('imcd chat at a server that asks for a password', () => {
  const folder = mkdtempSync(join(tmpdir(), 'imcd-chat-'));
  let socket: Socket;
  const authorized: boolean[] = [];
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
  before(async () => {
    socket = createSocket('udp4', (bytes, from) => {
      const request = bytes.toString();
      const [, method = '', uri = ''] = /^(\S+) (\S+) SIP/.exec(request) ?? [];
      if (method === '') return;
      const value = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(request)?.[1] ?? '';
      const secret = md5('alice:here:open sesame');
      const expected = md5(`${secret}:n1:00000001:${value('cnonce')}:auth:${md5(`${method}:${uri}`)}`);
      const known = value('response') === expected;
      authorized.push(known);
      const echoed = request.split('\r\n').filter((line) => /^(Via|From|To|Call-ID|CSeq|Contact):/.test(line));
      const status = known ? '200 OK' : '401 Unauthorized';
      const challenge = known ? [] : ['WWW-Authenticate: Digest realm="here", nonce="n1", qop="auth"'];
      const text = [`SIP/2.0 ${status}`, ...echoed, ...challenge, 'Content-Length: 0', '', ''].join('\r\n');
      socket.send(text, from.port, from.address);
    });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
  });
  after(() => {
    socket.close();
    rmSync(folder, { recursive: true });
  });

  it('answers with the one in the file, and says what is missing without it', async () => {
    const file = join(folder, 'password');
    writeFileSync(file, 'open sesame\n');
    const server = `sip:127.0.0.1:${socket.address().port}`;
    const without = chat('sip:alice@localhost', 'chat-1', '--server', server);
    assert.equal(await without.leave(), 1);
    assert.match(without.said.err, /asks for a password\. Name a file that holds it with --password-file/);
    authorized.length = 0;
    const alice = chat('sip:alice@localhost', 'chat-1', '--server', server, '--password-file', file);
    assert.equal(await alice.leave(), 0, alice.said.err);
    // REGISTER, #join and the REGISTER that ends it, each refused once and then let in.
    assert.deepEqual(authorized, [false, true, false, true, false, true]);
    const missing = chat('sip:alice@localhost', 'chat-1', '--server', server, '--password-file', join(folder, 'none'));
    assert.equal(await missing.leave(), 2);
    assert.match(missing.said.err, /The password file cannot be read/);
  });
});
