import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Config } from '../../config/config.ts';
import type { EventStoreDbUrl } from '../../config/urls.ts';
import type { ProjectionStatus, Projections } from '../../projections/manage.ts';
import { systemClock } from '../../runtime/clock.ts';
import { because, type CliError, type CliTask, cliError } from '../cli-error.ts';
import type { Invocation } from '../invocation.ts';
import { printable, table } from '../terminal/show.ts';
import { printLines } from '../terminal/stdout.ts';
import type { ProjectionFile } from './file.ts';

/** What `imcd projections` does on an EventStoreDB server. Of several projections, each is tried; exit 1 where one failed. */

type OnServer = (projections: Projections) => CliTask<number>;

/** Does something with the projections of the server that `store_url` names. */
export const onServer = (invocation: Invocation, work: OnServer): CliTask<number> =>
  pipe(
    invocation.config,
    TE.bindTo('config'),
    TE.bind('server', ({ config }) => TE.fromEither(serverOf(config))),
    TE.chain(({ config, server }) => async () => {
      const { openProjections } = await import('../../server/open-projections.ts');
      const projections = openProjections(server, systemClock, config.node);
      try {
        return await work(projections)();
      } finally {
        await projections.close();
      }
    }),
  );

const serverOf = ({ store_url: url }: Config): E.Either<CliError, EventStoreDbUrl> =>
  url.kind === 'esdb'
    ? E.right(url)
    : E.left(
        cliError(
          `store_url is ${url.kind}: only EventStoreDB keeps projections. Over this log: imcd projections run FILE`,
        ),
      );

export const deploy =
  (files: readonly ProjectionFile[], { options, out, err }: Invocation): OnServer =>
  (projections) =>
    TE.fromTask(async () => {
      let code = 0;
      for (const { name, text } of files) {
        const emits = writes(text);
        if (options.reset && emits)
          err(`imcd: ${name} writes events or links: a reset would write them a second time; it goes on where it is`);
        const reset = options.reset === true && !emits;
        const deployed = await projections.deploy(name, text, { emits, reset })();
        if (E.isRight(deployed)) await out(`${name}: ${deployed.right.status}, ${deployed.right.position}`);
        else {
          code = 1;
          err(`imcd: ${printable(deployed.left.message)}`);
        }
      }
      return code;
    });

/** Whether a projection's text writes events or links, for which the server wants it to be allowed. */
const writes = (text: string): boolean => /\b(?:emit|linkTo|copyTo|linkStreamTo)\s*\(/.test(text);

/** Exit 1 also where one does not run. */
export const showStatus =
  (names: readonly string[], { out, err }: Invocation): OnServer =>
  (projections) =>
    TE.fromTask(async () => {
      const rows: (readonly string[])[] = [];
      let code = 0;
      for (const name of names) {
        const found = await projections.status(name)();
        if (E.isLeft(found)) err(`imcd: ${printable(found.left.message)}`);
        else rows.push(statusRow(name, found.right));
        if (E.isLeft(found) || found.right?.status.startsWith('Running') !== true) code = 1;
      }
      if (rows.length > 0) await printLines(out, table(['NAME', 'STATUS', 'PROGRESS', 'POSITION', 'REASON'], rows))();
      return code;
    });

const statusRow = (name: string, found: ProjectionStatus | undefined): readonly string[] => {
  if (found === undefined) return [name, 'not deployed', '', '', ''];
  const { status, progress, position, reason } = found;
  return [name, status, `${Math.floor(progress)}%`, position, reason];
};

export const remove =
  (names: readonly string[], { out, err }: Invocation): OnServer =>
  (projections) =>
    TE.fromTask(async () => {
      let code = 0;
      for (const name of names) {
        const removed = await projections.remove(name)();
        if (E.isRight(removed))
          await out(removed.right ? `${name}: removed; what it wrote stays` : `${name}: not deployed`);
        else {
          code = 1;
          err(`imcd: ${printable(removed.left.message)}`);
        }
      }
      return code;
    });

export const showResult =
  (name: string, { options, out }: Invocation): OnServer =>
  (projections) => {
    const partition = typeof options.partition === 'string' ? options.partition : '';
    return pipe(
      projections.result(name, partition),
      TE.mapLeft(because),
      TE.chainTaskK(({ state, result }) => printLines(out, [JSON.stringify({ partition, state, result })])),
    );
  };
