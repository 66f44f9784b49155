import * as E from 'fp-ts/lib/Either.js';
import type { Log } from '../ports/log.ts';
import { type RoomKey, roomKey } from '../room/address.ts';
import { type Failure, failed } from './conference.ts';
import { type Job, type Settlement, settledWith } from './decide-batch.ts';
import { type CommandPorts, handleCommands } from './handle-command.ts';
import { batchSize, createMailboxes } from './mailbox.ts';

/** Commands on their way, each room's in the order of their arrival. */
export interface CommandQueue {
  /** Settles the job at once where too many wait. */
  readonly submit: (job: Job) => void;
  /** Commands that wait or are worked on. */
  readonly size: () => number;
  /** Resolves when every command taken so far is settled. */
  readonly idle: () => Promise<void>;
}

/** Most commands that wait for the log, over all rooms; beyond, 503. */
export const mostCommands = 10_000;

const overloaded: Failure = { kind: 'Overloaded', message: 'too many commands wait for the log' };
const defect: Failure = {
  kind: 'Defect',
  message: 'a defect of imcd broke this command; the log of the server has the details',
};

export const createCommandQueue = (ports: CommandPorts & { readonly log: Log }): CommandQueue => {
  const { log } = ports;
  const handle = handleCommands(ports);

  const settle = (key: RoomKey, job: Job, settlement: Settlement): void => {
    try {
      job.settle(settlement);
    } catch (cause) {
      log.error({ room: key, err: cause }, 'a defect of imcd: a command could not be answered');
    }
  };

  const mailboxes = createMailboxes<RoomKey, Job>({
    most: mostCommands,
    batch: batchSize,
    work: async (key, jobs) => {
      let ended: E.Either<Failure, readonly Settlement[]>;
      try {
        ended = await handle(key, jobs)();
      } catch (cause) {
        // It costs the commands of its batch, and neither the room's next ones nor the process.
        log.error({ room: key, err: cause }, 'a defect of imcd: a batch of commands broke');
        ended = E.left(defect);
      }
      const settlements = E.isRight(ended) ? ended.right : failEach(jobs, ended.left);
      for (const [i, job] of jobs.entries()) settle(key, job, settlements[i] ?? settledWith(failed(defect)));
    },
  });
  return {
    submit: (job) => {
      if (!mailboxes.submit(roomKey(job.command.room), job)) job.settle(settledWith(failed(overloaded)));
    },
    size: mailboxes.size,
    idle: mailboxes.idle,
  };
};

const failEach = (jobs: readonly Job[], failure: Failure): readonly Settlement[] =>
  jobs.map(() => settledWith(failed(failure)));
