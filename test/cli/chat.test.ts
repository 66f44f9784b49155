import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import { runChat } from '../../src/cli/chat/session.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { randomIds } from '../../src/runtime/ids.ts';
import { member, roomUri } from '../room/scenario.ts';
import { freePort } from '../support/database-server.ts';
import { type RunningImcd, startImcd } from '../support/imcd.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { type Message, openSipClient, type SipClient } from '../support/sip-client.ts';

interface Session extends RunningImcd {
  /** Resolves when stdout holds this text. */
  readonly shows: (text: string) => Promise<void>;
}

const chat = (...args: readonly string[]): Session => {
  const session = startImcd(['chat', ...args]);
  return { ...session, shows: (text) => session.hears((out) => out.includes(text)) };
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
    const client = await openSipClient({ server: { host: '127.0.0.1', port: server.udp } });
    const [uri, aor] = ['sip:localhost', `sip:${user}@localhost`];
    const { headers } = await client.request({ method: 'REGISTER', uri, to: aor, from: aor });
    client.close();
    return headers.contact;
  };

  it('is a conversation: joins, sends each line, prints what comes as it is, unregisters', async () => {
    const alice = chat('sip:alice@localhost', 'chat-1', '--server', address());
    await alice.shows('*** room was created\n');
    const bob = chat('bob@localhost', 'chat-1', '--server', address('tcp'));
    await alice.shows('*** <sip:bob@localhost> has joined the room\n');
    await bob.shows('*** <sip:bob@localhost> has joined the room\n');
    bob.type('hi, it is bob');
    await alice.shows('<bob@localhost>: hi, it is bob\n');
    alice.type('hello \u00fcber \u{1F600}');
    await bob.shows('<alice@localhost>: hello \u00fcber \u{1F600}\n');
    bob.type('#list');
    await bob.shows('Members:\n*sip:alice@localhost\nsip:bob@localhost\n');
    assert.match(String(await registeredAt('alice')), /^<sip:alice@127\.0\.0\.1:\d+>;expires=/);
    assert.equal((await bob.leave()).code, 0);
    alice.type('/quit');
    assert.equal((await alice.leave()).code, 0);
    assert.equal(alice.said.err + bob.said.err, '');
    assert.equal(await registeredAt('alice'), undefined);
  });

  it('shows a refusal once, as a sentence, and goes on', async () => {
    const carol = chat('sip:carol@localhost', 'chat-2', '--server', address());
    await carol.shows('*** room was created\n');
    carol.type('#remove carol');
    carol.type('#nonsense');
    carol.type('#list');
    await carol.shows('Members:\n');
    assert.equal((await carol.leave()).code, 0);
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
    assert.equal((await dave.leave()).code, 0);
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
    await eve.shows('*** room was created\n');
    const mallory = chat('sip:mallory@localhost', 'chat-4', '--server', address());
    await mallory.shows('has joined');
    mallory.type('\u001b[2Jgone\u0007');
    await eve.shows('gone');
    assert.ok(eve.said.out.includes('<mallory@localhost>: \\x1b[2Jgone\\x07\n'));
    assert.deepEqual([(await mallory.leave()).code, (await eve.leave()).code], [0, 0]);
  });

  it('says so at once where no server is, where it does not let one in, and where the arguments are wrong', async () => {
    const port = await freePort();
    const nobody = chat('sip:a@localhost', 'chat-1', '--server', `sip:127.0.0.1:${port}`);
    assert.equal((await nobody.leave()).code, 1);
    assert.match(
      nobody.said.err,
      new RegExp(`^imcd chat: no answer from udp:127\\.0\\.0\\.1:${port} .*Does imcd run there`),
    );
    assert.doesNotMatch(nobody.said.err, /s passed/, 'by what the network says, and not by waiting');
    // The kernel lets no socket send there that has not asked to broadcast.
    const noWay = chat('sip:a@localhost', 'chat-1', '--server', 'sip:255.255.255.255');
    assert.equal((await noWay.leave()).code, 1);
    assert.match(noWay.said.err, /^imcd: There is no way to 255\.255\.255\.255: .*EACCES.*\n$/);
    const stranger = chat('sip:a@example.org', 'chat-1', '--server', address());
    assert.equal((await stranger.leave()).code, 1);
    assert.match(stranger.said.err, /does not register sip:a@example\.org: .*\(404\)/);
    const noRoom = chat('sip:a@localhost', 'lobby', '--server', address());
    assert.equal((await noRoom.leave()).code, 1);
    assert.match(noRoom.said.err, /\(404\)\n.*could not be joined/);
    for (const args of [
      ['sip:a', 'chat-1'],
      ['a@localhost', 'chat 1@@'],
      ['sip:a@localhost', 'chat-1', '--server', 'http://localhost/'],
    ]) {
      const wrong = chat(...args);
      assert.equal((await wrong.leave()).code, 2, wrong.said.err);
      assert.match(wrong.said.err, /^imcd: .*Write /);
    }
  });
});

describe('imcd chat at a server that asks for a password', () => {
  const folder = mkdtempSync(join(tmpdir(), 'imcd-chat-'));
  let registrar: SipClient;
  const authorized: boolean[] = [];
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
  const answerWith = ({ start, headers }: Message): string => {
    const [method = '', uri = ''] = start.split(' ');
    const value = (name: string): string =>
      new RegExp(`${name}="([^"]*)"`).exec(headers.authorization ?? '')?.[1] ?? '';
    const secret = md5('alice:here:open sesame');
    const expected = md5(`${secret}:n1:00000001:${value('cnonce')}:auth:${md5(`${method}:${uri}`)}`);
    const known = value('response') === expected;
    authorized.push(known);
    if (!known) return '401 Unauthorized\r\nWWW-Authenticate: Digest realm="here", nonce="n1", qop="auth"';
    return headers.contact === undefined ? '200 OK' : `200 OK\r\nContact: ${headers.contact}`;
  };
  before(async () => {
    registrar = await openSipClient({ answerWith });
  });
  after(() => {
    registrar.close();
    rmSync(folder, { recursive: true });
  });

  it('answers with the one in the file, and says what is missing without it', async () => {
    const file = join(folder, 'password');
    writeFileSync(file, 'open sesame\n');
    const server = `sip:127.0.0.1:${registrar.port}`;
    const without = chat('sip:alice@localhost', 'chat-1', '--server', server);
    assert.equal((await without.leave()).code, 1);
    assert.match(without.said.err, /asks for a password\. Name a file that holds it with --password-file/);
    authorized.length = 0;
    const alice = chat('sip:alice@localhost', 'chat-1', '--server', server, '--password-file', file);
    assert.equal((await alice.leave()).code, 0, alice.said.err);
    // REGISTER, #join and the REGISTER that ends it, each refused once and then let in.
    assert.deepEqual(authorized, [false, true, false, true, false, true]);
    const missing = chat('sip:alice@localhost', 'chat-1', '--server', server, '--password-file', join(folder, 'none'));
    assert.equal((await missing.leave()).code, 2);
    assert.match(missing.said.err, /The password file cannot be read/);
  });
});
