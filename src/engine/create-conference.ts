import * as E from 'fp-ts/lib/Either.js';
import type { Clock } from '../ports/clock.ts';
import type { Courier } from '../ports/courier.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { Ids } from '../ports/ids.ts';
import type { Log } from '../ports/log.ts';
import type { Rooms } from '../read-models/rooms.ts';
import { type Operator, Operator as OperatorCodec } from '../room/actor.ts';
import { type MemberUri, memberKey, type RoomKey, roomKey } from '../room/address.ts';
import type { Announcement } from '../room/announce.ts';
import type { Command, RoomCommand } from '../room/commands.ts';
import type { Policy } from '../room/decide.ts';
import type { Malformed, Refusal } from '../room/refusals.ts';
import { isCommand, parseBody } from '../room/syntax.ts';
import { help, reasonOf, roomList } from '../room/texts.ts';
import { createAnnouncer } from './announcer.ts';
import { handleChat } from './chat.ts';
import type { Answer, Conference, IncomingMessage, Origin } from './conference.ts';
import { count, createEngineCounters, type EngineCounters } from './counters.ts';
import { handleCommands, type Job, type Outcome } from './handle-command.ts';
import { createMailboxes } from './mailbox.ts';
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

/** Most commands that wait for the log, over all rooms; beyond, 503. */
const mostCommands = 10_000;
/** Most commands of one room in one write. */
const batchSize = 64;
/** An invitation's withdrawal is tried again while the log is away: every second, this often. */
const withdrawalTries = 600;
const imcd: Operator = ((name: string): Operator => {
  if (!OperatorCodec.is(name)) throw new Error(`${name} is no operator`);
  return name;
})('operator:imcd');

/** The engine: takes messages and commands, and brings their consequences to the log and to people. */
export const createConference = (options: ConferenceOptions): RunningConference => {
  const { store, rooms, courier, clock, ids, log, unknown } = options;
  const counters = createEngineCounters();
  const announcer = createAnnouncer(courier, clock, counters);
  const transcripts = createTranscripts(store, ids, mostCommands);

  const announce = (announcements: readonly Announcement[], origin: Origin, eventId: string | undefined): void => {
    const pending = announcements.find(({ kind }) => kind === 'invitation');
    const invitedAt = pending === undefined ? undefined : sinceOf(pending);
    announcer.announce(announcements, origin.request?.callId, (invitation, invited, delivery) => {
      log.info(
        { room: invitation.from, member: invited, delivery, callId: origin.correlationId },
        'an invitation could not be delivered',
      );
      const command = { type: 'WithdrawInvitation', room: invitation.from, actor: imcd, member: invited } as const;
      withdraw({ ...command, ...(invitedAt === undefined ? {} : { invitedAt }) }, origin, eventId, 0);
    });
  };
  // Meanwhile another node may have taken the answer to this invitation, and made the next one.
  const sinceOf = ({ from, recipients: [invited] }: Announcement): string | undefined =>
    invited === undefined ? undefined : rooms.get(roomKey(from))?.members.get(memberKey(invited))?.since;

  const mailboxes = createMailboxes<RoomKey, Job>({
    most: mostCommands,
    batch: batchSize,
    work: async (key, jobs) => {
      const unsettled = new Set(jobs);
      const tracked = jobs.map(
        (job): Job => ({ ...job, settle: (outcome) => unsettled.delete(job) && job.settle(outcome) }),
      );
      try {
        await handle(key, tracked);
      } catch (cause) {
        log.error({ room: key, err: cause }, 'a defect of imcd: a batch of commands broke');
      }
      const message = 'a defect of imcd broke this command; the log of the server has the details';
      for (const { settle } of unsettled)
        settle({ answer: { kind: 'failed', failure: { kind: 'Defect', message } }, announcements: [] });
    },
  });

  const handle = handleCommands({
    store,
    rooms,
    clock,
    ids,
    counters,
    policy: options.policy,
    startChar: options.startChar,
    node: options.node,
    lostSince: options.lostSince,
    unknown,
    onWritten: (eventId, job, announcements) => {
      counters.settledOutcomes += 1;
      const { room } = job.command;
      log.warn(
        { eventId, room, callId: job.origin.correlationId },
        'an append of unknown outcome was written after all',
      );
      announce(announcements, job.origin, eventId);
    },
  });

  const submit = (
    command: RoomCommand,
    origin: Origin,
    settle: (outcome: Outcome) => void,
    causationId?: string,
  ): void => {
    const job: Job = { command, origin, settle, ...(causationId === undefined ? {} : { causationId }) };
    if (mailboxes.submit(roomKey(command.room), job)) return;
    settle({
      answer: { kind: 'failed', failure: { kind: 'Overloaded', message: 'too many commands wait for the log' } },
      announcements: [],
    });
  };

  const withdraw = (command: RoomCommand, origin: Origin, eventId: string | undefined, tries: number): void => {
    const consequence: Origin = { source: 'imcd', correlationId: origin.correlationId };
    submit(
      command,
      consequence,
      ({ answer, announcements, eventId: written }) => {
        if (answer.kind === 'done') return announce(announcements, consequence, written);
        if (answer.kind === 'refused') return; // The room is gone, and the invitation with it.
        if (answer.failure.kind === 'StoreClosed') return; // The server ends; a retry would keep it for ten minutes.
        if (tries < withdrawalTries) return void clock.after(1000, () => withdraw(command, origin, eventId, tries + 1));
        log.error(
          { room: command.room, failure: answer.failure },
          'an invitation that could not be delivered stays pending: the log was away too long',
        );
      },
      eventId,
    );
  };

  const tally = (type: string, answer: Answer): void => {
    if (answer.kind === 'done') count(counters.commands, type);
    else if (answer.kind === 'refused') count(counters.refusals, answer.refusal.reason);
    else count(counters.failures, answer.failure.kind);
  };

  const outcomeLine = (command: string, message: IncomingMessage, answer: Answer): void => {
    const { origin, address, sender } = message;
    const fields = { command, room: address, actor: sender, source: origin.source, callId: origin.correlationId };
    if (answer.kind === 'done') log.debug(fields, 'command done');
    else if (answer.kind === 'refused') log.info({ ...fields, reason: answer.refusal.reason }, 'refused');
    else log.error({ ...fields, failure: answer.failure.kind }, `failed: ${answer.failure.message}`);
  };

  const notify = (message: IncomingMessage, room: RoomKey, text: string): void =>
    announcer.notify(rooms.get(room)?.uri ?? message.address, message.sender, text, message.origin.request?.callId);

  const refuse = (message: IncomingMessage, room: RoomKey, refusal: Refusal | Malformed): void => {
    // An unknown command has a text of its own, which is sent always.
    if (refusal.reason !== 'UnknownCommand' && !options.notifyErrors) return;
    const text = reasonOf(refusal, options.startChar);
    notify(message, room, refusal.reason === 'UnknownCommand' ? text : `*** ${text}`);
  };

  const onCommand = (message: IncomingMessage, command: Command, answer: (answer: Answer) => void): void => {
    if (command.type === 'Help' || command.type === 'ListRooms') {
      tally(command.type, { kind: 'done' });
      answer({ kind: 'done' });
      const text =
        command.type === 'Help' ? help(options.startChar, command.about) : roomList(rooms.all(), command.actor);
      courierList(message, command.actor, text);
      return;
    }
    submit(command, message.origin, (outcome) => {
      tally(command.type, outcome.answer);
      outcomeLine(command.type, message, outcome.answer);
      answer(outcome.answer);
      if (outcome.answer.kind === 'refused') return refuse(message, roomKey(command.room), outcome.answer.refusal);
      announce(outcome.announcements, message.origin, outcome.eventId);
      if (outcome.staleSince === undefined) return;
      const seconds = Math.ceil((clock.now() - outcome.staleSince) / 1000);
      notify(message, roomKey(command.room), `*** the log cannot be reached: this is as of ${seconds} s ago`);
    });
  };

  const courierList = (message: IncomingMessage, to: MemberUri, text: string): void => {
    counters.announcements += 1;
    courier.send({
      from: rooms.get(roomKey(message.address))?.uri ?? message.address,
      recipients: [to],
      contentType: 'text/plain',
      body: Buffer.from(text, 'utf8'),
      split: 'lines',
      ...(message.origin.request === undefined ? {} : { inReplyTo: message.origin.request.callId }),
    });
  };

  const chat = handleChat({
    store,
    rooms,
    clock,
    courier,
    counters,
    node: options.node,
    relayComposing: options.relayComposing,
    ...(options.recordMessages ? { record: transcripts.submit } : {}),
  });

  return {
    counters,
    queued: () => mailboxes.size() + transcripts.size(),
    idle: async () => {
      await Promise.all([mailboxes.idle(), transcripts.idle()]);
    },
    execute: (command, origin, answer) =>
      submit(command, origin, (outcome) => {
        tally(command.type, outcome.answer);
        answer(outcome.answer);
        announce(outcome.announcements, origin, outcome.eventId);
      }),
    message: (message, answer) => {
      if (isCommand(message.body, options.startChar)) {
        const parsed = parseBody(message.body, {
          startChar: options.startChar,
          address: message.address,
          addressed: message.addressed,
          sender: message.sender,
          ...(message.scheme === undefined ? {} : { scheme: message.scheme }),
          isRoomName: options.isRoomName,
          domains: options.domains,
        });
        if (E.isRight(parsed)) return onCommand(message, parsed.right, answer);
        return refused(message, parsed.left, answer);
      }
      if (message.addressed === 'manager') return refused(message, { reason: 'ManagerTakesNoChat' }, answer);
      chat(message, (outcome) => {
        if (outcome.kind !== 'done') {
          tally('Chat', outcome);
          outcomeLine('Chat', message, outcome);
        }
        answer(outcome);
      });
    },
  };

  function refused(message: IncomingMessage, refusal: Malformed, answer: (answer: Answer) => void): void {
    const outcome: Answer = { kind: 'refused', refusal };
    tally('Malformed', outcome);
    outcomeLine('Malformed', message, outcome);
    answer(outcome);
    refuse(message, roomKey(message.address), refusal);
  }
};
