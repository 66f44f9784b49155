import { counter, gauge, type Metric, type Reading, type Snapshot } from './metric.ts';
import type { SipSource } from './metric-sources.ts';

/** One number of each transport, or each of its numbers. */
const byTransport =
  (pick: (counters: SipSource['counters']['transports'][string]) => Reading) =>
  ({ sip }: Snapshot): Reading => {
    const entries: [string, number][] = [];
    for (const [transport, counters] of Object.entries(sip?.counters.transports ?? {})) {
      const reading = pick(counters);
      if (typeof reading === 'number') entries.push([transport, reading]);
      else for (const [reason, value] of Object.entries(reading ?? {})) entries.push([`${transport} ${reason}`, value]);
    }
    return Object.fromEntries(entries);
  };

/** SIP: requests, answers, transports, registrations. */
export const sipMetrics: readonly Metric[] = [
  counter(
    'sip_requests',
    ['sip', 'requests'],
    'Requests that began a transaction.',
    ({ sip }) => sip?.counters.server.requests,
  ),
  counter('sip_answers', ['sip', 'answers'], 'Final answers.', ({ sip }) => sip?.counters.server.answers, [
    'method',
    'code',
  ]),
  counter(
    'sip_requests_again',
    ['sip', 'requests_again'],
    'Requests that came again.',
    ({ sip }) =>
      sip && {
        answered: sip.counters.server.retransmissions,
        absorbed: sip.counters.server.absorbed,
        merged: sip.counters.server.merged,
      },
    ['how'],
  ),
  counter(
    'sip_answers_lost',
    ['sip', 'answers_lost'],
    'Answers that did not leave, or came too late.',
    ({ sip }) => sip && { unsent: sip.counters.server.unsent, late: sip.counters.server.tooLate },
    ['why'],
  ),
  counter(
    'sip_rejected',
    ['sip', 'rejected'],
    'Rejected at a bound: transactions begun by others, and by us.',
    ({ sip }) => sip && { server: sip.counters.server.overflows, client: sip.counters.client.overflows },
    ['table'],
  ),
  counter(
    'sip_malformed',
    ['sip', 'malformed'],
    'Messages that could not be understood: answered, or not even that.',
    ({ sip }) => sip && { answered: sip.counters.malformed, garbage: sip.counters.garbage },
    ['kind'],
  ),
  counter('sip_keep_alives', ['sip', 'keep_alives'], 'Keep-alives.', ({ sip }) => sip?.counters.keepAlives),
  counter(
    'sip_timeouts',
    ['sip', 'timeouts'],
    'Requests of ours that nobody answered in 64*T1.',
    ({ sip }) => sip?.counters.client.timeouts,
  ),
  counter(
    'sip_stray_responses',
    ['sip', 'stray_responses'],
    'Responses that belong to no transaction.',
    ({ sip }) => sip?.counters.client.strayResponses,
  ),
  counter('sip_defects', ['sip', 'defects'], 'Requests that met a defect of imcd.', ({ sip }) => sip?.counters.defects),
  gauge(
    'sip_transactions',
    ['sip', 'transactions'],
    'Transactions at present.',
    ({ sip }) => {
      const depths = sip?.depths();
      return (
        depths && { server_pending: depths.serverPending, server_kept: depths.serverKept, client: depths.clientPending }
      );
    },
    ['table'],
  ),
  counter(
    'transport_received',
    ['transport', 'received'],
    'Messages received.',
    byTransport(({ received }) => received),
    ['transport'],
  ),
  counter(
    'transport_sent',
    ['transport', 'sent'],
    'Messages sent.',
    byTransport(({ sent }) => sent),
    ['transport'],
  ),
  counter(
    'transport_dropped',
    ['transport', 'dropped'],
    'Messages dropped before they were parsed.',
    byTransport(({ dropped }) => dropped),
    ['transport', 'reason'],
  ),
  counter(
    'transport_errors',
    ['transport', 'errors'],
    'Messages that could not be sent.',
    byTransport(({ failures }) => failures),
    ['transport', 'reason'],
  ),
  gauge(
    'transport_connections',
    ['transport', 'connections'],
    'Open connections.',
    byTransport(({ connections }) => connections),
    ['transport'],
  ),
  gauge(
    'registrations',
    ['registrar', 'registrations'],
    'Contacts of registered users.',
    ({ sip }) => sip?.counters.location.bindings,
  ),
  counter(
    'registrations_expired',
    ['registrar', 'registrations_expired'],
    'Contacts that expired.',
    ({ sip }) => sip?.counters.location.expired,
  ),
  counter(
    'registrations_unwritten',
    ['registrar', 'registrations_unwritten'],
    'Changes of registrations that their file did not take.',
    ({ sip }) => sip?.counters.location.failures,
  ),
];
