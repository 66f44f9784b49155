import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { StoreFailure } from '../../src/ports/event-store.ts';
import { recipientsIn } from '../support/world.ts';
import { createNode, settle } from './harness.ts';

/** A node whose log can be made to fail, with an invitation of dave by alice under way. */
const invited = async () => {
  const log: { failure: StoreFailure | undefined; tries: number } = { failure: undefined, tries: 0 };
  const node = createNode({
    wrap: (store) => ({
      ...store,
      append: (...args) => {
        log.tries += 1;
        return log.failure === undefined ? store.append(...args) : TE.left(log.failure);
      },
    }),
  });
  await node.say('alice', 'chat-1', '#join');
  await node.say('alice', 'chat-1', '#invite dave');
  const invitation = node.courier.sent.at(-1);
  log.tries = 0;
  return {
    node,
    log,
    fail: async () => {
      invitation?.onDelivery?.(recipientsIn(invitation)[0] ?? assert.fail(), { kind: 'failed', reason: '404' });
      node.clock.advance(0);
      await settle();
    },
    second: async () => {
      node.clock.advance(1_000);
      await settle();
    },
  };
};

describe('the withdrawal of an invitation', () => {
  it('is tried again each second while the log is away, and is announced in the end', async () => {
    const { node, log, fail, second } = await invited();
    log.failure = { kind: 'StoreUnavailable', message: 'away' };
    await fail();
    for (let tries = 2; tries < 5; tries += 1) await second();
    assert.equal(log.tries, 4);
    assert.equal((await node.events('chat-1')).at(-1), 'MemberInvited');
    log.failure = undefined;
    await second();
    assert.equal((await node.events('chat-1')).at(-1), 'InvitationWithdrawn');
    assert.equal(node.courier.texts().at(-1), 'alice: dave@a.org is not registered. ');
    await second();
    assert.equal(log.tries, 5);
  });

  it('is given up after ten minutes without a log, aloud', async () => {
    const { node, log, fail, second } = await invited();
    log.failure = { kind: 'StoreUnavailable', message: 'away' };
    await fail();
    for (let tries = 0; tries < 700; tries += 1) await second();
    assert.equal(log.tries, 601);
    assert.ok(node.log.lines.some(({ level, message }) => level === 'error' && /stays pending/.test(message)));
  });

  it('ends with the server: a log that is closed is not tried again', async () => {
    const { log, fail, second } = await invited();
    log.failure = { kind: 'StoreClosed', message: 'closed' };
    await fail();
    await second();
    assert.equal(log.tries, 1);
  });

  it('is dropped where the room is gone', async () => {
    const { node, fail, log } = await invited();
    await node.say('alice', 'chat-1', '#destroy');
    log.tries = 0;
    await fail();
    assert.equal(log.tries, 0);
    assert.equal((await node.events('chat-1')).at(-1), 'RoomDestroyed');
  });
});
