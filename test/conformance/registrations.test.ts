import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openUser, type ServedAt, type SipUser } from '../support/sip-client.ts';

describe('registrations', () => {
  const data = mkdtempSync(join(tmpdir(), 'imcd-registrations-'));
  const users: SipUser[] = [];
  const servers: TestServer[] = [];
  after(async () => {
    for (const user of users) user.close();
    for (const server of servers) await server.stop();
    rmSync(data, { recursive: true, force: true });
  });
  const start = async (): Promise<{ server: TestServer; place: ServedAt }> => {
    const server = await startTestServer({ data });
    servers.push(server);
    return { server, place: { host: '127.0.0.1', port: server.udp, domain: 'localhost' } };
  };
  const enter = async (place: ServedAt, name: string): Promise<SipUser> => {
    const user = await openUser(place, name);
    users.push(user);
    return user;
  };

  it('that were answered 200 survive kill -9, and so do rooms: copies find their devices without a new REGISTER', async () => {
    const first = await start();
    const many = await Promise.all(Array.from({ length: 20 }, (_, i) => enter(first.place, `u${i}`)));
    for (const user of many) assert.equal((await user.say('sip:chat-1@localhost', '#join')).status, 200);
    await first.server.kill();
    const second = await start();
    const late = await enter(second.place, 'late');
    assert.equal((await late.say('sip:chat-1@localhost', '#join')).status, 200);
    // Before it: what the first server still sent.
    for (const user of many)
      for (let text = ''; text !== '*** <sip:late@localhost> has joined the room'; ) text = await user.hears();
  });

  it('reach each device of a user', async () => {
    const place: ServedAt = { host: '127.0.0.1', port: servers.at(-1)?.udp ?? 0, domain: 'localhost' };
    const [one, two] = [await enter(place, 'twice'), await enter(place, 'twice')];
    assert.equal((await one.say('sip:chat-2@localhost', '#join')).status, 200);
    for (const device of [one, two]) assert.equal(await device.hears(), '*** room was created');
  });
});
