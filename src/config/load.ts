import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { allOptions, Config } from './config.ts';
import { type ConfigProblem, showFound, suggestion } from './problems.ts';
import { brokenRules } from './rules.ts';
import { Secret } from './secret.ts';
import { withPassword } from './urls.ts';

/** Where options come from, each over the one before. */
export interface Sources {
  /** YAML file; default: the one that `IMCD_CONFIG` names, or none. */
  readonly file?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** By full name: `{ 'mi.http': 'none' }`. */
  readonly commandLine: Readonly<Record<string, string>>;
  /** Default: stderr is a terminal. */
  readonly terminal?: boolean;
}

interface Given {
  readonly value: unknown;
  readonly source: string;
}

const fileNames = [...allOptions].flatMap(([name, { secret }]) => (secret ? [`${name}_file`] : []));
/** Every name that may be given: the options, and `NAME_file` of the secret ones. */
export const optionNames: readonly string[] = [...allOptions.keys(), ...fileNames];

/** Reads file, environment and command line. Left: all that is wrong, never empty. */
export const loadConfig =
  (sources: Sources): TaskEither<readonly ConfigProblem[], Config> =>
  async () => {
    const problems: ConfigProblem[] = [];
    const given = new Map<string, Given>();
    const file = sources.file ?? sources.environment.IMCD_CONFIG;
    if (file !== undefined && file !== '') take(await fromFile(file, problems), file, given, problems);
    for (const [name, value] of Object.entries(sources.environment)) {
      if (!name.startsWith('IMCD_') || name === 'IMCD_CONFIG' || value === undefined || value === '') continue;
      const path = name.slice(5).toLowerCase().replaceAll('__', '.');
      take([[path, value]], `environment variable ${name}`, given, problems);
    }
    take(Object.entries(sources.commandLine), 'command line', given, problems);

    const terminal = sources.terminal ?? process.stderr.isTTY === true;
    const raw = complete(given, terminal, problems);
    const config = Config.decode(nested(raw));
    if (E.isLeft(config)) {
      for (const { context, value, message } of config.left) {
        const path = context.flatMap(({ key }) => (key === '' ? [] : [key])).join('.');
        const option = allOptions.get(path);
        const source = given.get(path)?.source ?? 'default';
        const why = message === undefined || message === '' ? '' : `${message}; `;
        const allowed = `${why}allowed is ${option?.kind.allowed}`;
        problems.push({ path, source, found: showFound(value, option?.secret === true), allowed });
      }
      return E.left(problems);
    }
    const source = (path: string) => given.get(path)?.source ?? 'default';
    problems.push(...brokenRules(config.right, source));
    return problems.length > 0 ? E.left(problems) : config;
  };

/** Flattens a YAML file into full names. */
const fromFile = async (file: string, problems: ConfigProblem[]): Promise<readonly (readonly [string, unknown])[]> => {
  const text = readText(file, 1_048_576);
  const problem = (found: string, allowed: string) => {
    problems.push({ path: 'config', source: file, found, allowed });
    return [];
  };
  if (E.isLeft(text)) return problem(text.left, 'a YAML file of options is needed here');
  const { parseDocument } = await import('yaml'); // 25 ms that a start without a file need not spend
  const document = parseDocument(text.right, { uniqueKeys: true });
  const [error] = document.errors;
  if (error !== undefined) return problem(error.message.split('\n')[0] ?? '', 'the file must be YAML');
  const root: unknown = document.toJS({ maxAliasCount: 100 });
  if (root === null) return [];
  if (!isRecord(root)) return problem(showFound(root, false), 'allowed are options, one a line, as NAME: VALUE');
  return Object.entries(root).flatMap(([name, value]): readonly (readonly [string, unknown])[] => {
    if (name !== 'mi' && name !== 'log') return [[name, value]];
    if (value === null) return [];
    return isRecord(value) ? Object.entries(value).map(([key, one]) => [`${name}.${key}`, one]) : [[name, value]];
  });
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Puts one source's options over those that are there. */
const take = (
  entries: readonly (readonly [string, unknown])[],
  source: string,
  given: Map<string, Given>,
  problems: ConfigProblem[],
): void => {
  const here = new Set<string>();
  for (const [path, value] of entries) {
    if (!optionNames.includes(path)) {
      problems.push({
        path,
        source,
        found: 'an option that imcd does not know',
        allowed: suggestion(path, optionNames),
      });
      continue;
    }
    const isFile = !allOptions.has(path);
    const name = isFile ? path.slice(0, -'_file'.length) : path;
    if (here.has(name)) {
      problems.push({ path, source, found: `${name} beside ${name}_file`, allowed: 'only one of them is allowed' });
    }
    here.add(name);
    if (!isFile) given.set(name, { value, source });
    else given.set(name, { value: secretFrom(path, value, source, problems), source: `${source}, ${path}` });
  }
};

const secretFrom = (path: string, value: unknown, source: string, problems: ConfigProblem[]): string | undefined => {
  const text = typeof value === 'string' ? readText(value, 65_536) : E.left(showFound(value, false));
  if (E.isRight(text)) return text.right.replace(/\r?\n$/, '');
  problems.push({ path, source, found: text.left, allowed: 'allowed is the path of a file that can be read' });
  return undefined;
};

/** A file's text; Left: a phrase that says why not. */
const readText = (file: string, most: number): E.Either<string, string> => {
  try {
    if (statSync(file).size > most) return E.left(`${file}, which is longer than ${most} bytes`);
    return E.right(readFileSync(file, 'utf8'));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return E.left(`${JSON.stringify(file)}, which cannot be read (${code})`);
  }
};

/** Every option's raw value, the default where none is given, passwords put into their URLs. */
const complete = (given: ReadonlyMap<string, Given>, terminal: boolean, problems: ConfigProblem[]) => {
  const dataGiven = given.get('data')?.value ?? allOptions.get('data')?.fallback;
  const around = { hostName: hostname(), terminal, data: String(dataGiven) };
  const raw = new Map<string, unknown>();
  for (const [name, { fallback }] of allOptions) {
    const value = given.get(name)?.value;
    raw.set(name, given.has(name) ? value : typeof fallback === 'function' ? fallback(around) : fallback);
  }
  for (const [url, password] of [
    ['store_url', 'store_password'],
    ['db_url', 'db_password'],
  ] as const) {
    const [bare, word] = [raw.get(url), raw.get(password)];
    if (typeof bare !== 'string' || typeof word !== 'string' || word === 'none' || word === '') continue;
    const whole = withPassword(bare, new Secret(word));
    raw.set(url, whole);
    if (whole !== bare) continue;
    const source = given.get(password)?.source ?? 'default';
    problems.push({
      path: password,
      source,
      found: `a password, but ${url} names no user that it could be for, or has one already`,
      allowed: `allowed is a ${url} of the form SCHEME://USER@HOST/...`,
    });
  }
  return raw;
};

const nested = (flat: ReadonlyMap<string, unknown>): Record<string, unknown> => {
  const root: Record<string, unknown> = {};
  for (const [path, value] of flat) {
    const [first = '', second] = path.split('.');
    if (second === undefined) root[first] = value;
    else {
      const section = root[first];
      root[first] = { ...(isRecord(section) ? section : {}), [second]: value };
    }
  }
  return root;
};
