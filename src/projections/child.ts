import type { Interpreter } from './interpreter.ts';
import type { Definition, Emitted, InterpreterLimits, PartitionOutcome, ProjectionEvent } from './projection.ts';

/**
 * What runs in the child process, handed to it as text: the process' own loop, and what stands in the projection's realm.
 * Each function refers to nothing outside itself.
 */

/** Lines to the sandbox. */
export type Order =
  /** `program`: makes the realm's `Machine`. `text`: the projection's. */
  | { readonly kind: 'define'; readonly program: string; readonly text: string }
  | { readonly kind: 'feed'; readonly events: readonly ProjectionEvent[] }
  | { readonly kind: 'finish' };

/** Lines from the sandbox. A `fault` names the event at which the projection threw. */
export type Report =
  | { readonly kind: 'defined'; readonly definition: Definition }
  | { readonly kind: 'fed'; readonly emitted: readonly Emitted[] }
  | { readonly kind: 'outcomes'; readonly outcomes: readonly PartitionOutcome[] }
  | { readonly kind: 'finished' }
  | {
      readonly kind: 'fault';
      readonly message: string;
      readonly event?: { readonly stream: string; readonly revision: number; readonly type: string };
    };

/** All that the process has of the projection's realm: text goes in, a report comes out as text. */
interface Machine {
  readonly call: (name: 'defined' | 'feed' | 'outcomes', argument: string) => string;
}

/**
 * Runs in the projection's realm: puts the interpreter's globals there, and answers.
 *
 * @param Language the class `Interpreter`, made of its text in that realm
 */
export const realmMain = (
  Language: new (limits: InterpreterLimits) => Interpreter,
  limits: InterpreterLimits,
): Machine => {
  const interpreter = new Language(limits);
  Object.assign(globalThis, interpreter.globals);
  const { parse, stringify } = JSON;
  let outcomes: Iterator<PartitionOutcome> | undefined;
  return {
    call: (name, argument) => {
      let at: ProjectionEvent | undefined;
      try {
        if (name === 'defined') return stringify({ kind: 'defined', definition: interpreter.definition() });
        if (name === 'feed') {
          const emitted: Emitted[] = [];
          for (const event of parse(argument) as ProjectionEvent[]) {
            at = event;
            for (const one of interpreter.feed(event)) emitted.push(one);
          }
          return stringify({ kind: 'fed', emitted });
        }
        outcomes ??= interpreter.outcomes();
        const some: PartitionOutcome[] = [];
        while (some.length < 100) {
          const next = outcomes.next();
          if (next.done === true) break;
          some.push(next.value);
        }
        return stringify({ kind: 'outcomes', outcomes: some });
      } catch (error) {
        const message = error instanceof Error ? `${error.name}: ${error.message}` : `it threw ${String(error)}`;
        const event = at && { stream: at.stream, revision: at.revision, type: at.type };
        return stringify({ kind: 'fault', message, event });
      }
    },
  };
};

/**
 * Runs in the child process: reads orders as lines of JSON from stdin, answers on stdout.
 *
 * The projection lives in a realm of its own into which nothing of this one is handed: text goes in, text comes out. What
 * breaks out of it all the same finds a process that may read and write no file, start no process, thread or addon (Node's
 * permission model), with what opens sockets taken away, an empty environment, and a parent that ends it at its limits.
 */
export const sandboxMain = (): void => {
  const vm: typeof import('node:vm') = process.getBuiltinModule('node:vm');
  const { stdin, stdout } = process;
  const exit = process.exit.bind(process);
  for (const name of ['require', 'module', 'fetch', 'WebSocket', 'EventSource', 'navigator'])
    Reflect.deleteProperty(globalThis, name);
  for (const name of ['getBuiltinModule', 'binding', '_linkedBinding', 'dlopen']) Reflect.deleteProperty(process, name);

  const context = vm.createContext(vm.constants.DONT_CONTEXTIFY, {
    codeGeneration: { strings: false, wasm: false },
  });
  const run = (text: string, filename: string): unknown => new vm.Script(text, { filename }).runInContext(context);
  let machine: Machine | undefined;

  const answer = (text: string): boolean => stdout.write(`${text}\n`);
  const take = (line: string): unknown => {
    const order: Order = JSON.parse(line);
    if (order.kind === 'define') {
      try {
        machine = run(order.program, 'imcd') as Machine;
        run(order.text, 'projection.js');
      } catch (error) {
        const stack = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
        const place = /projection\.js:(\d+)/.exec(String((error as { stack?: unknown }).stack))?.[1];
        const message = place === undefined ? stack : `line ${place}: ${stack}`;
        return answer(JSON.stringify({ kind: 'fault', message }));
      }
      return answer(machine.call('defined', ''));
    }
    if (order.kind === 'feed') return answer(machine?.call('feed', JSON.stringify(order.events)) ?? '');
    for (;;) {
      const text = machine?.call('outcomes', '') ?? '';
      if (text === '{"kind":"outcomes","outcomes":[]}') break;
      answer(text);
      if (!text.startsWith('{"kind":"outcomes"')) return false;
    }
    return answer(JSON.stringify({ kind: 'finished' }));
  };

  let rest = '';
  stdin.setEncoding('utf8');
  stdin.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
  stdin.on('end', () => exit(0));
};
