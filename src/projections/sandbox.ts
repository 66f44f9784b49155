import type { Clock } from '../ports/clock.ts';
import { type Order, type Report, realmMain } from './child.ts';
import { Interpreter } from './interpreter.ts';
import { ProjectionFault, type ProjectionLimits, projectionLimits } from './limits.ts';
import type { Definition, Emitted, InterpreterLimits, PartitionOutcome, ProjectionEvent } from './projection.ts';
import { SandboxProcess } from './sandbox-process.ts';

/**
 * A projection in its sandbox, as commands use it: defined by its text, fed, asked for what came of it.
 * The text is somebody else's; nothing that it answers is believed.
 */

/** A projection in its sandbox. All reject with `ProjectionFault`, after which it is gone. */
export interface Sandbox {
  readonly definition: Definition;
  /** Feeds a batch, and gives what it made the projection write. */
  readonly feed: (events: readonly ProjectionEvent[]) => Promise<readonly Emitted[]>;
  /** States and results at the end; ends the process. */
  readonly finish: (take: (outcomes: readonly PartitionOutcome[]) => void | Promise<void>) => Promise<void>;
  /** Ends the process, also in the midst of work. */
  readonly stop: () => void;
}

/** Starts a sandbox, and runs the projection's text in it, which defines it. */
export const openSandbox = async (
  text: string,
  clock: Clock,
  limits: ProjectionLimits = projectionLimits,
): Promise<Sandbox> => {
  const child = new SandboxProcess(clock, limits);
  const ask = async (order: Order): Promise<Report> => {
    const report = await child.ask(order);
    if (report.kind !== 'fault') return report;
    child.stop();
    throw faultOf(report);
  };
  let emittedInAll = 0;
  const defined = await ask({ kind: 'define', program: programWithin(limits), text });
  if (defined.kind !== 'defined') throw child.nonsense();
  return {
    definition: defined.definition,
    feed: async (events) => {
      const report = await ask({ kind: 'feed', events });
      if (report.kind !== 'fed' || !Array.isArray(report.emitted)) throw child.nonsense();
      emittedInAll += report.emitted.length;
      if (emittedInAll <= limits.emitted) return report.emitted;
      child.stop();
      throw new ProjectionFault(`the projection writes more than ${limits.emitted} events and links`);
    },
    finish: async (take) => {
      for (let report = await ask({ kind: 'finish' }); report.kind !== 'finished'; report = await child.next()) {
        if (report.kind === 'fault') throw faultOf(report);
        if (report.kind !== 'outcomes' || !Array.isArray(report.outcomes)) throw child.nonsense();
        await take(report.outcomes);
      }
      child.stop();
    },
    stop: () => child.stop(),
  };
};

/** The program of the projection's realm: the interpreter, as text, with its limits. */
const programWithin = ({ partitions, state, emittedByOne }: ProjectionLimits): string => {
  const limits: InterpreterLimits = { partitions, state, emitted: emittedByOne };
  return `(${realmMain.toString()})(${Interpreter.toString()}, ${JSON.stringify(limits)})`;
};

const faultOf = ({ message, event }: Extract<Report, { kind: 'fault' }>): ProjectionFault =>
  new ProjectionFault(
    event === undefined
      ? `the projection does not run: ${message}`
      : `the projection broke at ${event.type}, ${event.revision}@${event.stream}: ${message}`,
  );
