import * as TE from 'fp-ts/lib/TaskEither.js';
import { engineMetrics } from '../../../src/engine/metrics.ts';
import type { AppendFailure, EventStore } from '../../../src/ports/event-store.ts';
import { createMemoryStore } from '../../../src/store/memory.ts';
import { createNode, type NodeOptions, settle } from '../../engine/harness.ts';
import { readerOf, type Scene, type Story, story } from '../story.ts';
import type { Place } from './place.ts';

const onNode = (act: (node: ReturnType<typeof createNode>) => unknown, options: NodeOptions = {}): Scene => {
  const node = createNode(options);
  return { read: readerOf(engineMetrics, node.conference), act: () => act(node), end: node.stop };
};

const unavailable: AppendFailure = { kind: 'StoreUnavailable', message: 'away' };
const unknown: AppendFailure = { kind: 'OutcomeUnknown', message: 'no answer in time' };
const failing = (failure: AppendFailure) => (store: EventStore) => ({ ...store, append: () => TE.left(failure) });

/** Stories of commands and chat: on a running server, or on a node without sockets where the world has to go wrong. */
export const engineStories = ({ read, user, room }: Place): readonly Story[] => [
  story('commands_total{JoinRoom}', 'a user joins', async () => {
    const ann = await user('ann');
    return { read, act: () => ann.say(room(), '#join') };
  }),
  story('refusals_total{NotMember}', 'somebody else chats', async () => {
    const [ann, bob, chat] = [await user('ann'), await user('bob'), room()];
    await ann.say(chat, '#join');
    return { read, act: () => bob.say(chat, 'hello') };
  }),
  story('failures_total{StoreUnavailable}', 'a command while the log is away', () =>
    onNode((node) => node.say('alice', 'chat-1', '#join'), { wrap: failing(unavailable) }),
  ),
  story('chat_messages_total', 'a member chats', async () => {
    const [ann, chat] = [await user('ann'), room()];
    await ann.say(chat, '#join');
    return { read, act: () => ann.say(chat, 'hello') };
  }),
  story('announcements_total', 'a user joins, and the room is told', async () => {
    const [ann, bob, chat] = [await user('ann'), await user('bob'), room()];
    await ann.say(chat, '#join');
    return { read, act: () => bob.say(chat, '#join') };
  }),
  story('commands_repeated_total', 'a request comes again by another way', () =>
    onNode(async (node) => {
      const join = node.message('alice', 'chat-1', '#join');
      await node.give(join);
      await node.give(join);
    }),
  ),
  story('decisions_retried_total', 'another node was first', async () => {
    const store = createMemoryStore({ uuid: () => crypto.randomUUID() });
    const first = createNode({ store });
    await first.say('alice', 'chat-1', '#create chat-1');
    first.stop();
    return onNode((node) => node.say('bob', 'chat-1', '#create chat-1'), { store, following: false });
  }),
  story('commands_queued', 'a command waits for the log', () => {
    const never = (store: EventStore): EventStore => ({ ...store, append: () => () => new Promise(() => {}) });
    return onNode((node) => void node.say('alice', 'chat-1', '#join'), { wrap: never });
  }),
  story('append_duration_seconds', 'a room is created', async () => {
    const ann = await user('ann');
    return { read, act: () => ann.say(room(), '#join') };
  }),
  story('append_outcomes_unknown_total{unknown}', 'nobody knows whether an append was written', () =>
    onNode((node) => node.say('alice', 'chat-1', '#join'), { wrap: failing(unknown) }),
  ),
  story('append_outcomes_unknown_total{written}', 'it turns up in the log', () => {
    let write: (() => Promise<unknown>) | undefined;
    const wrap = (store: EventStore): EventStore => ({
      ...store,
      append: (...args) => {
        write = store.append(...args);
        return TE.left(unknown);
      },
    });
    const act = async (node: ReturnType<typeof createNode>): Promise<void> => {
      await node.say('alice', 'chat-1', '#join');
      await write?.();
      await settle();
    };
    return onNode(act, { wrap });
  }),
];
