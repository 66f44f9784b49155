import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { systemClock } from '../../../src/runtime/clock.ts';
import { openLocation } from '../../../src/sip/registrar/location.ts';
import { dispatchMetrics } from '../../../src/sip/server/metrics.ts';
import { createSipStack } from '../../../src/sip/stack.ts';
import { ok } from '../../../src/sip/transaction/answer.ts';
import { ClientTransactions } from '../../../src/sip/transaction/client.ts';
import { transactionMetrics } from '../../../src/sip/transaction/metrics.ts';
import { type ServerTransaction, ServerTransactions } from '../../../src/sip/transaction/server.ts';
import { transportMetrics } from '../../../src/sip/transport/metrics.ts';
import { createTcp } from '../../../src/sip/transport/tcp/tcp.ts';
import { request, requestText, udpSource } from '../../sip/support/requests.ts';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { countingIds, quiet } from '../../support/world.ts';
import { readerOf, type Scene, type Story, story } from '../story.ts';
import type { Place } from './place.ts';

/** Transactions of both kinds, their network and time in the story's hand. */
interface Transactions {
  readonly clock: FakeClock;
  readonly server: ServerTransactions;
  readonly client: ClientTransactions;
  /** Answers do not leave. */
  broken: boolean;
}

const nobody = { transmit: () => true, answered: () => {}, failed: () => {} };

const inTransactions = (act: (world: Transactions) => unknown): Scene => {
  const clock = createFakeClock();
  const ids = countingIds();
  const send = (_: unknown, __: unknown, onFailure: (reason: string) => void): void => {
    if (world.broken) onFailure('closed');
  };
  const world: Transactions = {
    clock,
    broken: false,
    client: new ClientTransactions({ clock, ids, limit: 2 }),
    server: new ServerTransactions({ clock, ids, product: 'imcd/test', send, limit: 2 }),
  };
  const { server, client } = world;
  const depths = () => ({
    serverPending: server.pending(),
    serverKept: server.kept(),
    clientPending: client.pending(),
  });
  const counted = { server: server.counters, client: client.counters, depths };
  return { read: readerOf(transactionMetrics, counted), act: () => act(world) };
};

/** Begins the transaction of a request, the `n`th. */
const begin = ({ server }: Transactions, n = 1): ServerTransaction | undefined => {
  const with_ = { 'Call-ID': `call${n}`, CSeq: '1 MESSAGE' };
  const begun = server.begin(request({ branch: `z9hG4bK${n}`, with: with_ }), udpSource());
  return typeof begun === 'string' ? undefined : begun;
};

const transactionStories: readonly Story[] = [
  story('sip_requests_again_total{absorbed}', 'a request comes again before its answer', () =>
    inTransactions((world) => [begin(world), begin(world)]),
  ),
  story('sip_requests_again_total{answered}', 'a request comes again after its answer', () =>
    inTransactions((world) => [begin(world)?.answer(ok), begin(world)]),
  ),
  story('sip_requests_again_total{merged}', 'a request comes by two ways', () =>
    inTransactions(({ server }) => {
      server.begin(request({ branch: 'z9hG4bKone' }), udpSource());
      server.begin(request({ branch: 'z9hG4bKother' }), udpSource());
    }),
  ),
  story('sip_answers_lost_total{unsent}', 'the network does not take an answer', () =>
    inTransactions((world) => {
      world.broken = true;
      begin(world)?.answer(ok);
    }),
  ),
  story('sip_answers_lost_total{late}', 'an answer comes after 33 s', () =>
    inTransactions((world) => {
      const transaction = begin(world);
      world.clock.advance(33_000);
      transaction?.answer(ok);
    }),
  ),
  story('sip_rejected_total{server}', 'a request more than the table holds', () =>
    inTransactions((world) => [1, 2, 3].map((n) => begin(world, n))),
  ),
  story('sip_rejected_total{client}', 'a copy more than the table holds', () =>
    inTransactions(({ client }) => [1, 2, 3].map(() => client.start(nobody, true))),
  ),
  story('sip_timeouts_total', 'nobody answers for 64*T1', () =>
    inTransactions(({ client, clock }) => {
      client.start(nobody, true);
      clock.advance(33_000);
    }),
  ),
  story('sip_transactions{server_pending}', 'a request is worked on', () => inTransactions((world) => begin(world))),
  story('sip_transactions{server_kept}', 'a request is answered', () =>
    inTransactions((world) => begin(world)?.answer(ok)),
  ),
  story('sip_transactions{client}', 'a copy is under way', () =>
    inTransactions(({ client }) => client.start(nobody, true)),
  ),
];

/** Stories of requests, answers and what is neither. */
export const sipStories = (place: Place): readonly Story[] => {
  const { read, user, server } = place;
  const raw = (bytes: () => string) => async (): Promise<Scene> => {
    const ann = await user('ann');
    return { read, act: () => ann.raw(bytes()) };
  };
  return [
    ...transactionStories,
    story(
      'sip_requests_total',
      'OPTIONS',
      raw(() => requestText({ method: 'OPTIONS', uri: 'sip:localhost' })),
    ),
    story('sip_answers_total{OPTIONS 200}', 'OPTIONS', async () => {
      const ann = await user('ann');
      return { read, act: () => ann.request({ method: 'OPTIONS', uri: 'sip:localhost' }) };
    }),
    story(
      'sip_stray_responses_total',
      'an answer that nobody waits for',
      raw(() => 'SIP/2.0 200 OK\r\n\r\n'),
    ),
    story(
      'sip_malformed_total{answered}',
      'a Content-Length that is not the body’s',
      raw(() => requestText({ with: { 'Content-Length': '99' } })),
    ),
    story(
      'sip_malformed_total{garbage}',
      'bytes that are no SIP',
      raw(() => 'garbage'),
    ),
    story(
      'sip_keep_alives_total',
      'a keep-alive',
      raw(() => '\r\n\r\n'),
    ),
    story('sip_log_lines_suppressed_total', 'a flood of bytes that are no SIP', async () => {
      const ann = await user('ann');
      const act = (): void => {
        for (let i = 0; i < 100; i += 1) ann.raw(`garbage ${i}`);
      };
      return { read, act };
    }),
    story(
      'transport_received_total{udp}',
      'a datagram',
      raw(() => 'garbage'),
    ),
    story('transport_sent_total{udp}', 'OPTIONS is answered', async () => {
      const ann = await user('ann');
      return { read, act: () => ann.request({ method: 'OPTIONS', uri: 'sip:localhost' }) };
    }),
    ...['received_total{tcp}', 'sent_total{tcp}', 'connections{tcp}'].map((series) =>
      story(`transport_${series}`, 'OPTIONS over ten connections', () => {
        const sockets: Socket[] = [];
        const via = { Via: 'SIP/2.0/TCP h;branch=z9hG4bKt' };
        const text = requestText({ method: 'OPTIONS', uri: 'sip:localhost', with: via });
        const act = (): void => {
          for (let i = 0; i < 10; i += 1) sockets.push(connect(server.tcp, '127.0.0.1'));
          for (const socket of sockets) socket.write(text);
        };
        return { read, act, end: () => sockets.map((socket) => socket.destroy()) };
      }),
    ),
    story('transport_dropped_total{tcp head-too-large}', 'a header without an end', () => {
      const socket = connect(server.tcp, '127.0.0.1').on('error', () => {});
      return {
        read,
        act: () => socket.write(`OPTIONS sip:localhost SIP/2.0\r\nX: ${'x'.repeat(70_000)}`),
        end: () => socket.destroy(),
      };
    }),
    story('transport_errors_total{tcp refused}', 'nothing listens at the other end', () => {
      const tcp = createTcp({ clock: systemClock, log: quiet, largestBody: 1_000 });
      const target = { transport: 'tcp', host: '127.0.0.1', port: 1 } as const;
      return {
        read: readerOf(transportMetrics, { tcp: tcp.counters }),
        act: () => tcp.send(target, Buffer.from('hello'), undefined, () => {}),
        end: () => tcp.close(0),
      };
    }),
    story('sip_defects_total', 'a request meets a bug', async () => {
      const stack = createSipStack({
        clock: systemClock,
        ids: countingIds(),
        log: quiet,
        listen: [{ transport: 'udp', host: '127.0.0.1', port: 0 }],
        rule: { domains: new Set(['localhost']), manager: /^chat-manager$/i, rooms: /^chat-[0-9]+$/i },
        location: openLocation({ clock: systemClock, log: quiet, file: undefined }),
        trusted: () => true,
        open: false,
        startChar: '#',
        maxMessageSize: 1_000,
        product: 'imcd/test',
      });
      const message = (): never => {
        throw new Error('a bug');
      };
      const [listener] = await stack.listen({ message, execute: message });
      const socket = createSocket('udp4');
      return {
        read: readerOf(dispatchMetrics, stack.counters),
        act: () => socket.send(requestText(), listener?.local.port ?? 0, '127.0.0.1'),
        end: () => [socket.close(), stack.close(0)],
      };
    }),
  ];
};
