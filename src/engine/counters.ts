import type { Answer } from './conference.ts';

/** What the engine counts: numbers of the process, read by the statistics at their own pace. */
export interface EngineCounters {
  /** Accepted commands by type, those that changed nothing included. */
  readonly commands: Record<string, number>;
  /** Refused commands and chat messages by reason. */
  readonly refusals: Record<string, number>;
  /** Failed commands and chat messages by kind of failure. */
  readonly failures: Record<string, number>;
  /** Requests that came again and were recognised by their event. */
  repeated: number;
  /** Decisions made again because somebody else had appended first. */
  retried: number;
  chatMessages: number;
  announcements: number;
  /** Appends: number, and seconds from the decision to the durable event. */
  appends: number;
  appendSeconds: number;
  /** Latency of appends: how many took at most `appendBuckets[i]` seconds; the last place counts the slower ones. */
  readonly appendBuckets: number[];
  /** Appends of unknown outcome, and those that turned out to be written. */
  unknownOutcomes: number;
  settledOutcomes: number;
}

/** Upper bounds in seconds. */
export const appendBuckets: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
];

export const createEngineCounters = (): EngineCounters => ({
  commands: {},
  refusals: {},
  failures: {},
  repeated: 0,
  retried: 0,
  chatMessages: 0,
  announcements: 0,
  appends: 0,
  appendSeconds: 0,
  appendBuckets: Array.from({ length: appendBuckets.length + 1 }, () => 0),
  unknownOutcomes: 0,
  settledOutcomes: 0,
});

export const count = (table: Record<string, number>, name: string): void => {
  table[name] = (table[name] ?? 0) + 1;
};

/** How a command or a chat message ended. */
export const countAnswer = (counters: EngineCounters, type: string, answer: Answer): void => {
  if (answer.kind === 'done') count(counters.commands, type);
  else if (answer.kind === 'refused') count(counters.refusals, answer.refusal.reason);
  else count(counters.failures, answer.failure.kind);
};

/** @param seconds how long one append took */
export const countAppend = (counters: EngineCounters, seconds: number): void => {
  counters.appends += 1;
  counters.appendSeconds += seconds;
  const place = appendBuckets.findIndex((bound) => seconds <= bound);
  const index = place < 0 ? appendBuckets.length : place;
  counters.appendBuckets[index] = (counters.appendBuckets[index] ?? 0) + 1;
};
