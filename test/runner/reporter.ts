import type { TestEvent } from 'node:test/reporters';

/** A reporter of Node's for the runner: one JSON object a line, of what begins and what ends. */

export interface Line {
  /**
   * `begun` and `ended` come at once; the others, for the counts, come in the order of declaration, and a suite that never
   * ends keeps those of its tests back.
   */
  readonly did: 'begun' | 'ended' | 'passed' | 'failed' | 'skipped';
  readonly name: string;
  /** 0 for what stands at the file's top. */
  readonly nesting: number;
  readonly suite: boolean;
  /** Of a skipped one: why, where it was said. */
  readonly why?: string;
  /** Of a failed suite: only its tests have failed, which have lines of their own. */
  readonly byItsTests?: boolean;
}

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    const line = lineOf(event);
    if (line !== undefined) yield `${JSON.stringify(line)}\n`;
  }
}

const lineOf = (event: TestEvent): Line | undefined => {
  switch (event.type) {
    case 'test:dequeue':
      return { did: 'begun', name: event.data.name, nesting: event.data.nesting, suite: event.data.type === 'suite' };
    case 'test:complete':
      return { did: 'ended', name: event.data.name, nesting: event.data.nesting, suite: false };
    case 'test:pass': {
      const { name, nesting, details, skip, todo } = event.data;
      const suite = details.type === 'suite';
      const excuse = skip ?? todo;
      if (excuse === undefined || excuse === false) return { did: 'passed', name, nesting, suite };
      return { did: 'skipped', name, nesting, suite, ...(typeof excuse === 'string' && { why: excuse }) };
    }
    case 'test:fail': {
      const { name, nesting, details } = event.data;
      const byItsTests = 'failureType' in details.error && details.error.failureType === 'subtestsFailed';
      return { did: 'failed', name, nesting, suite: details.type === 'suite', byItsTests };
    }
    default:
      return undefined;
  }
};
