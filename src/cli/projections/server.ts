import * as E from 'fp-ts/lib/Either.js';
import type { Config } from '../../config/config.ts';
import type { Projections } from '../../projections/manage.ts';
import { systemClock } from '../../runtime/clock.ts';
import { CliError, type Invocation } from '../invocation.ts';
import { printable, table } from '../terminal/show.ts';
import type { ProjectionFile } from './file.ts';

/** Whether a projection's text writes events or links, for which the server wants it to be allowed. */
const emits = (text: string): boolean => /\b(?:emit|linkTo|copyTo|linkStreamTo)\s*\(/.test(text);

interface Commands {
  readonly deploy: (files: readonly ProjectionFile[], invocation: Invocation) => Promise<number>;
  readonly status: (names: readonly string[], invocation: Invocation) => Promise<number>;
  readonly remove: (names: readonly string[], invocation: Invocation) => Promise<number>;
  readonly result: (name: string, invocation: Invocation) => Promise<number>;
}

/** Does something with the projections of the server that `store_url` names. */
export const onServer = async (config: Config, work: (commands: Commands) => Promise<number>): Promise<number> => {
  if (config.store_url.kind !== 'esdb') throw new CliError('store_url is not EventStoreDB', 2);
  const { openProjections } = await import('../../server/open-projections.ts');
  const projections = openProjections(config.store_url, systemClock, config.node);
  try {
    return await work(commandsOn(projections));
  } finally {
    await projections.close();
  }
};

const right = <A>(either: E.Either<{ readonly message: string }, A>): A => {
  if (E.isRight(either)) return either.right;
  throw new CliError(printable(either.left.message));
};

const commandsOn = (projections: Projections): Commands => ({
  deploy: async (files, { options, out, err }) => {
    let failed = 0;
    for (const { name, text } of files) {
      const writes = emits(text);
      if (options.reset && writes)
        err(`imcd: ${name} writes events or links: a reset would write them a second time; it goes on where it is`);
      const deployed = await projections.deploy(name, text, {
        emits: writes,
        reset: options.reset === true && !writes,
      })();
      if (E.isLeft(deployed)) {
        failed += 1;
        err(`imcd: ${printable(deployed.left.message)}`);
      } else await out(`${name}: ${deployed.right.status}, ${deployed.right.position}`);
    }
    return failed === 0 ? 0 : 1;
  },
  status: async (names, { out, err }) => {
    const rows: string[][] = [];
    let failed = 0;
    for (const name of names) {
      const found = await projections.status(name)();
      if (E.isLeft(found)) {
        failed += 1;
        err(`imcd: ${printable(found.left.message)}`);
        continue;
      }
      const status = found.right;
      if (status === undefined || !status.status.startsWith('Running')) failed += 1;
      if (status === undefined) rows.push([name, 'not deployed', '', '', '']);
      else rows.push([name, status.status, `${Math.floor(status.progress)}%`, status.position, status.reason]);
    }
    if (rows.length > 0)
      for (const line of table(['NAME', 'STATUS', 'PROGRESS', 'POSITION', 'REASON'], rows)) await out(line);
    return failed === 0 ? 0 : 1;
  },
  remove: async (names, { out, err }) => {
    let failed = 0;
    for (const name of names) {
      const removed = await projections.remove(name)();
      if (E.isLeft(removed)) {
        failed += 1;
        err(`imcd: ${printable(removed.left.message)}`);
      } else await out(removed.right ? `${name}: removed; what it wrote stays` : `${name}: not deployed`);
    }
    return failed === 0 ? 0 : 1;
  },
  result: async (name, { options, out }) => {
    const partition = typeof options.partition === 'string' ? options.partition : '';
    const { state, result } = right(await projections.result(name, partition)());
    await out(JSON.stringify({ partition, state, result }));
    return 0;
  },
});
