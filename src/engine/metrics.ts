import { counter, gauge, type Metric } from '../ports/metric.ts';
import { appendBuckets, type EngineCounters } from './counters.ts';

export interface CountedEngine {
  readonly counters: EngineCounters;
  /** Commands and recordings that wait or are worked on. */
  readonly queued: () => number;
}

/** Commands, chat messages and their appends. */
export const engineMetrics: readonly Metric<CountedEngine>[] = [
  counter('commands', ['imc', 'commands'], 'Accepted commands.', ({ counters }) => counters.commands, ['command']),
  counter('refusals', ['imc', 'refusals'], 'Refused commands and chat messages.', ({ counters }) => counters.refusals, [
    'reason',
  ]),
  counter(
    'failures',
    ['imc', 'failures'],
    'Commands and chat messages that failed.',
    ({ counters }) => counters.failures,
    ['kind'],
  ),
  counter(
    'chat_messages',
    ['imc', 'chat_messages'],
    'Chat messages taken for delivery.',
    ({ counters }) => counters.chatMessages,
  ),
  counter('announcements', ['imc', 'announcements'], 'Announcements made.', ({ counters }) => counters.announcements),
  counter(
    'commands_repeated',
    ['imc', 'commands_repeated'],
    'Requests that came again and were known by their event.',
    ({ counters }) => counters.repeated,
  ),
  counter(
    'decisions_retried',
    ['imc', 'decisions_retried'],
    'Decisions made again because another node was first.',
    ({ counters }) => counters.retried,
  ),
  gauge('commands_queued', ['imc', 'commands_queued'], 'Commands that wait or are worked on.', ({ queued }) =>
    queued(),
  ),
  {
    name: 'imcd_append_duration_seconds',
    kind: 'histogram',
    help: 'Time from a decision until its events are durable.',
    labels: [],
    bounds: appendBuckets,
    read: ({ counters }) => ({
      counts: counters.appendBuckets,
      count: counters.appends,
      sum: counters.appendSeconds,
    }),
  },
  counter(
    'append_outcomes_unknown',
    ['store', 'outcomes_unknown'],
    'Appends whose outcome was unknown, and those that proved written.',
    ({ counters }) => ({ unknown: counters.unknownOutcomes, written: counters.settledOutcomes }),
    ['outcome'],
  ),
];

/** The rooms' subscription to the log. */
export const followMetrics: readonly Metric<{
  /** Seconds for which the log has not been followed; 0 while it is. */
  readonly lagSeconds: () => number;
}>[] = [
  gauge(
    'subscription_lag_seconds',
    ['store', 'subscription_lag'],
    'Since when the log is not followed; 0 while it is.',
    ({ lagSeconds }) => lagSeconds(),
  ),
];
