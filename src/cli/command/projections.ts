import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type CliError, wrongUsage } from '../cli-error.ts';
import type { Run } from '../invocation.ts';
import { checkProjection, nameOf, readProjection, shippedFiles } from '../projections/file.ts';
import { runProjection } from '../projections/run.ts';
import { deploy, onServer, remove, showResult, showStatus } from '../projections/server.ts';
import { printable } from '../terminal/show.ts';

/** `imcd projections deploy|status|result|remove|run`. */
export const run: Run = (invocation) => {
  const [action, ...names] = invocation.args;
  switch (action) {
    case 'run':
      return pipe(
        only(names, 'name one file: imcd projections run FILE'),
        E.chain(readProjection),
        TE.fromEither,
        TE.chain((file) => runProjection(file, invocation)),
      );
    case 'deploy':
      return pipe(
        names.length > 0 ? E.traverseArray(readProjection)(names) : shippedFiles(),
        TE.fromEither,
        TE.chainFirst(TE.traverseSeqArray(checkProjection)),
        TE.chain((files) => onServer(invocation, deploy(files, invocation))),
      );
    case 'status':
    case 'remove':
      return pipe(
        names.length > 0 ? E.right(names.map(nameOf)) : shippedNames(),
        TE.fromEither,
        TE.chain((all) => onServer(invocation, (action === 'status' ? showStatus : remove)(all, invocation))),
      );
    case 'result':
      return pipe(
        only(names, 'name one projection: imcd projections result NAME'),
        TE.fromEither,
        TE.chain((name) => onServer(invocation, showResult(nameOf(name), invocation))),
      );
    default:
      return TE.left(wrongUsage(`${printable(String(action))} is none of deploy, status, result, remove, run`));
  }
};

const only = ([name, ...others]: readonly string[], otherwise: string): E.Either<CliError, string> =>
  name === undefined || others.length > 0 ? E.left(wrongUsage(otherwise)) : E.right(name);

const shippedNames = (): E.Either<CliError, readonly string[]> =>
  pipe(
    shippedFiles(),
    E.map((files) => files.map(({ name }) => name)),
  );
