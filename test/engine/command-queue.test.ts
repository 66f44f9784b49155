import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Answer } from '../../src/engine/conference.ts';
import { createNode } from './harness.ts';

const done = { kind: 'done' };

describe('a defect', () => {
  it('costs the commands of its batch, and neither the next ones nor the process', async () => {
    let broken = true;
    const node = createNode({
      wrap: (store) => ({
        ...store,
        append: (...args) => {
          if (broken) throw new TypeError('no such thing');
          return store.append(...args);
        },
      }),
    });
    const answers = await Promise.all([node.say('alice', 'chat-1', '#join'), node.say('bob', 'chat-1', '#join')]);
    for (const answer of answers) assert.equal(answer.kind === 'failed' && answer.failure.kind, 'Defect');
    assert.equal(node.conference.counters.failures.Defect, 2);
    assert.ok(
      node.log.lines.some(({ level, message }) => level === 'error' && /a batch of commands broke/.test(message)),
    );
    broken = false;
    assert.deepEqual(await node.say('alice', 'chat-1', '#join'), done);
    await node.conference.idle();
    assert.equal(node.conference.queued(), 0);
  });

  it('in the answer of one command keeps no other of its batch from its own', async () => {
    const node = createNode();
    const answers: Answer[] = [];
    const last = Promise.withResolvers<void>();
    await node.say('alice', 'chat-1', '#join');
    // The first is a batch of its own; the two behind it go together.
    void node.say('bob', 'chat-1', '#join');
    node.conference.message(node.message('carol', 'chat-1', '#join'), () => {
      throw new TypeError('no way back');
    });
    node.conference.message(node.message('dave', 'chat-1', '#join'), (answer) => {
      answers.push(answer);
      last.resolve();
    });
    await last.promise;
    assert.deepEqual(answers, [done]);
    await node.conference.idle();
    assert.ok(node.log.lines.some(({ level, message }) => level === 'error' && /could not be answered/.test(message)));
    assert.deepEqual(await node.events('chat-1'), ['RoomCreated', 'MemberJoined', 'MemberJoined', 'MemberJoined']);
  });
});
