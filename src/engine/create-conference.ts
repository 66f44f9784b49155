import type { Clock } from '../ports/clock.ts';
import type { Courier } from '../ports/courier.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { Ids } from '../ports/ids.ts';
import type { Log } from '../ports/log.ts';
import type { Rooms } from '../read-models/rooms.ts';
import type { Policy } from '../room/decide.ts';
import { type Announcer, createAnnouncer } from './announcer.ts';
import { handleChat } from './chat.ts';
import { type CommandQueue, createCommandQueue, mostCommands } from './command-queue.ts';
import type { Conference } from './conference.ts';
import { countAnswer, createEngineCounters, type EngineCounters } from './counters.ts';
import { createInvite } from './invitations.ts';
import { takeMessage } from './take-message.ts';
import { createTranscripts } from './transcript.ts';
import type { UnknownOutcomes } from './unknown-outcomes.ts';

export interface ConferenceOptions {
  readonly store: EventStore;
  readonly rooms: Rooms;
  readonly courier: Courier;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly unknown: UnknownOutcomes;
  readonly policy: Policy;
  readonly node: string;
  /** First character of `imc_cmd_start_char`. */
  readonly startChar: string;
  readonly notifyErrors: boolean;
  readonly relayComposing: boolean;
  readonly recordMessages: boolean;
  /** Whether a user part is a room's by the routing rule. */
  readonly isRoomName: (user: string) => boolean;
  /** Lower case. */
  readonly domains: ReadonlySet<string>;
  /** Since when (milliseconds since 1970) the log is not followed; undefined while it is. */
  readonly lostSince: () => number | undefined;
}

export interface RunningConference extends Conference {
  readonly counters: EngineCounters;
  /** Commands and recordings that wait or are worked on. */
  readonly queued: () => number;
  /** Resolves when every command taken so far is answered. */
  readonly idle: () => Promise<void>;
}

/** The engine: takes messages and commands, and brings their consequences to the log and to people. */
export const createConference = (options: ConferenceOptions): RunningConference => {
  const { store, ids, courier, recordMessages } = options;
  const counters = createEngineCounters();
  const announcer = createAnnouncer({ courier, counters, invite: (...sent) => invite(...sent) });
  const commands = createCommands(options, counters, announcer);
  const { submit } = commands;
  const invite = createInvite({ ...options, counters, submit, announce: announcer.announce });
  const transcripts = createTranscripts(store, ids, mostCommands);
  const chat = handleChat({ ...options, counters, ...(recordMessages && { record: transcripts.submit }) });

  return {
    counters,
    queued: () => commands.size() + transcripts.size(),
    idle: async () => {
      await Promise.all([commands.idle(), transcripts.idle()]);
    },
    message: takeMessage({ ...options, counters, announcer, submit, chat }),
    execute: (command, origin, answer) =>
      submit({
        command,
        origin,
        settle: (settlement) => {
          countAnswer(counters, command.type, settlement.answer);
          answer(settlement.answer);
          announcer.announce(settlement.announcements, origin, settlement.eventId);
        },
      }),
  };
};

/** The queue of commands; one whose append turns out to be written after all is announced. */
const createCommands = (options: ConferenceOptions, counters: EngineCounters, announcer: Announcer): CommandQueue =>
  createCommandQueue({
    ...options,
    counters,
    onWritten: (eventId, { command: { room }, origin }, announcements) => {
      counters.settledOutcomes += 1;
      const callId = origin.correlationId;
      options.log.warn({ eventId, room, callId }, 'an append of unknown outcome was written after all');
      announcer.announce(announcements, origin, eventId);
    },
  });
