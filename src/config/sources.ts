import { readFileSync, statSync } from 'node:fs';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { Task } from 'fp-ts/lib/Task.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type ConfigProblem, showFound } from './problems.ts';

/** Where options come from: a YAML file, the environment, the command line. Nothing here knows which options there are. */

export interface Sources {
  /** YAML file; default: the one that `IMCD_CONFIG` names, or none. */
  readonly file?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** By full name: `{ 'mi.http': 'none' }`. */
  readonly commandLine: Readonly<Record<string, string>>;
  /** Default: stderr is a terminal. */
  readonly terminal?: boolean;
}

/** What a source gives under a name. */
export interface Entry {
  /** Full name: `mi.http`. */
  readonly path: string;
  readonly value: unknown;
  /** The file's name, `environment variable IMCD_...`, `command line`. */
  readonly source: string;
}

/** Work of which parts may have failed: what came of it, and what is wrong. */
export interface Collected<A> {
  readonly value: A;
  readonly problems: readonly ConfigProblem[];
}

/** All that is given, later entries over earlier ones. */
export const readSources =
  (sources: Sources): Task<Collected<readonly Entry[]>> =>
  async () => {
    const file = sources.file ?? sources.environment.IMCD_CONFIG ?? '';
    const inFile = file === '' ? E.right([]) : await fromFile(file)();
    return {
      value: [
        ...(E.isRight(inFile) ? inFile.right : []),
        ...fromEnvironment(sources.environment),
        ...entriesOf(Object.entries(sources.commandLine), 'command line'),
      ],
      problems: E.isLeft(inFile) ? [inFile.left] : [],
    };
  };

type Pair = readonly [path: string, value: unknown];

const entriesOf = (pairs: readonly Pair[], source: string): readonly Entry[] =>
  pairs.map(([path, value]) => ({ path, value, source }));

/** `IMCD_MI__HTTP` is `mi.http`. An empty variable is none. */
const fromEnvironment = (environment: Sources['environment']): readonly Entry[] =>
  Object.entries(environment)
    .filter(
      ([name, value]) => name.startsWith('IMCD_') && name !== 'IMCD_CONFIG' && value !== undefined && value !== '',
    )
    .map(([name, value]) => ({
      path: name.slice('IMCD_'.length).toLowerCase().replaceAll('__', '.'),
      value,
      source: `environment variable ${name}`,
    }));

/** What is wrong with a file as a whole. */
type FileProblem = Pick<ConfigProblem, 'found' | 'allowed'>;

const fromFile = (file: string): TE.TaskEither<ConfigProblem, readonly Entry[]> =>
  pipe(
    TE.fromEither(readText(file, 1_048_576)),
    TE.mapLeft((found) => ({ found, allowed: 'a YAML file of options is needed here' })),
    TE.chain(yamlIn),
    TE.chainEitherK(sectionsIn),
    TE.map((options) => entriesOf(options, file)),
    TE.mapLeft((problem) => ({ path: 'config', source: file, ...problem })),
  );

const yamlIn =
  (text: string): TE.TaskEither<FileProblem, unknown> =>
  async () => {
    const { parseDocument } = await import('yaml'); // 25 ms that a start without a file need not spend
    const document = parseDocument(text, { uniqueKeys: true });
    const [error] = document.errors;
    return error === undefined
      ? E.right(document.toJS({ maxAliasCount: 100 }))
      : E.left({ found: error.message.split('\n')[0] ?? '', allowed: 'the file must be YAML' });
  };

/** The options of a file; those in its sections `mi` and `log` by their full names. */
const sectionsIn = (root: unknown): E.Either<FileProblem, readonly Pair[]> => {
  if (root === null) return E.right([]);
  if (!isRecord(root))
    return E.left({ found: showFound(root, false), allowed: 'allowed are options, one a line, as NAME: VALUE' });
  return E.right(Object.entries(root).flatMap(flattened));
};

const flattened = ([name, value]: Pair): readonly Pair[] => {
  if (name !== 'mi' && name !== 'log') return [[name, value]];
  if (value === null) return [];
  return isRecord(value) ? Object.entries(value).map(([key, one]) => [`${name}.${key}`, one]) : [[name, value]];
};

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A file's text; Left: a phrase that says why not. @param most bytes that it may have */
export const readText = (file: string, most: number): E.Either<string, string> => {
  try {
    if (statSync(file).size > most) return E.left(`${file}, which is longer than ${most} bytes`);
    return E.right(readFileSync(file, 'utf8'));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return E.left(`${JSON.stringify(file)}, which cannot be read (${code})`);
  }
};
