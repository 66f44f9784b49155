import { appendBuckets } from '../engine/counters.ts';
import { counter, gauge, type Metric } from './metric.ts';
import { sipMetrics } from './metric-list-sip.ts';

/** Every metric, in the order of the reference. */
export const metrics: readonly Metric[] = [
  gauge(
    'build_info',
    ['core', 'build_info'],
    'Always 1; the version is in the label.',
    ({ version }) => ({ [version]: 1 }),
    ['version'],
  ),
  gauge('rooms', ['imc', 'active_rooms'], 'Living rooms.', ({ rooms }) => rooms.size),
  gauge(
    'room_buckets',
    ['imc', 'room_buckets'],
    'Buckets of the room table (hash_size).',
    ({ rooms }) => rooms.buckets,
  ),
  gauge(
    'members',
    ['imc', 'members'],
    'Members over all rooms, invited ones not counted.',
    ({ census }) => census.members,
  ),
  gauge(
    'invitations',
    ['imc', 'invitations'],
    'Pending invitations over all rooms.',
    ({ census }) => census.invitations,
  ),

  counter('commands', ['imc', 'commands'], 'Accepted commands.', ({ engine }) => engine?.counters.commands, [
    'command',
  ]),
  counter(
    'refusals',
    ['imc', 'refusals'],
    'Refused commands and chat messages.',
    ({ engine }) => engine?.counters.refusals,
    ['reason'],
  ),
  counter(
    'failures',
    ['imc', 'failures'],
    'Commands and chat messages that failed.',
    ({ engine }) => engine?.counters.failures,
    ['kind'],
  ),
  counter(
    'chat_messages',
    ['imc', 'chat_messages'],
    'Chat messages taken for delivery.',
    ({ engine }) => engine?.counters.chatMessages,
  ),
  counter(
    'announcements',
    ['imc', 'announcements'],
    'Announcements made.',
    ({ engine }) => engine?.counters.announcements,
  ),
  counter(
    'commands_repeated',
    ['imc', 'commands_repeated'],
    'Requests that came again and were known by their event.',
    ({ engine }) => engine?.counters.repeated,
  ),
  counter(
    'decisions_retried',
    ['imc', 'decisions_retried'],
    'Decisions made again because another node was first.',
    ({ engine }) => engine?.counters.retried,
  ),
  gauge('commands_queued', ['imc', 'commands_queued'], 'Commands that wait or are worked on.', ({ engine }) =>
    engine?.queued(),
  ),

  counter(
    'copies_sent',
    ['fanout', 'copies_sent'],
    'Copies sent, first transmissions.',
    ({ sip }) => sip?.counters.fanOut.copies,
  ),
  counter(
    'copies_delivered',
    ['fanout', 'copies_delivered'],
    'Copies answered with 2xx.',
    ({ sip }) => sip?.counters.fanOut.delivered,
  ),
  counter(
    'copies_failed',
    ['fanout', 'copies_failed'],
    'Copies that failed, by status or reason.',
    ({ sip }) => sip?.counters.fanOut.failures,
    ['reason'],
  ),
  counter(
    'copies_retransmitted',
    ['fanout', 'copies_retransmitted'],
    'Retransmissions of copies.',
    ({ sip }) => sip?.counters.client.retransmissions,
  ),
  counter(
    'copies_spared',
    ['fanout', 'copies_spared'],
    'Retransmissions kept back from silent destinations.',
    ({ sip }) => sip?.counters.fanOut.repetitionsSpared,
  ),
  counter(
    'copies_large',
    ['fanout', 'copies_large'],
    'Copies over 1,300 bytes to UDP destinations, by the transport that took them.',
    ({ sip }) => sip && { tcp: sip.counters.fanOut.largeOverTcp, udp: sip.counters.fanOut.largeOverUdp },
    ['transport'],
  ),
  gauge('copies_queued', ['fanout', 'copies_queued'], 'Copies that wait for their destination.', ({ sip }) =>
    sip?.copiesQueued(),
  ),
  ...sipMetrics,

  counter(
    'append_outcomes_unknown',
    ['store', 'outcomes_unknown'],
    'Appends whose outcome was unknown, and those that proved written.',
    ({ engine }) => engine && { unknown: engine.counters.unknownOutcomes, written: engine.counters.settledOutcomes },
    ['outcome'],
  ),
  gauge(
    'subscription_lag_seconds',
    ['store', 'subscription_lag'],
    'Since when the log is not followed; 0 while it is.',
    ({ log }) => log?.lagSeconds(),
  ),
  counter('store_operations', ['store', 'operations'], "The store's own counters.", ({ log }) => log?.counters, [
    'kind',
  ]),
  gauge(
    'mirror_lag_seconds',
    ['mirror', 'lag'],
    'Age of the oldest event that is not in the mirror.',
    ({ mirror }) => mirror?.status().lagSeconds,
  ),
  gauge(
    'mirror_pending_events',
    ['mirror', 'pending'],
    'Events read and not yet written to the mirror.',
    ({ mirror }) => mirror?.status().pendingEvents,
  ),
  counter(
    'mirror_events',
    ['mirror', 'events'],
    'Events written to the mirror.',
    ({ mirror }) => mirror?.counters.eventsWritten,
  ),
  counter(
    'mirror_troubles',
    ['mirror', 'troubles'],
    'What went wrong with the mirror.',
    ({ mirror }) =>
      mirror && {
        retried: mirror.counters.retries,
        connection_lost: mirror.counters.connectionsLost,
        missing_row: mirror.counters.missingRows,
        stopped: mirror.counters.stops,
      },
    ['kind'],
  ),

  counter('mi_calls', ['mi', 'calls'], 'Calls of the management interface.', ({ mi }) => mi?.calls, ['method']),
  counter('mi_errors', ['mi', 'errors'], 'Calls that ended in an error.', ({ mi }) => mi?.errors, ['code']),
  counter(
    'mi_refused',
    ['mi', 'refused'],
    'What the fronts of the management interface refused, dropped or gave up.',
    ({ mi }) => mi?.fronts(),
    ['kind'],
  ),
  counter('log_lines_dropped', ['core', 'log_lines_dropped'], 'Log lines that stderr did not take.', ({ log }) =>
    log?.linesDropped?.(),
  ),
  gauge(
    'event_loop_delay_seconds',
    ['core', 'event_loop_delay'],
    'Delay of the event loop since it was last asked for.',
    ({ eventLoop }) => eventLoop,
    ['quantile'],
  ),
  gauge(
    'memory_bytes',
    ['core', 'memory'],
    'Memory: resident, and the JavaScript heap in use.',
    () => {
      const { rss, heapUsed } = process.memoryUsage();
      return { resident: rss, heap: heapUsed };
    },
    ['kind'],
  ),
  counter(
    'cpu_seconds',
    ['core', 'cpu_seconds'],
    'CPU time of all threads.',
    () => {
      const { user, system } = process.cpuUsage();
      return { user: user / 1e6, system: system / 1e6 };
    },
    ['mode'],
  ),
  gauge(
    'start_time_seconds',
    ['core', 'start_time'],
    'When the process started, seconds since 1970.',
    ({ startedAt }) => startedAt / 1000,
  ),
];

/** The one histogram: from an append's decision to its durable event. */
export const appendHistogram = {
  name: 'imcd_append_duration_seconds',
  help: 'Time from a decision until its events are durable.',
  buckets: appendBuckets,
} as const;
