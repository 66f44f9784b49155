import type { Outgoing } from '../../../src/ports/courier.ts';
import { fanOutMetrics } from '../../../src/sip/fan-out/metrics.ts';
import { transactionMetrics } from '../../../src/sip/transaction/metrics.ts';
import { ServerTransactions } from '../../../src/sip/transaction/server.ts';
import { type FanOutWorld, fanOutWorld, member } from '../../sip/support/fan-out-world.ts';
import { countingIds } from '../../support/world.ts';
import { readerOf, type Scene, type Story, story } from '../story.ts';
import type { Place } from './place.ts';

const outboundProxy = 'sip:192.0.2.9:5070';

const outgoing = (body = 'hello'): Outgoing => ({
  from: 'sip:chat-1@imc.test',
  recipients: [member('sip:bob@imc.test')],
  contentType: 'text/plain',
  body: Buffer.from(body),
});

/** A fan-out whose network and time are in the story's hand. */
const inWorld = (act: (world: FanOutWorld) => void, metrics: 'fan-out' | 'transactions' = 'fan-out'): Scene => {
  const world = fanOutWorld({ outboundProxy });
  const server = new ServerTransactions({ clock: world.clock, ids: countingIds(), product: '', send: () => {} });
  const read =
    metrics === 'fan-out'
      ? readerOf(fanOutMetrics, world.courier)
      : readerOf(transactionMetrics, {
          server: server.counters,
          client: world.transactions.counters,
          depths: () => ({ serverPending: 0, serverKept: 0, clientPending: world.transactions.pending() }),
        });
  return { read, act: () => act(world) };
};

const send = (world: FanOutWorld, body?: string): void => {
  world.courier.send(outgoing(body));
  world.turn();
};

/** Stories of copies. */
export const fanOutStories = ({ read, user, room }: Place): readonly Story[] => {
  const chat = async (): Promise<Scene> => {
    const [ann, bob, chat] = [await user('ann'), await user('bob'), room()];
    await ann.say(chat, '#join');
    await bob.say(chat, '#join');
    return { read, act: () => ann.say(chat, 'hello') };
  };
  return [
    story('copies_sent_total', 'a member chats', chat),
    story('copies_delivered_total', 'a member chats, and another answers 200', chat),
    story('copies_failed_total{486}', 'a member answers 486', async () => {
      const [ann, bob, chat] = [await user('ann'), await user('bob'), room()];
      await ann.say(chat, '#join');
      await bob.say(chat, '#join');
      bob.answerWith = '486 Busy Here';
      return { read, act: () => ann.say(chat, 'hello') };
    }),
    story('copies_failed_total{timeout}', 'nobody answers for 64*T1', () =>
      inWorld((world) => {
        send(world);
        world.advance(33_000);
      }),
    ),
    story('copies_retransmitted_total', 'nobody answers for a second', () =>
      inWorld((world) => {
        send(world);
        world.advance(1_000);
      }, 'transactions'),
    ),
    story('copies_spared_total', 'many copies wait for a destination that has fallen silent', () =>
      inWorld((world) => {
        for (let i = 0; i < 200; i += 1) world.courier.send(outgoing());
        world.turn();
        world.advance(10_000);
      }),
    ),
    story('copies_large_total{tcp}', 'a body of 2,000 bytes', () => inWorld((world) => send(world, 'x'.repeat(2_000)))),
    story('copies_large_total{udp}', 'a body of 2,000 bytes, and TCP is refused', () =>
      inWorld((world) => {
        world.network.fails = ({ transport }) => (transport === 'tcp' ? 'refused' : undefined);
        send(world, 'x'.repeat(2_000));
      }),
    ),
    story('copies_queued', 'more copies than leave in one turn', () =>
      inWorld((world) => {
        for (let i = 0; i < 200; i += 1) world.courier.send(outgoing());
      }),
    ),
  ];
};
