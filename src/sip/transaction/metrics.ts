import { counter, gauge, type Metric } from '../../ports/metric.ts';
import type { ClientCounters } from './client.ts';
import type { ServerCounters } from './server.ts';

export interface CountedTransactions {
  readonly server: ServerCounters;
  readonly client: ClientCounters;
  readonly depths: () => {
    readonly serverPending: number;
    readonly serverKept: number;
    readonly clientPending: number;
  };
}

/** Requests of others and ours, and their answers. */
export const transactionMetrics: readonly Metric<CountedTransactions>[] = [
  counter('sip_requests', ['sip', 'requests'], 'Requests that began a transaction.', ({ server }) => server.requests),
  counter('sip_answers', ['sip', 'answers'], 'Final answers.', ({ server }) => server.answers, ['method', 'code']),
  counter(
    'sip_requests_again',
    ['sip', 'requests_again'],
    'Requests that came again.',
    ({ server }) => ({ answered: server.retransmissions, absorbed: server.absorbed, merged: server.merged }),
    ['how'],
  ),
  counter(
    'sip_answers_lost',
    ['sip', 'answers_lost'],
    'Answers that did not leave, or came too late.',
    ({ server }) => ({ unsent: server.unsent, late: server.tooLate }),
    ['why'],
  ),
  counter(
    'sip_rejected',
    ['sip', 'rejected'],
    'Rejected at a bound: transactions begun by others, and by us.',
    ({ server, client }) => ({ server: server.overflows, client: client.overflows }),
    ['table'],
  ),
  counter(
    'sip_timeouts',
    ['sip', 'timeouts'],
    'Requests of ours that nobody answered in 64*T1.',
    ({ client }) => client.timeouts,
  ),
  counter(
    'sip_stray_responses',
    ['sip', 'stray_responses'],
    'Responses that belong to no transaction.',
    ({ client }) => client.strayResponses,
  ),
  gauge(
    'sip_transactions',
    ['sip', 'transactions'],
    'Transactions at present.',
    ({ depths }) => {
      const { serverPending, serverKept, clientPending } = depths();
      return { server_pending: serverPending, server_kept: serverKept, client: clientPending };
    },
    ['table'],
  ),
  // The server makes no requests but copies.
  counter(
    'copies_retransmitted',
    ['fanout', 'copies_retransmitted'],
    'Retransmissions of copies.',
    ({ client }) => client.retransmissions,
  ),
];
