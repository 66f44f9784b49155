import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { LogLine } from '../support/server.ts';
import type { SipUser } from '../support/sip-client.ts';
import { openWorld, type World } from './place.ts';

/** What issue 3 says of bad input: the process lives, other clients see no delay over 50 ms, memory stays bounded. */

const own = process.env.CONFORMANCE_SERVER === undefined ? {} : { skip: 'looks into a server of its own' };

describe('bad input', own, () => {
  let world: World;
  let watcher: SipUser;
  let attacker: SipUser;
  before(async () => {
    world = await openWorld(['--trusted', '127.0.0.0/8']);
    watcher = await world.user('watcher');
    attacker = await world.user('attacker');
  });
  after(() => world.close());

  const pid = (): number => world.server?.pid ?? assert.fail();
  const residentMb = (): number =>
    Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid()}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1_024;

  const ping = async (): Promise<number> => {
    const from = performance.now();
    const { status } = await watcher.request({ method: 'OPTIONS', uri: `sip:${world.place.domain}` });
    assert.equal(status, 200);
    return performance.now() - from;
  };

  const medianOf = (times: readonly number[]): number =>
    times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
  const calmTimes = async (): Promise<readonly number[]> => {
    const times: number[] = [];
    for (let i = 0; i < 10; i += 1) times.push(await ping());
    return times;
  };

  /**
   * Round trips of another client while `attack` runs: half of them must be quick. What the machine does besides shows in the
   * round trips before and after: where those are slow, the others may be.
   */
  const during = async (attack: () => Promise<void>): Promise<void> => {
    const before = await calmTimes();
    let over = false;
    const running = attack().finally(() => {
      over = true;
    });
    const times: number[] = [];
    while (!over || times.length < 10) {
      times.push(await ping());
      await pause(5);
    }
    await running;
    const calm = medianOf([...before, ...(await calmTimes())]);
    const median = medianOf(times);
    const said = `the median of ${times.length} round trips is ${median.toFixed(1)} ms, in calm ${calm.toFixed(1)} ms`;
    assert.ok(median < Math.max(50, 5 * calm), said);
    const memory = residentMb();
    assert.ok(memory < 300, `${memory.toFixed(0)} MB resident`);
  };

  /** Log lines behind the first `seen`: they come by a pipe, so perhaps a moment later than the answer. */
  const logLines = async (seen: number, wanted: (line: LogLine) => boolean): Promise<readonly LogLine[]> => {
    const { lines, line, signal } = world.server ?? assert.fail();
    await line((one) => wanted(one) && lines.indexOf(one) >= seen);
    // All lines until now are here when one that is made now is.
    await ping();
    const until = lines.length;
    signal('SIGHUP');
    await line((one) => /reloaded/.test(one.msg) && lines.indexOf(one) >= until);
    return lines.slice(seen).filter(wanted);
  };

  const head = (more: readonly string[], length = 5): string =>
    [
      'MESSAGE sip:chat-1@localhost SIP/2.0',
      `Via: SIP/2.0/UDP 127.0.0.1:${attacker.port};branch=z9hG4bKbad${Math.random()}`,
      `From: <${attacker.aor}>;tag=1`,
      'To: <sip:chat-1@localhost>',
      `Call-ID: ${Math.random()}`,
      'CSeq: 1 MESSAGE',
      `Content-Length: ${length}`,
      ...more,
    ].join('\r\n');

  it('Content-Length that lies: 400 with the reason, logged once with its source', async () => {
    const seen = world.server?.lines.length ?? 0;
    const reply = await attacker.request({
      uri: 'sip:chat-1@localhost',
      body: 'hello',
      headers: { 'Content-Length': '500' },
    });
    assert.equal(reply.status, 400);
    assert.match(reply.reason, /Content-Length says 500, the body has 5/);
    const callId = reply.headers['call-id'];
    const logged = await logLines(seen, (line) => line.callId === callId);
    assert.equal(logged.length, 1, JSON.stringify(logged));
    assert.equal(logged[0]?.source, `udp:127.0.0.1:${attacker.port}`);
  });

  it('garbage datagrams, 5,000 of them', async () => {
    const seen = world.server?.lines.length ?? 0;
    await during(async () => {
      for (let i = 0; i < 5_000; i += 1) {
        attacker.raw(Buffer.from(Array.from({ length: 200 }, (_, at) => (at * 31 + i * 17) & 0xff)));
        if (i % 100 === 99) await pause(2);
      }
    });
    const logged = await logLines(seen, ({ msg }) => msg === 'message cannot be answered');
    assert.ok(logged.length > 0 && logged.length <= 100, `${logged.length} lines`);
    assert.equal(logged[0]?.source, `udp:127.0.0.1:${attacker.port}`);
  });

  it('header lines of 60 KiB built to make expressions slow, in every header', async () => {
    const evil = ['a '.repeat(30_000), '"'.repeat(60_000), '<'.repeat(60_000), ' '.repeat(60_000), ';a'.repeat(30_000)];
    await during(async () => {
      for (const header of ['Contact', 'From', 'Via', 'Route', 'Subject', 'Require', 'Content-Type', 'Authorization'])
        for (const value of evil) {
          attacker.raw(`${head([`${header}: ${value}x`])}\r\n\r\nhello`);
          await pause(2);
        }
    });
  });

  it('header lines just within the limit, 500 of them', async () => {
    await during(async () => {
      for (let i = 0; i < 500; i += 1) {
        attacker.raw(`${head([`Contact: ${'a '.repeat(4_000)}`, `Route: ${'<sip:a@b>,'.repeat(700)}`])}\r\n\r\nhello`);
        if (i % 10 === 9) await pause(2);
      }
    });
  });

  it('64 KiB of header', async () => {
    await during(async () => {
      for (let i = 0; i < 50; i += 1) {
        attacker.raw(`${head(Array.from({ length: 6_000 }, () => 'X: yyyy'))}\r\n\r\nhello`);
        await pause(2);
      }
    });
  });

  it('half a request on 200 TCP connections, then silence; and one that sends without an end', async () => {
    const sockets: Socket[] = [];
    await during(async () => {
      for (let i = 0; i < 200; i += 1) {
        const socket = connect(world.server?.tcp ?? 0, '127.0.0.1', () => socket.write(head(['Subject: half a requ'])));
        socket.on('error', () => {});
        sockets.push(socket);
        if (i % 20 === 19) await pause(5);
      }
      const endless = connect(world.server?.tcp ?? 0, '127.0.0.1');
      endless.on('error', () => {});
      sockets.push(endless);
      for (let i = 0; i < 100 && !endless.destroyed; i += 1) {
        endless.write(`X-Endless: ${'y'.repeat(60_000)}\r\n`);
        await pause(2);
      }
    });
    for (const socket of sockets) socket.destroy();
  });

  it('members at addresses that cannot be sent to: failed deliveries, no crash', async () => {
    const room = world.room();
    const owner = await world.user('owner');
    assert.equal((await owner.say(room, '#join')).status, 200);
    await owner.hears();
    for (const host of ['240.0.0.1', '255.255.255.255', '0.0.0.0', '[2001:db8::1]', 'no-such-host.invalid']) {
      assert.equal((await owner.say(room, `#add x@${host}`)).status, 200, host);
      assert.match(await owner.hears(), /has joined the room$/);
    }
    await during(async () => {
      for (let i = 0; i < 20; i += 1) assert.equal((await owner.say(room, `message ${i}`)).status, 200);
    });
  });

  it('an absurd contact is a failed delivery too', async () => {
    const room = world.room();
    const owner = await world.user('owner');
    const eve = await world.user('eve');
    for (const user of [owner, eve]) assert.equal((await user.say(room, '#join')).status, 200);
    const registered = await eve.request({
      method: 'REGISTER',
      uri: 'sip:localhost',
      to: eve.aor,
      headers: { Contact: '<sip:eve@240.0.0.1:1>, <sip:eve@[::1]:2>, <sip:eve@no-such-host.invalid>, <sips:eve@h>' },
    });
    assert.equal(registered.status, 200);
    await during(async () => {
      assert.equal((await owner.say(room, 'hello')).status, 200);
    });
  });
});
